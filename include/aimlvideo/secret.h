// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace aimlvideo {

/// Overwrites the contents of a text.
inline void wipe(std::string &text) {
  explicit_bzero(text.data(), text.size());
  text.clear();
}

/// A key. Its memory is wiped with the last copy; it is never printed and has no conversion to a string.
class Secret {
public:
  Secret() = default;
  explicit Secret(std::string_view text) : text_(new std::string(text), Wipe{}) {}

  bool empty() const { return !text_ || text_->empty(); }
  /// For the Authorization header and nothing else.
  std::string_view reveal() const { return text_ ? std::string_view(*text_) : std::string_view(); }

private:
  struct Wipe {
    void operator()(std::string *text) const {
      wipe(*text);
      delete text;
    }
  };
  std::shared_ptr<std::string> text_;
};

} // namespace aimlvideo
