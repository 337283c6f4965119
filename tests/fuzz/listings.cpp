// SPDX-License-Identifier: LGPL-2.1-or-later
// The account's balance and its log of requests.
#include <cmath>

#include "api/billing.h"
#include "api/logs.h"
#include "fuzz.h"

using namespace aimlvideo;
using namespace aimlvideo::fuzz;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::string_view body = textOf(data, size);
  if (const auto balance = parseBalance(body))
    must_hold(std::isfinite(balance->amount) && isReadable(balance->currency));
  else
    must_hold(isReadable(balance.error()) && !balance.error().empty());

  const auto entries = parseLogs(body);
  if (!entries) {
    must_hold(isReadable(entries.error()) && !entries.error().empty());
    return 0;
  }
  must_hold(entries->size() <= size);
  for (const LogEntry &entry : *entries) {
    must_hold(isReadable(entry.clientRequestId) && isReadable(entry.generationId));
    for (const auto &number : {entry.usage.credits, entry.usage.usd})
      must_hold(!number || std::isfinite(*number));
  }
  return 0;
}
