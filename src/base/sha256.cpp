// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/sha256.h"

namespace aimlvideo {

void Sha256::add(std::string_view bytes) {
  g_checksum_update(state_.get(), reinterpret_cast<const guchar *>(bytes.data()), static_cast<gssize>(bytes.size()));
}

std::string Sha256::hex() const {
  return g_checksum_get_string(state_.get());
}

std::string sha256(std::string_view bytes) {
  Sha256 checksum;
  checksum.add(bytes);
  return checksum.hex();
}

} // namespace aimlvideo
