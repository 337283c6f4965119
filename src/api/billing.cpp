// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/billing.h"

#include "base/json/node.h"

namespace aimlvideo {

tl::expected<Balance, std::string> parseBalance(std::string_view body) {
  const auto root = json::parse(body);
  if (!root)
    return tl::unexpected(root.error());
  JsonObject *object = json::objectIn(root->get());
  const auto amount = json::number(json::member(object, "current_balance"));
  if (!amount)
    return tl::unexpected(std::string("the answer names no balance"));
  return Balance{*amount, json::scalarText(json::member(object, "currency")).value_or("USD")};
}

} // namespace aimlvideo
