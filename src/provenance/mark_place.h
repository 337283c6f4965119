// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>

#include <aimlvideo/settings.h>
#include <aimlvideo/spool.h>

namespace aimlvideo {

/// Finds out, box by box while a clip arrives, whether a mark can follow its last one.
class MarkPlace {
public:
  explicit MarkPlace(Mark wish) : wish_(wish) {}

  enum class Verdict {
    Unclear, ///< the bytes at missing() are not there yet
    Free,
    Taken ///< why() says by what
  };
  /// Goes on for as far as the clip, which ends at `size`, is there. Not for a size that changes.
  Verdict look(const Spool &clip, uint64_t size);
  uint64_t missing() const { return missing_; }
  /// So many of them, as far as the clip reaches.
  static constexpr uint64_t headBytes = 32;
  /// From one fragment to the next, of which there may be thousands: only who has all of them should go on.
  bool amongFragments() const { return inFragments_ && missing_ == at_; }
  const std::string &why() const { return why_; }

private:
  Verdict taken(const char *why);
  bool isThere(const Spool &clip, uint64_t offset, uint64_t size);

  Mark wish_;
  uint64_t at_ = 0; ///< the next box
  uint64_t missing_ = 0;
  bool inFragments_ = false;
  bool endsInIndex_ = false;
  std::string why_;
  Verdict verdict_ = Verdict::Unclear;
};

} // namespace aimlvideo
