// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <optional>

#include <aimlvideo/error.h>

#include "http/session.h"

namespace aimlvideo {

/// What a submission has come to. Everything that is not surely one of the others is Unknown: it may have been bought.
enum class Verdict {
  Accepted,    ///< 2xx; the body is still to be read
  Refused,     ///< the service says no, and will say so again
  Unreachable, ///< nothing was sent, another attempt may help
  Untrusted,   ///< nothing was sent, no other attempt will help: TLS, the address
  TurnedAway,  ///< 413, 421, 429, 503, a request that was declined: not accepted, later perhaps
  PathUnknown, ///< 404 for the path, not for the model
  Cancelled,   ///< stopped before anything was sent
  Unknown,
};

Verdict verdictOn(const Exchanged<HttpResponse> &submission);

/// The error behind an answer of the service that is no success. `body` is free of the key.
Error refusalFrom(const HttpResponse &response);

/// By what name the service's support finds the request that this answers: letters, digits and signs, or empty.
std::string requestIdOf(const HttpResponse &response);

/// How long the service asks to be left alone; empty if it does not say.
std::optional<std::chrono::seconds> retryAfterOf(const HttpResponse &response);

} // namespace aimlvideo
