// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace aimlvideo::test {

/// A ledger and a clip store of the test's own, gone with it. GLib looks at the environment once, so the first one of a
/// process counts: make it before anything asks for these folders.
class PrivateHome {
public:
  PrivateHome();
  PrivateHome(const PrivateHome &) = delete;
  PrivateHome &operator=(const PrivateHome &) = delete;
  ~PrivateHome();

  std::string state() const { return path_ + "/state"; } ///< XDG_STATE_HOME
  std::string cache() const { return path_ + "/cache"; } ///< XDG_CACHE_HOME
  /// How many clips are in the store.
  size_t clips() const;

private:
  std::string path_;
};

} // namespace aimlvideo::test
