// SPDX-License-Identifier: LGPL-2.1-or-later
#include <aimlvideo/mark.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <type_traits>
#include <utility>

#include <exempi/xmp.h>
#include <exempi/xmpconsts.h>
#include <glib.h>

#include <aimlvideo/printable.h>

#include "base/glib_ptr.h"
#include "provenance/xmp_box.h"

namespace aimlvideo {

namespace {

// https://www.iptc.org/std/photometadata/specification/ and https://cv.iptc.org/newscodes/digitalsourcetype/
constexpr auto iptcExtension = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";
// https://www.tc260.org.cn: TC260-PG-20258A
constexpr auto aigcSchema = "http://www.tc260.org.cn/ns/AIGC/1.0/";
struct Free {
  void operator()(XmpPtr xmp) const { xmp_free(xmp); }
  void operator()(XmpStringPtr text) const { xmp_string_free(text); }
};
using Xmp = std::unique_ptr<std::remove_pointer_t<XmpPtr>, Free>;
using XmpText = std::unique_ptr<std::remove_pointer_t<XmpStringPtr>, Free>;

void prepareLibrary() {
  static std::once_flag once;
  std::call_once(once, [] {
    xmp_init();
    xmp_register_namespace(iptcExtension, "Iptc4xmpExt", nullptr);
    xmp_register_namespace(aigcSchema, "TC260", nullptr);
  });
}

/// Valid UTF-8 without what XML 1.0 has no way to say.
std::string writable(const std::string &text) {
  const GCharPtr valid(g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())));
  std::string result;
  const char *next = nullptr;
  for (const char *at = valid.get(); *at; at = next) {
    next = g_utf8_next_char(at);
    const gunichar character = g_utf8_get_char(at);
    const bool isControl = character < 0x20 && !g_ascii_isspace(static_cast<gchar>(character));
    const bool isNone = character == 0xFFFE || character == 0xFFFF;
    result += isControl || isNone || character == '\f' || character == '\v' ? "\uFFFD" : std::string(at, next);
  }
  return result;
}

/// A fact and the XMP property that holds it.
struct Field {
  std::string MarkFacts::*fact;
  const char *schema;
  const char *name;
};
constexpr Field fields[] = {
    {&MarkFacts::sourceType, iptcExtension, "DigitalSourceType"},
    {&MarkFacts::system, iptcExtension, "AISystemUsed"},
    {&MarkFacts::prompt, iptcExtension, "AIPromptInformation"},
    {&MarkFacts::tool, NS_XAP, "CreatorTool"},
    {&MarkFacts::created, NS_XAP, "CreateDate"},
    {&MarkFacts::generationId, NS_DC, "identifier"},
    {&MarkFacts::aigc, aigcSchema, "AIGC"},
};

std::string textOf(XmpStringPtr text) {
  return {xmp_string_cstr(text), xmp_string_len(text)};
}

/// Of a packet that somebody else has written: many times what any has. The library takes a stack frame for each level,
/// and looks through all properties for each one.
constexpr size_t largestPacket = 256 << 10;
constexpr unsigned deepest = 64;
constexpr unsigned mostNodes = 4000;

/// Counts what is in a packet while it is read.
struct Size {
  unsigned depth = 0;
  unsigned nodes = 0;

  static void begin(GMarkupParseContext *, const char *, const char **names, const char **, gpointer size,
                    GError **error) {
    auto &self = *static_cast<Size *>(size);
    self.nodes += 1 + g_strv_length(const_cast<char **>(names));
    if (++self.depth > deepest || self.nodes > mostNodes)
      g_set_error_literal(error, G_MARKUP_ERROR, G_MARKUP_ERROR_INVALID_CONTENT, "too much");
  }
  static void end(GMarkupParseContext *, const char *, gpointer size, GError **) { --static_cast<Size *>(size)->depth; }
  static void pass(GMarkupParseContext *, const char *text, gsize, gpointer, GError **error) {
    if (g_str_has_prefix(text, "<!DOCTYPE"))
      g_set_error_literal(error, G_MARKUP_ERROR, G_MARKUP_ERROR_INVALID_CONTENT, "a document type");
  }
};

/// A packet as the library can be given it, which would tell of mistakes on the application's standard error. Empty: it
/// is no XML, or larger than any packet.
std::string readable(const std::string &packet) {
  const std::string_view blank(" \t\r\n\0", 5);
  std::string_view text(packet);
  if (text.starts_with("\xEF\xBB\xBF"))
    text.remove_prefix(3);
  const size_t begin = std::min(text.find_first_not_of(blank), text.size());
  text = text.substr(begin, text.find_last_not_of(blank) + 1 - begin);
  if (text.empty() || text.size() > largestPacket)
    return {};
  const GCharPtr valid(g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())));
  constexpr GMarkupParser parser{Size::begin, Size::end, nullptr, Size::pass, nullptr};
  Size size;
  const std::unique_ptr<GMarkupParseContext, ReleasedBy<g_markup_parse_context_free>> context(
      g_markup_parse_context_new(&parser, GMarkupParseFlags{}, &size, nullptr));
  const bool isXml = g_markup_parse_context_parse(context.get(), valid.get(), -1, nullptr) &&
                     g_markup_parse_context_end_parse(context.get(), nullptr);
  return isXml ? valid.get() : "";
}

/// Null: it is no XMP.
Xmp parsed(const std::string &mark) {
  prepareLibrary();
  const std::string text = readable(mark);
  Xmp xmp(text.empty() ? nullptr : xmp_new_empty());
  if (xmp && !xmp_parse(xmp.get(), text.data(), text.size()))
    xmp.reset();
  return xmp;
}

/// A property's value, or its first where somebody has made a list of it, without the blanks around it.
std::string valueIn(const Xmp &xmp, const Field &field) {
  const XmpText text(xmp_string_new());
  std::string value;
  if (text && xmp_get_property(xmp.get(), field.schema, field.name, text.get(), nullptr))
    value = textOf(text.get());
  if (value.empty() && text && xmp_get_array_item(xmp.get(), field.schema, field.name, 1, text.get(), nullptr))
    value = textOf(text.get());
  return g_strstrip(GCharPtr(g_strdup(value.c_str())).get());
}

// what a line has: its beginning, and the names of what follows
constexpr auto lineStart = "AI generated";
struct Word {
  std::string MarkFacts::*fact;
  std::string_view name;
};
constexpr Word words[] = {
    {&MarkFacts::sourceType, "; digitalSourceType="},
    {&MarkFacts::system, "; system="},
    {&MarkFacts::generationId, "; generation="},
};

} // namespace

std::string markFrom(const MarkFacts &facts) {
  prepareLibrary();
  const Xmp xmp(xmp_new_empty());
  const XmpText text(xmp_string_new());
  if (!xmp || !text)
    return {};
  for (const Field &field : fields)
    if (const std::string &value = facts.*field.fact; !value.empty())
      xmp_set_property(xmp.get(), field.schema, field.name, writable(value).c_str(), 0);
  if (!facts.description.empty())
    xmp_set_localized_text(xmp.get(), NS_DC, "description", "", "x-default", writable(facts.description).c_str(), 0);
  constexpr uint32_t form = XMP_SERIAL_READONLYPACKET | XMP_SERIAL_USECOMPACTFORMAT;
  if (!xmp_serialize(xmp.get(), text.get(), form, 0))
    return {};
  return textOf(text.get());
}

std::optional<MarkFacts> factsIn(const std::string &mark) {
  const Xmp xmp = parsed(mark);
  const XmpText text(xmp_string_new());
  if (!xmp || !text)
    return {};
  MarkFacts facts;
  for (const Field &field : fields)
    facts.*field.fact = valueIn(xmp, field);
  if (xmp_get_localized_text(xmp.get(), NS_DC, "description", nullptr, "x-default", nullptr, text.get(), nullptr))
    facts.description = textOf(text.get());
  return facts;
}

bool isGenerated(const std::string &sourceType) {
  // `compositeSynthetic` is one of elements some of which a model has made
  constexpr std::array kinds{"trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "compositeSynthetic"};
  return std::ranges::find(kinds, sourceTypeName(sourceType)) != kinds.end();
}

std::string sourceTypeName(const std::string &sourceType) {
  // also without its URI, with a prefix instead, or with a slash behind it, as some write it
  const size_t end = sourceType.find_last_not_of('/') + 1;
  const size_t before = end == 0 ? std::string::npos : sourceType.find_last_of("/:", end - 1);
  const size_t begin = before == std::string::npos ? 0 : before + 1;
  return sourceType.substr(begin, end - begin);
}

MarkFacts together(const std::vector<MarkFacts> &parts) {
  MarkFacts all;
  for (const MarkFacts &part : parts)
    for (std::string MarkFacts::*fact : {&MarkFacts::description, &MarkFacts::system, &MarkFacts::generationId,
                                         &MarkFacts::tool, &MarkFacts::prompt}) {
      std::string &joined = all.*fact;
      const std::string &value = part.*fact;
      if (!value.empty() && (", " + joined + ", ").find(", " + value + ", ") == std::string::npos)
        joined += (joined.empty() ? "" : ", ") + value;
    }
  for (const MarkFacts &part : parts) {
    all.created = std::max(all.created, part.created);
    if (all.sourceType != generatedFromMedia && !part.sourceType.empty())
      all.sourceType = part.sourceType;
  }
  return all;
}

// ids and names are the service's words
std::string markLine(const MarkFacts &facts) {
  std::string line = lineStart;
  for (const Word &word : words)
    if (const std::string &value = facts.*word.fact; !value.empty())
      line += std::string(word.name) + printable(value);
  return line;
}

std::optional<MarkFacts> factsInLine(const std::string &line) {
  if (!line.starts_with(lineStart))
    return {};
  MarkFacts facts;
  for (const Word &word : words) {
    const size_t at = line.find(word.name);
    if (at == std::string::npos)
      continue;
    const size_t begin = at + word.name.size();
    facts.*word.fact = line.substr(begin, line.find("; ", begin) - begin);
  }
  return facts;
}

std::string markBox(const std::string &mark) {
  constexpr size_t head = 8;
  const auto size = static_cast<uint32_t>(head + xmpUserType.size() + mark.size());
  std::string box;
  for (int shift = 24; shift >= 0; shift -= 8)
    box += static_cast<char>(size >> shift);
  box += "uuid";
  box.append(xmpUserType.begin(), xmpUserType.end());
  return box + mark;
}

std::string markSegment(const std::string &mark) {
  // APP1, length with its own two bytes, name
  constexpr size_t most = 0xFFFF;
  const size_t size = 2 + xmpSegmentName.size() + mark.size();
  if (size > most) {
    auto facts = factsIn(mark);
    if (!facts || std::exchange(facts->prompt, {}).empty())
      return {};
    return markSegment(markFrom(*facts));
  }
  std::string segment = "\xFF\xE1";
  segment += static_cast<char>(size >> 8);
  segment += static_cast<char>(size);
  return segment.append(xmpSegmentName) + mark;
}

size_t markOffset(const void *jpeg, size_t size) {
  const auto *bytes = static_cast<const unsigned char *>(jpeg);
  constexpr size_t headers = 6;
  constexpr size_t firstSegments = 1 << 17;
  const std::string_view start(static_cast<const char *>(jpeg), std::min(size, firstSegments));
  if (size < headers || !start.starts_with("\xFF\xD8\xFF") || start.find(xmpSegmentName) != std::string_view::npos)
    return 0;
  constexpr unsigned char app0 = 0xE0; // JFIF, which wants to be the first
  const size_t behind = 4 + (bytes[4] << 8U | bytes[5]);
  return bytes[3] == app0 && behind <= size ? behind : 2;
}

} // namespace aimlvideo
