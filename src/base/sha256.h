// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <glib.h>

namespace aimlvideo {

/// SHA-256 of what comes in pieces.
class Sha256 {
public:
  void add(std::string_view bytes);
  /// In hex, in lower case. Nothing can be added after it.
  std::string hex() const;

private:
  std::unique_ptr<GChecksum, void (*)(GChecksum *)> state_{g_checksum_new(G_CHECKSUM_SHA256), g_checksum_free};
};

/// The same of bytes that are there.
std::string sha256(std::string_view bytes);

} // namespace aimlvideo
