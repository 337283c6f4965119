// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <aimlvideo/error.h>
#include <aimlvideo/export.h>

namespace aimlvideo {

/// The bytes of a clip in a file, readable while they arrive.
///
/// The file has no name: it vanishes with the last owner, however the process ends. Any thread may read what is present
/// and wait for what is not. A byte that is present never changes.
class AIMLVIDEO_API Spool {
public:
  Spool(const Spool &) = delete;
  Spool &operator=(const Spool &) = delete;
  virtual ~Spool();

  /// Of the file, to read from and to leave open; stays the same for the life of the spool.
  virtual int descriptor() const = 0;
  /// Of the whole clip, once it is known.
  virtual std::optional<uint64_t> size() const = 0;
  virtual bool complete() const = 0;
  /// The end of the bytes that are present from an offset on; the offset itself: none are.
  virtual uint64_t presentUntil(uint64_t offset) const = 0;

  /// The mark that says who made the clip, see <aimlvideo/mark.h>, also where it does not follow the clip's last byte,
  /// since it can't or is not wanted; empty: there is none.
  virtual std::string mark() const;

  /// How much of what a reader asks for must be there.
  enum class Amount {
    Whole, ///< all of it, as far as the clip reaches
    Any,   ///< some of it: the reader continues from there
  };
  struct Demand {
    uint64_t offset = 0;
    uint64_t length = 0;
    Amount amount = Amount::Whole;
  };
  struct Arrival {
    enum class Kind { There, End, Stopped };
    Kind kind = Kind::Stopped;
    uint64_t size = 0; ///< bytes that can be read at the offset
  };
  /// Blocks until the requested bytes are there, the clip ends before them, or `stop` returns true. `stop` is called
  /// whenever something changed and after wake(), with the spool's lock held.
  virtual Arrival await(const Demand &demand, const std::function<bool()> &stop) = 0;
  /// Makes all readers call their `stop` again.
  virtual void wake() = 0;

  /// Reads up to `size` bytes at `offset`; fewer only at the end of the file. They must be present.
  virtual Result<size_t> read(uint64_t offset, void *buffer, size_t size) const = 0;

protected:
  Spool() = default;
};

} // namespace aimlvideo
