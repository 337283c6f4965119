// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace aimlvideo::test {

/// A ledger and a clip store of the test's own: empty at first, and again when this goes. GLib looks at the environment
/// once, and does so before main() has got far, so all of a process have the same folders: one at a time.
class PrivateHome {
public:
  PrivateHome() { clear(); }
  PrivateHome(const PrivateHome &) = delete;
  PrivateHome &operator=(const PrivateHome &) = delete;
  ~PrivateHome() { clear(); }

  std::string state() const; ///< XDG_STATE_HOME
  std::string cache() const; ///< XDG_CACHE_HOME
  /// How many clips are in the store.
  size_t clips() const;

private:
  static void clear();
};

} // namespace aimlvideo::test
