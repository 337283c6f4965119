// SPDX-License-Identifier: LGPL-2.1-or-later
#include "exit_code.h"

namespace aimlvideo::cli {

ExitCode exitCodeFor(ErrorKind kind) {
  switch (kind) {
  case ErrorKind::BadRequest:
  case ErrorKind::TooLarge:
    return ExitCode::BadRequest;
  case ErrorKind::NotAuthorized:
    return ExitCode::NotAuthorized;
  case ErrorKind::NotFound:
  case ErrorKind::Lost:
  case ErrorKind::Unreadable:
    return ExitCode::NotFound;
  case ErrorKind::Busy:
  case ErrorKind::Unreachable:
    return ExitCode::Unreachable;
  case ErrorKind::TimedOut:
    return ExitCode::TimedOut;
  case ErrorKind::UnknownOutcome:
    return ExitCode::UnknownOutcome;
  case ErrorKind::Cancelled:
    return ExitCode::Cancelled;
  default:
    return ExitCode::Failed;
  }
}

} // namespace aimlvideo::cli
