// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/service/router.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace aimlvideo::emulator {

namespace {

bool isLegacyPath(std::string_view path) {
  constexpr std::array vendors = {"kling", "alibaba", "bytedance", "google", "minimax", "pixverse", "runway"};
  return std::ranges::any_of(
      vendors, [&](const char *vendor) { return path == "/v2/generate/video/" + std::string(vendor) + "/generation"; });
}

bool isGenerations(const std::string &path) {
  return path == "/v2/video/generations" || isLegacyPath(path);
}

/// Some schemas list these for the same POST.
bool isOldGenerations(const std::string &path) {
  return path == "/v1/video/generations" || path == "/video/generations";
}

bool isDeprecations(const std::string &path) {
  return std::ranges::any_of(std::array{"/v1/models/", "/models/", "/api/v1/models/"}, [&](const std::string &list) {
    return path == list + "deprecations" || path == list + "deprecated";
  });
}

} // namespace

std::string phaseOf(const Request &request) {
  const std::string &path = request.path;
  const bool isRead = request.method == "GET" || request.method == "HEAD";
  if (path == "/emulator" || path.starts_with("/emulator/"))
    return "emulator";
  if (request.method == "POST" && (isGenerations(path) || isOldGenerations(path)))
    return "create";
  if (!isRead)
    return "unknown";
  if (isGenerations(path))
    return "poll";
  if (path.starts_with("/clips/"))
    return "clip";
  if (path == "/v2/logs")
    return "logs";
  if (path == "/v1/models" || path == "/models" || path == "/api/v1/models" || path == "/models/metrics")
    return "models";
  if (isDeprecations(path))
    return "deprecations";
  if (path == "/docs-json")
    return "schema";
  if (path.starts_with("/model/"))
    return "model";
  const bool isMoney = path == "/v2/billing" || path == "/v2/billing/transactions" || path == "/v2/usage";
  return isMoney ? "billing" : "unknown";
}

void Router::handle(const std::string &phase, const Request &request, const Fault *fault, const Reply &reply) {
  if (phase == "create")
    generations_.create(request, fault, reply);
  else
    reply(answer(phase, request, fault));
}

Response Router::answer(const std::string &phase, const Request &request, const Fault *fault) {
  if (phase == "poll")
    return generations_.poll(request, fault);
  if (phase == "clip")
    return clips_.get(request, fault);
  if (phase == "logs")
    return listings_.logs(request);
  if (phase == "models")
    return listings_.models(request);
  if (phase == "model")
    return listings_.model(request);
  if (phase == "deprecations")
    return listings_.deprecations(request);
  if (phase == "schema")
    return listings_.schema(request);
  if (phase == "billing")
    return listings_.billing(request);
  if (phase == "emulator")
    return control_.answer(request);
  return errorResponse(request, 404, "Cannot " + request.method + " " + request.path);
}

} // namespace aimlvideo::emulator
