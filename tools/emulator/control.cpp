// SPDX-License-Identifier: LGPL-2.1-or-later
#include "control.h"

#include <cstdlib>
#include <string_view>

namespace emulator {
namespace {

constexpr std::string_view faultsPath = "/emulator/faults";

Response page() {
  GBytes *html = g_resources_lookup_data("/com/aimlapi/emulator/page.html", G_RESOURCE_LOOKUP_FLAGS_NONE, nullptr);
  Response response;
  response.contentType = "text/html; charset=utf-8";
  response.body = html ? Bytes(html) : Bytes();
  return response;
}

} // namespace

Response Control::answer(const Request &request) {
  const std::string &path = request.path;
  bool isRead = request.method == "GET" || request.method == "HEAD";
  if (isRead && (path == "/emulator" || path == "/emulator/"))
    return page();
  if (isRead && path == "/emulator/report")
    return report();
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

Response Control::report() const {
  double now = monotonicSeconds();
  Json tasks = Json::array();
  unsigned unfinished = 0;
  for (const TaskPtr &task : service_.tasks.tasks()) {
    tasks.add(taskJson(*task, now));
    unfinished += now < task->endsAt();
  }
  Json json = service_.report.json();
  json.set("rendered", service_.clips.rendered());
  json.set("unfinished", unfinished);
  json.set("rules", service_.faults.json());
  json.set("tasks", tasks);
  return Response::json(200, json);
}

Response Control::changeFaults(const Request &request) {
  if (request.method == "DELETE" && request.path == faultsPath) {
    service_.faults.clear();
  } else if (request.method == "DELETE") {
    unsigned number = static_cast<unsigned>(std::atoi(request.path.c_str() + faultsPath.size() + 1));
    if (!service_.faults.remove(number))
      return errorResponse(request, 404, "no such rule");
  } else if (request.method == "POST" || request.method == "PUT") {
    auto rules = Json::parse(request.body.view());
    if (!rules)
      return errorResponse(request, 400, rules.error());
    auto changed = request.method == "PUT" ? service_.faults.replace(*rules) : service_.faults.add(*rules);
    if (!changed)
      return errorResponse(request, 400, changed.error());
  }
  return Response::json(200, Json::object({{"rules", service_.faults.json()}}));
}

void Control::reset() {
  service_.tasks.clear();
  service_.report.reset();
  service_.logs.clear();
  service_.faults.clear();
  wires_.releaseStalled();
}

} // namespace emulator
