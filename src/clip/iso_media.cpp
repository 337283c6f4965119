// SPDX-License-Identifier: LGPL-2.1-or-later
#include "clip/iso_media.h"

#include <algorithm>
#include <array>
#include <optional>

#include <glib.h>

namespace aimlvideo {

namespace {

struct Box {
  std::array<char, 4> type{};
  uint64_t size = 0; ///< with its header; 0: to the end of the file

  bool is(const char *name) const { return std::string_view(type.data(), type.size()) == name; }
};

uint64_t bigEndian(const unsigned char *bytes, size_t count) {
  uint64_t number = 0;
  for (size_t i = 0; i < count; ++i)
    number = number << 8 | bytes[i];
  return number;
}

/// The header of the box at `offset`; nothing where it is not there yet or is none.
std::optional<Box> boxAt(const Spool &spool, uint64_t offset) {
  std::array<unsigned char, 16> head{};
  const uint64_t there = spool.present().presentUntil(offset) - offset;
  const auto count = static_cast<size_t>(std::min<uint64_t>(there, head.size()));
  if (count < 8 || spool.read(offset, head.data(), count).value_or(0) != count)
    return {};
  Box box;
  std::copy_n(head.begin() + 4, 4, box.type.begin());
  box.size = bigEndian(head.data(), 4);
  if (box.size == 1)
    box.size = count == head.size() ? bigEndian(head.data() + 8, 8) : 1;
  if (box.size != 0 && box.size < 8)
    return {};
  return box;
}

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
  for (uint64_t offset = 0;;) {
    const auto box = boxAt(spool, offset);
    if (!box || box->is("mdat") || box->size == 0)
      return false;
    if (box->is("moov"))
      return true;
    if (box->size > UINT64_MAX - offset)
      return false; // it would lead back to the boxes before it
    offset += box->size;
  }
}

bool endsWithBox(const Spool &spool, uint64_t size) {
  for (uint64_t offset = 0; offset != size;) {
    const auto box = boxAt(spool, offset);
    if (!box || box->size > size - offset)
      return false;
    if (box->size == 0)
      return true;
    offset += box->size;
  }
  return true;
}

} // namespace aimlvideo
