// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <span>
#include <string_view>

#include <aimlvideo/error.h>

namespace aimlvideo::cli {

/// What the command `aimlvideo` returns to the shell. The numbers are promised: scripts test for them.
enum class ExitCode {
  Success = 0,
  Failed = 1,         ///< what was asked for did not come about, for a reason that has no number of its own
  Usage = 2,          ///< the command line is wrong
  BadRequest = 3,     ///< the request or a setting is wrong; nothing was sent and nothing was bought
  NotAuthorized = 4,  ///< no key, a refused key, or no funds
  NotFound = 5,       ///< the model, the generation, a file or an element of GStreamer does not exist
  Unreachable = 6,    ///< no connection to the service, or it turns requests away; trying again later may help
  TimedOut = 7,       ///< the time is over; what was bought can still be fetched
  UnknownOutcome = 8, ///< nobody knows whether the service accepted the submission
  OverBudget = 9,     ///< all went well, and --max-cost or a limit on spending kept some rows from being bought
  TryAgain = 75,      ///< not yet; as sysexits.h has it. The answer says when
  Cancelled = 130,    ///< interrupted, as a shell reports SIGINT
};

/// A cause of failure, as programs are told it. Names and exit codes are promised; docs/errors.md has the list.
struct ErrorCode {
  const char *name;
  ExitCode exitCode;
  const char *hint; ///< what a program may do
};

/// All of them: first those of the engine, in the order of ErrorKind, then those that only the command line has.
std::span<const ErrorCode> errorCodes();
/// How many of them are the engine's.
size_t engineErrorCodes();

const ErrorCode &errorCodeFor(ErrorKind kind);
ExitCode exitCodeFor(ErrorKind kind);

/// One of the list; a name that it lacks is a mistake in the program, which ends.
const ErrorCode &errorCodeNamed(std::string_view name);

} // namespace aimlvideo::cli
