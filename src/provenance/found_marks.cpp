// SPDX-License-Identifier: LGPL-2.1-or-later
#include "provenance/found_marks.h"

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>
#include <utility>

#include <aimlvideo/mark.h>

#include "clip/iso_box.h"
#include "provenance/xmp_box.h"

namespace aimlvideo {

using namespace std::string_view_literals;

namespace {

/// Of a packet or a label: many times what they have.
constexpr uint64_t largestPart = 4 << 20;
constexpr size_t mostPackets = 16;
/// Of boxes or segments: a film of hours in fragments has ten thousand.
constexpr unsigned mostParts = 1'000'000;

/// The key of the label of GB 45438-2025.
constexpr auto aigcName = "AIGC"sv;

/// Some bytes of a file, and what they hold.
struct Part {
  const Spool *file = nullptr;
  uint64_t begin = 0;
  uint64_t end = 0;

  uint64_t size() const { return end - begin; }
  Part from(uint64_t offset) const { return {file, std::min(begin + offset, end), end}; }
  std::string bytes(uint64_t most = largestPart) const {
    std::string bytes(std::min(size(), most), '\0');
    bytes.resize(file->read(begin, bytes.data(), bytes.size()).value_or(0));
    return bytes;
  }
  std::string all() const { return size() > largestPart ? "" : bytes(); }
};

/// Calls for each box in a part, in order; `look` returns whether to go on.
void forEachBox(const Part &part, const std::function<bool(const IsoBox &box, const Part &contents)> &look) {
  uint64_t at = part.begin;
  for (unsigned count = 0; at < part.end && count < mostParts; ++count) {
    const auto box = isoBoxAt(*part.file, at);
    if (!box)
      return;
    const uint64_t size = box->size == 0 ? part.end - at : box->size;
    if (size > part.end - at || !look(*box, {part.file, at + box->head, at + size}))
      return;
    at += size;
  }
}

/// The first box of a name in a part; empty: none.
Part boxIn(const Part &part, std::string_view name) {
  Part found{.file = part.file};
  forEachBox(part, [&](const IsoBox &box, const Part &contents) {
    if (box.is(name))
      found = contents;
    return !box.is(name);
  });
  return found;
}

/// The value of a key in a box `meta` of keys and values (QuickTime File Format, metadata).
std::string valueIn(const Part &meta, std::string_view key) {
  constexpr uint64_t fullBox = 4; // version and flags, which QuickTime leaves out
  const Part inside = boxIn(meta, "hdlr").size() > 0 ? meta : meta.from(fullBox);
  constexpr uint64_t countSize = 8; // and those of the box `keys`
  uint64_t number = 0;
  uint64_t wanted = 0;
  forEachBox(boxIn(inside, "keys").from(countSize), [&](const IsoBox &box, const Part &name) {
    ++number;
    if (box.is("mdta") && name.bytes(key.size() + 1) == key)
      wanted = number;
    return wanted == 0;
  });
  std::string value;
  if (wanted != 0)
    forEachBox(boxIn(inside, "ilst"), [&](const IsoBox &box, const Part &item) {
      const auto *type = reinterpret_cast<const unsigned char *>(box.type.data());
      if (bigEndian(type, box.type.size()) != wanted)
        return true;
      constexpr uint64_t kindAndLocale = 8;
      value = boxIn(item, "data").from(kindAndLocale).all();
      return false;
    });
  return value;
}

void add(std::string packet, FoundMarks &found) {
  if (!packet.empty() && found.packets.size() < mostPackets)
    found.packets.push_back(std::move(packet));
}

void lookInMovie(const Part &movie, FoundMarks &found) {
  const Part user = boxIn(movie, "udta");
  add(boxIn(user, "XMP_").all(), found);
  for (const Part &part : {movie, user})
    if (found.aigc.empty())
      found.aigc = valueIn(boxIn(part, "meta"), aigcName);
}

FoundMarks marksInMovie(const Part &file) {
  FoundMarks found;
  forEachBox(file, [&](const IsoBox &box, const Part &contents) {
    const std::string user = box.is("uuid") ? contents.bytes(xmpUserType.size()) : "";
    if (user == xmpUserType)
      add(contents.from(user.size()).all(), found);
    else if (user == c2paUserType)
      found.isSigned = true;
    else if (box.is("moov"))
      lookInMovie(contents, found);
    return true;
  });
  return found;
}

FoundMarks marksInJpeg(const Part &file) {
  constexpr auto xmpName = "http://ns.adobe.com/xap/1.0/\0"sv;
  constexpr auto jumbf = "\xFF\xEB"sv;
  constexpr size_t head = 4; // a marker and the length behind it
  FoundMarks found;
  Part rest = file.from(2);
  for (unsigned count = 0; count < mostParts; ++count) {
    const std::string bytes = rest.bytes(head);
    const auto *marker = reinterpret_cast<const unsigned char *>(bytes.data());
    constexpr unsigned char startOfScan = 0xDA;
    if (bytes.size() < head || marker[0] != 0xFF || marker[1] == startOfScan)
      break;
    const Part contents{rest.file, rest.begin + head, std::min(rest.begin + 2 + bigEndian(marker + 2, 2), rest.end)};
    if (contents.begin > contents.end)
      break;
    const std::string segment = contents.bytes();
    if (bytes.starts_with("\xFF\xE1") && segment.starts_with(xmpName))
      add(segment.substr(xmpName.size()), found);
    else if (bytes.starts_with(jumbf) && segment.find("c2pa") != std::string::npos)
      found.isSigned = true;
    rest.begin = contents.end;
  }
  return found;
}

} // namespace

FoundMarks marksIn(const Spool &file) {
  const Part all{&file, 0, file.size().value_or(0)};
  constexpr size_t enough = 16;
  const std::string start = all.bytes(enough);
  FoundMarks found;
  if (start.starts_with("\xFF\xD8\xFF"))
    found = marksInJpeg(all);
  else if (start.starts_with("<?xpacket") || start.starts_with("<x:xmpmeta"))
    add(all.all(), found);
  else
    found = marksInMovie(all);
  for (const std::string &packet : found.packets)
    if (found.aigc.empty())
      found.aigc = factsIn(packet).value_or(MarkFacts()).aigc;
  return found;
}

} // namespace aimlvideo
