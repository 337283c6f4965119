// SPDX-License-Identifier: LGPL-2.1-or-later
#include "clip/iso_media.h"

#include <algorithm>
#include <array>
#include <optional>

#include <glib.h>

#include "clip/iso_box.h"

namespace aimlvideo {

namespace {

/// The sum, or the largest number where that is larger.
uint64_t sum(uint64_t a, uint64_t b) {
  return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

uint64_t product(uint64_t a, uint64_t b) {
  return a != 0 && b > UINT64_MAX / a ? UINT64_MAX : a * b;
}

/// Reads a file in blocks: most of its boxes are small and follow one another. For a moment in which nothing that is
/// there changes.
class Blocks {
public:
  explicit Blocks(const Spool &spool) : spool_(spool) {}

  const Spool &spool() const { return spool_; }

  /// So many bytes of those that are there.
  size_t read(uint64_t offset, unsigned char *bytes, size_t size) {
    const uint64_t end = begin_ + filled_;
    if (offset < begin_ || offset > end || size > end - offset) {
      const uint64_t there = spool_.presentUntil(offset) - offset;
      begin_ = offset;
      filled_ = spool_.read(offset, block_.data(), std::min<uint64_t>(there, block_.size())).value_or(0);
    }
    const size_t count = std::min<uint64_t>(size, begin_ + filled_ - offset);
    std::copy_n(block_.begin() + static_cast<ptrdiff_t>(offset - begin_), count, bytes);
    return count;
  }

private:
  const Spool &spool_;
  uint64_t begin_ = 0;
  size_t filled_ = 0;
  std::array<unsigned char, 4096> block_{};
};

/// The header of the box at `offset`; empty if it is not there yet or is none.
std::optional<IsoBox> boxAt(Blocks &blocks, uint64_t offset) {
  std::array<unsigned char, IsoBox::largestHead> head{};
  return isoBox(head.data(), blocks.read(offset, head.data(), head.size()));
}

/// A stretch of the file.
struct Span {
  uint64_t begin = 0;
  uint64_t end = 0;

  uint64_t size() const { return end - begin; }
};

/// The numbers of a table one after the other, read in blocks: a hostile table takes no more memory than a good one.
class Numbers {
public:
  Numbers(const Spool &spool, Span span) : spool_(spool), span_(span) {}

  /// Nothing behind the last one.
  std::optional<uint64_t> next(size_t bytes) {
    if (filled_ - at_ < bytes && !fill())
      return {};
    if (filled_ - at_ < bytes)
      return {};
    at_ += bytes;
    return bigEndian(block_.data() + at_ - bytes, bytes);
  }

private:
  bool fill() {
    std::copy(block_.begin() + static_cast<ptrdiff_t>(at_), block_.begin() + static_cast<ptrdiff_t>(filled_),
              block_.begin());
    filled_ -= at_;
    at_ = 0;
    const auto wanted = static_cast<size_t>(std::min<uint64_t>(block_.size() - filled_, span_.size()));
    const auto count = wanted > 0 ? spool_.read(span_.begin, block_.data() + filled_, wanted).value_or(0) : 0;
    span_.begin += count;
    filled_ += count;
    return count > 0;
  }

  const Spool &spool_;
  Span span_;
  std::array<unsigned char, 4096> block_{};
  size_t at_ = 0;
  size_t filled_ = 0;
};

/// The tables by which a track's samples lie in the file: contents of the boxes `stco` or `co64`, `stsc` and `stsz`.
struct SampleTables {
  Span chunks;
  size_t chunkBytes = 4; ///< of an offset
  Span runs;
  Span sizes;
};

/// Where the samples of a track end; 0 where its tables don't tell.
uint64_t endOfSamples(const Spool &spool, const SampleTables &tables) {
  Numbers chunks(spool, tables.chunks);
  Numbers runs(spool, tables.runs);
  Numbers sizes(spool, tables.sizes);
  chunks.next(4); // version and flags
  runs.next(4);
  sizes.next(4);
  const uint64_t chunkCount = chunks.next(4).value_or(0);
  uint64_t runsLeft = runs.next(4).value_or(0);
  const uint64_t sampleSize = sizes.next(4).value_or(0); // of all; 0: each has its own
  uint64_t samplesLeft = sizes.next(4).value_or(0);

  std::optional<uint64_t> nextRun = runsLeft > 0 ? runs.next(4) : std::nullopt;
  uint64_t samplesPerChunk = 0;
  uint64_t end = 0;
  for (uint64_t chunk = 1; chunk <= chunkCount; ++chunk) {
    const auto offset = chunks.next(tables.chunkBytes);
    if (!offset)
      break;
    while (nextRun && *nextRun <= chunk) {
      samplesPerChunk = runs.next(4).value_or(0);
      runs.next(4); // the description
      nextRun = --runsLeft > 0 ? runs.next(4) : std::nullopt;
    }
    const uint64_t samples = std::min(samplesPerChunk, samplesLeft);
    samplesLeft -= samples;
    uint64_t length = product(samples, sampleSize);
    for (uint64_t sample = 0; sampleSize == 0 && sample < samples; ++sample) {
      const auto size = sizes.next(4);
      if (!size) {
        samplesLeft = 0;
        break;
      }
      length = sum(length, *size);
    }
    end = std::max(end, sum(*offset, length));
  }
  return end;
}

/// Where the samples of all tracks in a `moov`, or in a box on the way to their tables, end. What can't be read tells
/// nothing.
uint64_t endOfSamples(Blocks &blocks, Span contents, size_t depth = 0) {
  static constexpr std::array way{"trak", "mdia", "minf", "stbl"};
  SampleTables tables;
  uint64_t end = 0;
  for (uint64_t offset = contents.begin; offset < contents.end;) {
    const auto box = boxAt(blocks, offset);
    if (!box || box->size > contents.end - offset)
      break;
    const Span inside{offset + box->head, box->size == 0 ? contents.end : offset + box->size};
    if (inside.begin > inside.end)
      break;
    if (depth < way.size() && box->is(way[depth])) {
      end = std::max(end, endOfSamples(blocks, inside, depth + 1));
    } else if (depth == way.size()) {
      if (box->is("stco") || box->is("co64")) {
        tables.chunks = inside;
        tables.chunkBytes = box->is("stco") ? 4 : 8;
      } else if (box->is("stsc")) {
        tables.runs = inside;
      } else if (box->is("stsz")) {
        tables.sizes = inside;
      }
    }
    offset = inside.end;
  }
  return depth == way.size() ? endOfSamples(blocks.spool(), tables) : end;
}

/// The boxes of a file from the first to the last.
class Inspection {
public:
  Inspection(const Spool &spool, uint64_t size) : spool_(spool), blocks_(spool), size_(size) {}

  WholenessFinding finding() {
    for (uint64_t offset = 0; offset < size_;) {
      const auto next = box(offset);
      if (!next)
        return finding_;
      offset = *next;
    }
    if (!movie_ && !fragment_ && !image_)
      return cut("it has no moov box");
    if (movie_ && !media_)
      return cut("it has no media");
    if (open_)
      return cut("its last fragment has no media");
    if (!movie_ || !tablesThere_)
      return {};
    return {Wholeness::Whole, {}, fragment_ && !indexed_};
  }

private:
  WholenessFinding cut(std::string why) { return {Wholeness::Cut, std::move(why)}; }
  std::nullopt_t stopAt(WholenessFinding finding) {
    finding_ = std::move(finding);
    return std::nullopt;
  }

  /// Boxes of other names are no proof: there may be anything behind the last box.
  static bool isKnown(const IsoBox &box) {
    static constexpr std::array names{"ftyp", "moov", "mdat", "free", "skip", "wide", "uuid", "udta", "meta",
                                      "moof", "mfra", "sidx", "ssix", "styp", "prft", "emsg", "pdin", "pnot"};
    return std::any_of(names.begin(), names.end(), [&](const char *name) { return box.is(name); });
  }

  /// Where the next box begins.
  std::optional<uint64_t> box(uint64_t offset) {
    const uint64_t left = size_ - offset;
    const auto box = boxAt(blocks_, offset);
    if (offset > 0 && left < 8 && spool_.presentUntil(offset) >= size_ && !zeroes(offset, left))
      return stopAt(cut("its last box begins at byte " + std::to_string(offset) + " and is not all there"));
    if (!box || left < 8 || !isKnown(*box))
      return stopAt({});
    if (left < box->head)
      return stopAt(cut("its box " + std::string(box->name()) + " is not all there"));
    if (box->size > left)
      return stopAt(
          cut(std::to_string(box->size - left) + " bytes of its box " + std::string(box->name()) + " are missing"));
    const uint64_t end = box->size == 0 ? size_ : offset + box->size;
    image_ = image_ || box->is("meta");
    media_ = media_ || box->is("mdat");
    fragment_ = fragment_ || box->is("moof");
    indexed_ = box->is("mfra");
    open_ = box->is("moof") || (open_ && !box->is("mdat"));
    if (const uint64_t samples = box->is("moov") ? samplesOf({offset + box->head, end}) : 0; samples > size_)
      return stopAt(cut(std::to_string(samples - size_) + " bytes of its samples are missing"));
    return end;
  }

  /// Where they end, as far as is known.
  uint64_t samplesOf(Span movie) {
    movie_ = true;
    const bool there = spool_.presentUntil(movie.begin) >= movie.end;
    tablesThere_ = tablesThere_ && there;
    return there ? endOfSamples(blocks_, movie) : 0;
  }

  bool zeroes(uint64_t offset, uint64_t count) const {
    std::array<char, 8> bytes{};
    const auto read = spool_.read(offset, bytes.data(), static_cast<size_t>(count));
    return read && std::all_of(bytes.begin(), bytes.end(), [](char byte) { return byte == 0; });
  }

  const Spool &spool_;
  Blocks blocks_;
  const uint64_t size_;
  WholenessFinding finding_;
  bool movie_ = false;
  bool tablesThere_ = true; ///< all of the movie is
  bool image_ = false;      ///< its media are listed elsewhere
  bool media_ = false;
  bool fragment_ = false;
  bool indexed_ = false; ///< the last box lists the fragments
  bool open_ = false;    ///< a fragment whose media has not come
};

} // namespace

bool looksLikeText(std::string_view start) {
  const std::string_view head = start.substr(0, bytesThatTell);
  return !head.empty() && std::none_of(head.begin(), head.end(), [](unsigned char c) {
    return c == 0x7f || (c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f');
  });
}

bool looksLikeVideo(std::string_view start) {
  using namespace std::string_view_literals;
  static constexpr std::array marks{
      "\x1a\x45\xdf\xa3"sv, // Matroska, WebM
      "RIFF"sv,             // AVI, animated WebP
      "OggS"sv,
      "FLV\1"sv,
      "GIF8"sv,
      "\0\0\1\xba"sv, // MPEG program stream
      "G\x40\0"sv,    // MPEG transport stream, its first packet
  };
  if (looksLikeText(start))
    return false;
  if (std::any_of(marks.begin(), marks.end(), [&](std::string_view mark) { return start.starts_with(mark); }))
    return true;
  if (start.size() < 8)
    return false;
  // text with a NUL somewhere has printable characters where a box has its size
  constexpr uint64_t likely = 512ULL << 20;
  const uint64_t size = bigEndian(reinterpret_cast<const unsigned char *>(start.data()), 4);
  const std::string_view type = start.substr(4, 4);
  return (size < 2 || size >= 8) && (size < likely || type == "mdat") &&
         std::all_of(type.begin(), type.end(), [](unsigned char c) { return g_ascii_isalnum(c); });
}

bool beginsWithMovie(const Spool &spool) {
  Blocks blocks(spool);
  for (uint64_t offset = 0;;) {
    const auto box = boxAt(blocks, offset);
    if (!box || box->is("mdat") || box->size == 0)
      return false;
    if (box->is("moov"))
      return true;
    if (box->size > UINT64_MAX - offset)
      return false; // it would lead back to the boxes before it
    offset += box->size;
  }
}

WholenessFinding wholenessOf(const Spool &spool, uint64_t size) {
  return Inspection(spool, size).finding();
}

} // namespace aimlvideo
