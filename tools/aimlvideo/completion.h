// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command.h"

namespace aimlvideo::cli {

/// What the three shells call, see tools/aimlvideo/completion/. It is in no list of commands.
constexpr auto completionCommand = "complete";

/// `complete -- WORD...`: the words behind `aimlvideo`, the last of which is being typed and may be empty. Prints what
/// it may become, one a line: the word, or behind `--NAME=` the value, then a tab and what it means if that is known.
/// `:files` or `:folders` stands for those that the shell finds. It reads what is on this machine and changes nothing.
ExitCode printCompletions(const Arguments &arguments);

} // namespace aimlvideo::cli
