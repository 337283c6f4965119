// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/service/control.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "emulator/service/clips.h"

namespace aimlvideo::emulator {

namespace {

constexpr std::string_view faultsPath = "/emulator/faults";
constexpr std::string_view tasksPath = "/emulator/tasks/";

Response page() {
  auto html = adopt(g_resources_lookup_data("/com/aimlapi/emulator/page.html", G_RESOURCE_LOOKUP_FLAGS_NONE, nullptr));
  Response response;
  response.contentType = "text/html; charset=utf-8";
  response.body = html ? Bytes(std::move(html)) : Bytes();
  return response;
}

} // namespace

Response Control::answer(const Request &request) {
  const std::string &path = request.path;
  const bool isRead = request.method == "GET" || request.method == "HEAD";
  // A page from elsewhere in the user's browser must not change anything here.
  if (const std::string origin = request.header("origin"); !isRead && !origin.empty() && origin != request.origin)
    return errorResponse(request, 403, "Requests from other origins are refused");
  if (isRead && (path == "/emulator" || path == "/emulator/"))
    return page();
  if (isRead && path == "/emulator/report")
    return report(request);
  if (isRead && path.starts_with(tasksPath))
    return ofTask(request);
  if (path == faultsPath || path.starts_with(std::string(faultsPath) + "/"))
    return changeFaults(request);
  if (request.method == "POST" && path == "/emulator/reset") {
    reset();
    return Response::json(200, Json::object({{"reset", true}}));
  }
  if (request.method == "POST" && path == "/emulator/release")
    return Response::json(200, Json::object({{"released", wires_.releaseStalled()}}));
  return errorResponse(request, 404, "Cannot " + request.method + " " + path);
}

/// The newest tasks only if the query says how many: ?tasks=N.
Response Control::report(const Request &request) const {
  const double now = monotonicSeconds();
  const auto &all = service_.tasks.tasks();
  const auto wanted =
      static_cast<size_t>(std::max(0, std::atoi(request.parameter("tasks").value_or("2147483647").c_str())));
  Json tasks = Json::array();
  unsigned unfinished = 0;
  size_t older = all.size() - std::min(all.size(), wanted);
  for (const auto &[serial, task] : all) {
    unfinished += now < task->endsAt();
    if (older > 0)
      older--;
    else
      tasks.add(taskJson(*task, now));
  }
  Json json = service_.report.json();
  json.set("rendered", service_.clips.rendered());
  json.set("unfinished", unfinished);
  json.set("rules", service_.faults.json());
  json.set("tasks", tasks);
  return Response::json(200, json);
}

/// What the page shows of a task: /emulator/tasks/SERIAL/clip and .../image. Not counted, not spoilt by faults.
Response Control::ofTask(const Request &request) const {
  const std::string rest = request.path.substr(tasksPath.size());
  const TaskPtr task = service_.tasks.findSerial(static_cast<unsigned>(std::atoi(rest.c_str())));
  if (!task || !task->clip)
    return errorResponse(request, 404, "no such clip");
  if (rest.ends_with("/clip"))
    return serveClip(request, *task->clip, task->clip->etag);
  if (!rest.ends_with("/image") || task->clip->thumbnail.size() == 0)
    return errorResponse(request, 404, "no such image");
  Response response;
  response.contentType = "image/jpeg";
  response.body = task->clip->thumbnail;
  return response;
}

Response Control::changeFaults(const Request &request) {
  if (request.method == "DELETE" && request.path == faultsPath) {
    service_.faults.clear();
  } else if (request.method == "DELETE") {
    const unsigned number = static_cast<unsigned>(std::atoi(request.path.c_str() + faultsPath.size() + 1));
    if (!service_.faults.remove(number))
      return errorResponse(request, 404, "no such rule");
  } else if (request.method == "POST" || request.method == "PUT") {
    const auto rules = Json::parse(request.body.view());
    if (!rules)
      return errorResponse(request, 400, rules.error());
    const auto changed = request.method == "PUT" ? service_.faults.replace(*rules) : service_.faults.add(*rules);
    if (!changed)
      return errorResponse(request, 400, changed.error());
  }
  return Response::json(200, Json::object({{"rules", service_.faults.json()}}));
}

void Control::reset() {
  service_.tasks.clear();
  service_.account.reset();
  service_.clips.cancelOrders();
  service_.report.reset();
  service_.logs.clear();
  service_.faults.clear();
  wires_.releaseStalled();
}

} // namespace aimlvideo::emulator
