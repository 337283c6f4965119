// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/job_kind.h"

#include "base/json/node.h"

namespace aimlvideo {

namespace {

/// What the service goes by: what is sent, else what the model's documentation names as default.
std::string effective(const Request &request, JsonObject *body, const char *name) {
  if (const auto sent = json::scalarText(json::member(body, name)))
    return *sent;
  const Parameter *parameter = request.known ? request.known->parameter(name) : nullptr;
  return parameter ? parameter->fallback : "";
}

} // namespace

JobKind kindOf(const Request &request) {
  const auto body = json::parse(request.canonical);
  JsonObject *object = body ? json::objectIn(body->get()) : nullptr;
  return {request.known ? request.known->id : request.model, effective(request, object, "duration"),
          effective(request, object, "resolution")};
}

} // namespace aimlvideo
