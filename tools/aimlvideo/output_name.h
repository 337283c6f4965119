// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace aimlvideo::cli {

/// Stands for the number of the take in the name of an output.
constexpr auto takePlaceholder = "{take}";

bool namesTake(const std::string &output);
/// The name with the number of the take in its place.
std::string withTake(const std::string &output, unsigned take);

/// What a file may be called that is made from a text, without an extension: its letters and digits, of any script, in
/// lower case, with dashes between the words; short, and cut between two words where there are some. `clip` if there is
/// nothing of that kind in it.
std::string nameFrom(const std::string &text);

/// `stem` and `extension` (with its dot, or empty), with a number between them if there is something of that name.
std::string freeName(const std::string &stem, const std::string &extension);

} // namespace aimlvideo::cli
