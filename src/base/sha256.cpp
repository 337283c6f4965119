// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/sha256.h"

#include <array>

#include <nettle/base16.h>

namespace aimlvideo {

void Sha256::add(std::string_view bytes) {
  sha256_update(&state_, bytes.size(), reinterpret_cast<const uint8_t *>(bytes.data()));
}

std::string Sha256::hex() const {
  sha256_ctx state = state_; // which the end of it resets
  std::array<uint8_t, SHA256_DIGEST_SIZE> digest{};
  sha256_digest(&state, digest.size(), digest.data());
  std::string hex(BASE16_ENCODE_LENGTH(digest.size()), '\0');
  base16_encode_update(hex.data(), digest.size(), digest.data());
  return hex;
}

std::string sha256(std::string_view bytes) {
  Sha256 checksum;
  checksum.add(bytes);
  return checksum.hex();
}

} // namespace aimlvideo
