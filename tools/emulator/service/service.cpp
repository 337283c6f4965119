// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/service/service.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace aimlvideo::emulator {

std::optional<Response> Service::refuse(const Request &request) const {
  const std::string key = request.key();
  const bool isKnown = options.keys.empty() || std::ranges::find(options.keys, key) != options.keys.end();
  if (!key.empty() && isKnown)
    return std::nullopt;
  return errorResponse(request, 401,
                       "This request requires a valid API key. You can create an API key on the billing page: "
                       "https://aimlapi.com/app/keys");
}

TaskPtr Service::taskOfClip(const Request &request) const {
  constexpr std::string_view folder = "/clips/";
  if (!request.path.starts_with(folder))
    return nullptr;
  return tasks.findSerial(static_cast<unsigned>(std::atoi(request.path.c_str() + folder.size())));
}

std::string Service::ownerOf(const Request &request) const {
  const TaskPtr task = taskOfClip(request);
  return task ? task->owner : fingerprints.of(request.key());
}

} // namespace aimlvideo::emulator
