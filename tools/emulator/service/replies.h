// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "emulator/service/service.h"

namespace aimlvideo::emulator {

/// The answers to create and poll, in the shapes that the documentation shows.
Json createdJson(const Task &task, const Request &request, const Service &service);
Json polledJson(const Task &task, const Request &request, const Service &service, const Fault *fault);

/// x-inference-id, x-client-request-id and, for a create, what it costs.
void addTracing(Response &response, const Request &request, const Task *task);

/// The request's X-Client-Request-Id; empty without one, or if it is malformed.
std::string validClientRequestId(const Request &request);

/// The path and query of the clip's address: signed, and another one once its links have expired.
std::string clipTarget(const Task &task);

} // namespace aimlvideo::emulator
