// SPDX-License-Identifier: LGPL-2.1-or-later
#include "provenance/found_marks.h"

#include <algorithm>
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
constexpr uint64_t largestPart = 512 << 10;
constexpr size_t mostPackets = 16;
/// Boxes or segments of a file: a film of hours in fragments has ten thousand.
constexpr unsigned mostParts = 200'000;

/// The key of the label of GB 45438-2025.
constexpr auto aigcName = "AIGC"sv;

/// Some bytes of a file, and what they hold.
struct Part {
  const Spool *file = nullptr;
  uint64_t begin = 0;
  uint64_t end = 0;
  unsigned *left = nullptr; ///< of mostParts, for all of the file

  uint64_t size() const { return end - begin; }
  Part from(uint64_t offset) const { return {file, std::min(begin + offset, end), end, left}; }
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
  for (; at < part.end && *part.left > 0; --*part.left) {
    const auto box = isoBoxAt(*part.file, at);
    if (!box)
      return;
    const uint64_t size = box->size == 0 ? part.end - at : box->size;
    if (size > part.end - at || !look(*box, {part.file, at + box->head, at + size, part.left}))
      return;
    at += size;
  }
}

/// The first box of a name in a part; empty: none.
Part boxIn(const Part &part, std::string_view name) {
  Part found{.file = part.file, .left = part.left};
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

/// Of too many the last stay, which are what a program has added.
void add(std::string packet, FoundMarks &found) {
  if (packet.empty())
    return;
  if (found.packets.size() == mostPackets)
    found.packets.erase(found.packets.begin());
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
  constexpr unsigned char fill = 0xFF;
  constexpr unsigned char app1 = 0xE1;
  constexpr unsigned char app11 = 0xEB; // a box of JUMBF, which C2PA is in
  constexpr unsigned char startOfScan = 0xDA;
  FoundMarks found;
  for (Part rest = file.from(2); *file.left > 0; --*file.left) {
    const std::string bytes = rest.bytes(4); // the marker and the length behind it
    const auto *marker = reinterpret_cast<const unsigned char *>(bytes.data());
    if (bytes.size() < 4 || marker[0] != fill || marker[1] == startOfScan)
      break;
    if (marker[1] == fill) { // before a marker may be any number
      ++rest.begin;
      continue;
    }
    const uint64_t end = std::min(rest.begin + 2 + bigEndian(marker + 2, 2), rest.end);
    const Part contents{file.file, std::min(rest.begin + 4, end), end, file.left};
    const std::string segment = marker[1] == app1 || marker[1] == app11 ? contents.bytes() : "";
    if (marker[1] == app1 && segment.starts_with(xmpSegmentName))
      add(segment.substr(xmpSegmentName.size()), found);
    else if (segment.starts_with("JP") && segment.find("jumdc2pa") != std::string::npos)
      found.isSigned = true;
    rest.begin = std::max(end, rest.begin + 2);
  }
  return found;
}

/// How the chunks of a format lie behind each other: a head of 8 bytes, contents, and something behind them.
struct ChunkForm {
  uint64_t start;                              ///< of the first one
  uint64_t (*size)(const unsigned char *head); ///< of the contents
  uint64_t (*behind)(uint64_t size);           ///< bytes from their end to the next chunk
};

void forEachChunk(const Part &file, const ChunkForm &form,
                  const std::function<void(const std::string &head, const Part &contents)> &look) {
  constexpr uint64_t headSize = 8;
  for (Part rest = file.from(form.start); *file.left > 0; --*file.left) {
    const std::string head = rest.bytes(headSize);
    if (head.size() < headSize)
      return;
    const uint64_t size = form.size(reinterpret_cast<const unsigned char *>(head.data()));
    look(head, {file.file, rest.begin + headSize, std::min(rest.begin + headSize + size, rest.end), file.left});
    rest = rest.from(headSize + size + form.behind(size));
  }
}

/// PNG (ISO/IEC 15948): length, type, contents, a checksum.
FoundMarks marksInPng(const Part &file) {
  constexpr auto xmpName = "XML:com.adobe.xmp\0\0\0\0\0"sv; // not compressed, in no language
  constexpr ChunkForm form{8, [](const unsigned char *head) { return bigEndian(head, 4); },
                           [](uint64_t) {
                             return uint64_t{4};
                           }};
  FoundMarks found;
  forEachChunk(file, form, [&](const std::string &head, const Part &contents) {
    if (const std::string text = head.ends_with("iTXt") ? contents.all() : ""; text.starts_with(xmpName))
      add(text.substr(xmpName.size()), found);
    found.isSigned = found.isSigned || head.ends_with("caBX");
  });
  return found;
}

/// WebP (RFC 9649): type, length, contents, to an even length.
FoundMarks marksInWebP(const Part &file) {
  constexpr ChunkForm form{12,
                           [](const unsigned char *head) {
                             return uint64_t{head[4]} | uint64_t{head[5]} << 8U | uint64_t{head[6]} << 16U |
                                    uint64_t{head[7]} << 24U;
                           },
                           [](uint64_t size) {
                             return size % 2;
                           }};
  FoundMarks found;
  forEachChunk(file, form, [&](const std::string &head, const Part &contents) {
    if (head.starts_with("XMP "))
      add(contents.all(), found);
    found.isSigned = found.isSigned || head.starts_with("C2PA");
  });
  return found;
}

/// A sidecar, also behind a byte order mark or an XML declaration.
bool isText(std::string_view start) {
  if (start.starts_with("\xEF\xBB\xBF"))
    start.remove_prefix(3);
  start = start.substr(std::min(start.find_first_not_of(" \t\r\n"), start.size()));
  return start.starts_with("<?x") || start.starts_with("<x") || start.starts_with("<rdf:RDF");
}

} // namespace

FoundMarks marksIn(const Spool &file) {
  unsigned left = mostParts;
  const Part all{&file, 0, file.size().value_or(0), &left};
  constexpr size_t enough = 64;
  const std::string start = all.bytes(enough);
  FoundMarks found;
  if (start.starts_with("\xFF\xD8\xFF"))
    found = marksInJpeg(all);
  else if (start.starts_with("\x89PNG\r\n"))
    found = marksInPng(all);
  else if (start.starts_with("RIFF") && start.find("WEBP") == 8)
    found = marksInWebP(all);
  else if (isText(start))
    add(all.all(), found);
  else
    found = marksInMovie(all);
  for (const std::string &packet : found.packets)
    if (found.aigc.empty())
      found.aigc = factsIn(packet).value_or(MarkFacts()).aigc;
  return found;
}

} // namespace aimlvideo
