// SPDX-License-Identifier: LGPL-2.1-or-later
// The header Retry-After: the time of day in the first eight bytes, then its value.
#include "fuzz.h"
#include "http/retry.h"

using namespace aimlvideo;
using namespace aimlvideo::fuzz;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string_view text = textOf(data, size);
  const auto seconds = cutNumber<int64_t>(text);
  // any time in which the clock of a machine may be
  const auto now = std::chrono::system_clock::time_point(std::chrono::seconds(seconds % 4'102'444'800));
  const auto wanted = parseRetryAfter(std::string(text), now);
  must_hold(!wanted || (wanted->count() >= 0 && wanted->count() <= 24 * 60 * 60));

  std::minstd_rand random(1);
  const RetryPolicy policy;
  const auto pause = policy.pauseBefore(static_cast<unsigned>(seconds), wanted, random);
  must_hold(pause.count() >= 0 && pause <= std::chrono::hours(27));
  must_hold(!wanted || pause >= *wanted);
  return 0;
}
