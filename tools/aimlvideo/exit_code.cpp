// SPDX-License-Identifier: LGPL-2.1-or-later
#include "exit_code.h"

#include <algorithm>
#include <string>

#include <glib.h>

namespace aimlvideo::cli {

namespace {

constexpr ErrorCode all[] = {
    {"bad-request", ExitCode::BadRequest, "fix the request or the setting: nothing was bought"},
    {"not-authorized", ExitCode::NotAuthorized, "check the key, or the account's funds"},
    {"not-found", ExitCode::NotFound, "look for the file, the model or the generation"},
    {"unreadable", ExitCode::NotFound, "make the local file readable"},
    {"busy", ExitCode::Unreachable, "try again later"},
    {"unreachable", ExitCode::Unreachable, "try again when there is a connection"},
    {"timed-out", ExitCode::TimedOut, "run it again: what was bought is resumed"},
    {"lost", ExitCode::NotFound,
     "ask the service's support with the generation id; run it again, or with `on-lost=buy` to buy another one"},
    {"unknown-outcome", ExitCode::UnknownOutcome,
     "run it again, which looks it up, or settle it with `aimlvideo jobs resolve`"},
    {"generation-failed", ExitCode::Failed, "change the prompt or the picture; a failed generation is not billed"},
    {"bad-answer", ExitCode::Failed, "run it again; the service or the clip's host sent something that can't be used"},
    {"too-large", ExitCode::BadRequest, "raise `max-clip-size`"},
    {"no-space", ExitCode::Failed, "make room"},
    {"cancelled", ExitCode::Cancelled, "run it again: what was bought is resumed; somebody stopped it"},
    // the command line's own
    {"usage", ExitCode::Usage, "fix the command line; nothing was begun"},
    {"rows-failed", ExitCode::Failed, "read the errors of the rows, and run the same batch again"},
    {"over-budget", ExitCode::OverBudget,
     "raise `--max-cost` or the limit on spending, or leave out what they keep from being bought"},
    {"outcome-pending", ExitCode::TryAgain,
     "run it again after `retry_after` seconds, which looks it up: nothing is bought twice"},
    {"not-ready", ExitCode::TryAgain, "run it again after `retry_after` seconds"},
    {"jobs-failed", ExitCode::Failed, "read the errors of the jobs"},
    {"checks-failed", ExitCode::Failed, "do what the `hint` of each check that failed says"},
    {"unmarked", ExitCode::Failed, "make it again from its source, or label it by other means"},
    {"damaged-clips", ExitCode::Failed, "nothing: they are fetched again, without buying, when they are asked for"},
};

constexpr size_t ofEngine = static_cast<size_t>(ErrorKind::Cancelled) + 1;

} // namespace

std::span<const ErrorCode> errorCodes() {
  return all;
}

size_t engineErrorCodes() {
  return ofEngine;
}

const ErrorCode &errorCodeFor(ErrorKind kind) {
  return all[static_cast<size_t>(kind)];
}

ExitCode exitCodeFor(ErrorKind kind) {
  return errorCodeFor(kind).exitCode;
}

const ErrorCode &errorCodeNamed(std::string_view name) {
  const auto *const found =
      std::find_if(std::begin(all), std::end(all), [name](const ErrorCode &code) { return name == code.name; });
  if (found == std::end(all))
    g_error("there is no error code %s", std::string(name).c_str());
  return *found;
}

} // namespace aimlvideo::cli
