// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace aimlvideo {

/// Overwrites what a text holds.
inline void wipe(std::string &text) {
  explicit_bzero(text.data(), text.size());
  text.clear();
}

/// A key. Its memory is wiped when the last copy goes; it is never printed and has no conversion to a string.
class Secret {
public:
  Secret() = default;
  explicit Secret(std::string_view text) : text_(new std::string(text), Wipe{}) {}

  bool empty() const { return !text_ || text_->empty(); }
  /// To be put into the Authorization header and nowhere else.
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
