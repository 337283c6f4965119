// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

#include <nettle/sha2.h>

namespace aimlvideo {

/// SHA-256 of what comes in pieces. Nettle uses the processor's own instructions for it, which GLib does not.
class Sha256 {
public:
  Sha256() { sha256_init(&state_); }

  void add(std::string_view bytes);
  /// In hex, in lower case, of all that was added so far.
  std::string hex() const;

private:
  sha256_ctx state_{};
};

/// The same of bytes that are there.
std::string sha256(std::string_view bytes);

} // namespace aimlvideo
