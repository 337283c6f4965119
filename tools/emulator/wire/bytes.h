// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string_view>

#include "base/glib_ptr.h"

namespace aimlvideo::emulator {

/// Immutable bytes, shared between copies.
class Bytes {
public:
  Bytes() : Bytes(std::string_view()) {}
  explicit Bytes(std::string_view text) : bytes_(adopt(g_bytes_new(text.data(), text.size()))) {}
  explicit Bytes(GRefPtr<GBytes> bytes) : bytes_(std::move(bytes)) {}

  std::string_view view() const {
    gsize size = 0;
    const auto *data = static_cast<const char *>(g_bytes_get_data(bytes_.get(), &size));
    return {data ? data : "", size};
  }
  size_t size() const { return g_bytes_get_size(bytes_.get()); }
  /// A window on the same memory.
  Bytes slice(size_t offset, size_t length) const {
    return Bytes(adopt(g_bytes_new_from_bytes(bytes_.get(), offset, length)));
  }
  GBytes *get() const { return bytes_.get(); }

private:
  GRefPtr<GBytes> bytes_;
};

} // namespace aimlvideo::emulator
