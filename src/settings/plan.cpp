// SPDX-License-Identifier: LGPL-2.1-or-later
#include "settings/plan.h"

#include "settings/api_key.h"
#include "settings/request_from_settings.h"
#include "settings/service_address.h"

namespace aimlvideo {

namespace {

Result<void> fillAddress(Plan &plan, const Settings &settings) {
  auto address = serviceAddressOf(settings);
  if (!address)
    return tl::unexpected(std::move(address.error()));
  plan.baseUrl = std::move(address->baseUrl);
  plan.loopback = address->loopback;
  return {};
}

Result<void> fillKey(Plan &plan, const Settings &settings) {
  if (auto may = checkKeyMayGo(settings); !may)
    return may;
  auto found = findKey(settings.apiKey, settings.apiKeyFile);
  if (!found)
    return tl::unexpected(std::move(found.error()));
  plan.key = std::move(found->key);
  if (!found->warning.empty())
    plan.request.warnings.push_back(std::move(found->warning));
  return {};
}

} // namespace

Result<Plan> prepareAccount(const Settings &settings) {
  Plan plan;
  if (const auto address = fillAddress(plan, settings); !address)
    return tl::unexpected(address.error());
  if (const auto key = fillKey(plan, settings); !key)
    return tl::unexpected(key.error());
  return plan;
}

Result<Plan> prepare(const Settings &settings) {
  Plan plan;
  if (const auto address = fillAddress(plan, settings); !address)
    return tl::unexpected(address.error());
  auto allowance = allowanceOf(settings);
  if (!allowance)
    return tl::unexpected(std::move(allowance.error()));
  plan.allowance = *allowance;
  if (!settings.fetchesOnly()) {
    auto request = requestFrom(settings, Files::Read, plan.allowance.mayBuy);
    if (!request)
      return tl::unexpected(std::move(request.error()));
    plan.request = std::move(*request);
  } else {
    plan.request.model = settings.model;
    plan.request.known = Catalogue::instance().find(settings.model);
  }
  if (settings.dryRun)
    return plan; // nothing that it asks needs a key
  if (const auto key = fillKey(plan, settings); !key)
    return tl::unexpected(key.error());
  return plan;
}

} // namespace aimlvideo
