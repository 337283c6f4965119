// SPDX-License-Identifier: LGPL-2.1-or-later
#include <aimlvideo/settings.h>

#include "settings/allowance.h"
#include "settings/api_key.h"
#include "settings/request_from_settings.h"
#include "settings/service_address.h"

namespace aimlvideo {

namespace {

Result<void> checkKeyIsThere(const Settings &settings) {
  if (auto may = checkKeyMayGo(settings); !may)
    return may;
  return checkKeyIsNamed(settings.apiKey, settings.apiKeyFile);
}

} // namespace

Result<void> checkSettings(const Settings &settings) {
  if (const auto address = serviceAddressOf(settings); !address)
    return tl::unexpected(address.error());
  if (!settings.dryRun) {
    if (const auto there = checkKeyIsThere(settings); !there)
      return there;
  }
  const auto allowance = allowanceOf(settings);
  if (!allowance)
    return tl::unexpected(allowance.error());
  if (settings.fetchesOnly())
    return {};
  if (const auto allowed = checkParametersFile(settings, allowance->mayBuy); !allowed)
    return allowed;
  if (!namesTextFile(settings)) {
    if (const auto request = requestFrom(settings, Files::Leave, allowance->mayBuy); !request)
      return tl::unexpected(request.error());
  }
  return {};
}

} // namespace aimlvideo
