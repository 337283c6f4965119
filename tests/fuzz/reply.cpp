// SPDX-License-Identifier: LGPL-2.1-or-later
// The body of an answer to a create or a poll, and of one that is no success.
#include "api/reply.h"

#include <cmath>

#include "api/endpoint.h"
#include "fuzz.h"

using namespace aimlvideo;
using namespace aimlvideo::fuzz;

namespace {

constexpr size_t longestMessage = 500;

void checkMessage(const std::string &message) {
  must_hold(message.size() <= longestMessage);
  must_hold(isReadable(message) && isOneLine(message));
}

void checkReply(const Reply &reply) {
  checkMessage(reply.error);
  must_hold(isReadable(reply.id) && isReadable(reply.word) && isReadable(reply.clipUrl));
  must_hold(!reply.moderated || reply.state == JobState::Failed);
  must_hold(jobStateFromWord(reply.word) == reply.state);
  for (const auto &number : {reply.usage.credits, reply.usage.usd})
    must_hold(!number || std::isfinite(*number));
  must_hold(isReadable(pollPath(EndpointFamily::Universal, nullptr, reply.id)));
}

} // namespace

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::string_view body = textOf(data, size);
  if (const auto reply = parseReply(body))
    checkReply(*reply);
  else
    must_hold(isReadable(reply.error()) && isOneLine(reply.error()));
  checkMessage(serviceMessage(body));
  (void)saysPathIsUnknown(body);
  return 0;
}
