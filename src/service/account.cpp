// SPDX-License-Identifier: LGPL-2.1-or-later
#include "service/account.h"

#include "service/service_client.h"
#include "service/verdict.h"

namespace aimlvideo {

namespace {

constexpr std::chrono::seconds patience{30};

Task<Result<Balance>> askForBalance(const Settings &settings, const Plan &plan, Cancellation &cancellation) {
  HttpSession session(sessionOptionsOf(settings));
  ServiceClient client(session, plan, settings.extraHeaders);
  const auto response = co_await client.get(billingPath, cancellation, AttemptTime{Clock::now() + patience, patience});
  if (!response)
    co_return failure(
        response.error().cause == TransportError::Cause::Cancelled ? ErrorKind::Cancelled : ErrorKind::Unreachable,
        "no connection to " + plan.baseUrl, response.error().message, "Check the network, the base URL and the proxy");
  if (!response->successful())
    co_return tl::unexpected(refusalFrom(*response));
  const auto balance = parseBalance(response->body);
  if (!balance)
    co_return failure(ErrorKind::BadAnswer, "the balance can't be read", balance.error(), "Try again later");
  co_return *balance;
}

} // namespace

Result<Balance> fetchBalance(const Settings &settings, Cancellation &cancellation) {
  const auto plan = prepareAccount(settings);
  if (!plan)
    return tl::unexpected(plan.error());
  return Loop::instance().wait(askForBalance(settings, *plan, cancellation));
}

} // namespace aimlvideo
