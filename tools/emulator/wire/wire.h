// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include <libsoup/soup.h>

#include "emulator/wire/http.h"

namespace aimlvideo::emulator {

/// How an answer travels when it does not travel as it should.
struct Wire {
  enum class End { Close, Reset, Stall };

  bool isSilent = false;              ///< nothing is sent at all
  std::optional<size_t> bodyLimit;    ///< bytes of the body to send, then the end
  std::optional<long> declaredLength; ///< said in Content-Length
  bool isChunked = false;
  double bytesPerSecond = 0; ///< of the body; 0: as fast as it goes
  End end = End::Close;
};

/// Answers under way on connections taken over from the HTTP server, which would not misbehave. Belongs to the main
/// thread.
class Wires {
public:
  ~Wires();
  /// Takes the message's connection over and answers on it. The number of body bytes sent is reported to `onBytes`.
  void answer(SoupServerMessage *message, const Response &response, const Wire &wire,
              std::function<void(size_t)> onBytes);
  /// Closes the connections that stall.
  unsigned releaseStalled();

private:
  class Conversation;
  void start(SoupServerMessage *message, const std::shared_ptr<Conversation> &conversation);
  std::set<std::shared_ptr<Conversation>> conversations_;
};

} // namespace aimlvideo::emulator
