// SPDX-License-Identifier: LGPL-2.1-or-later
#include "service.h"

#include <algorithm>

namespace emulator {

std::optional<Response> Service::refuse(const Request &request) const {
  std::string key = request.key();
  bool isKnown = options.keys.empty() || std::ranges::find(options.keys, key) != options.keys.end();
  if (!key.empty() && isKnown)
    return std::nullopt;
  return errorResponse(request, 401,
                       "This request requires a valid API key. You can create an API key on the billing page: "
                       "https://aimlapi.com/app/keys");
}

} // namespace emulator
