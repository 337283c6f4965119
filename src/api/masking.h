// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

namespace aimlvideo {

/// Puts `mark` in the place of each `secret` in a foreign text, however it is spelt there: as it is; with any of its
/// characters percent-encoded or escaped as in JSON, also one in the other; or in Base64, of either alphabet, alone or
/// inside of something longer such as `Bearer SECRET`. A secret that is too short to be distinguished from words stays.
void mask(std::string &text, std::string_view secret, std::string_view mark);

} // namespace aimlvideo
