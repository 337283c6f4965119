// SPDX-License-Identifier: LGPL-2.1-or-later
#include "provenance/mark.h"

#include <cstdint>
#include <memory>
#include <mutex>
#include <type_traits>

#include <exempi/xmp.h>
#include <exempi/xmpconsts.h>
#include <glib.h>

#include "base/glib_ptr.h"
#include "provenance/xmp_box.h"

namespace aimlvideo {

namespace {

// https://www.iptc.org/std/photometadata/specification/ and https://cv.iptc.org/newscodes/digitalsourcetype/
constexpr auto iptcExtension = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";
constexpr auto sourceTypes = "http://cv.iptc.org/newscodes/digitalsourcetype/";

/// Never the prompt, which is its author's to publish.
constexpr auto description = "Video made by a generative AI model";

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

void set(const Xmp &xmp, const char *schema, const char *name, const std::string &value) {
  if (!value.empty())
    xmp_set_property(xmp.get(), schema, name, writable(value).c_str(), 0);
}

} // namespace

std::string markFrom(const MarkFacts &facts) {
  prepareLibrary();
  const Xmp xmp(xmp_new_empty());
  const XmpText text(xmp_string_new());
  if (!xmp || !text)
    return {};
  const char *kind = facts.fromPicture ? "compositeWithTrainedAlgorithmicMedia" : "trainedAlgorithmicMedia";
  set(xmp, iptcExtension, "DigitalSourceType", std::string(sourceTypes) + kind);
  const std::string system = facts.vendor.empty() ? facts.model : facts.vendor + " " + facts.model;
  set(xmp, iptcExtension, "AISystemUsed", system);
  set(xmp, iptcExtension, "AIPromptInformation", facts.prompt);
  set(xmp, NS_XAP, "CreatorTool", facts.tool);
  set(xmp, NS_XAP, "CreateDate", facts.created);
  set(xmp, NS_DC, "identifier", facts.generationId);
  xmp_set_localized_text(xmp.get(), NS_DC, "description", "", "x-default", description, 0);
  constexpr uint32_t form = XMP_SERIAL_READONLYPACKET | XMP_SERIAL_USECOMPACTFORMAT;
  if (!xmp_serialize(xmp.get(), text.get(), form, 0))
    return {};
  return {xmp_string_cstr(text.get()), xmp_string_len(text.get())};
}

std::string markBox(const std::string &packet) {
  constexpr size_t head = 8;
  const auto size = static_cast<uint32_t>(head + xmpUserType.size() + packet.size());
  std::string box;
  for (int shift = 24; shift >= 0; shift -= 8)
    box += static_cast<char>(size >> shift);
  box += "uuid";
  box.append(xmpUserType.begin(), xmpUserType.end());
  return box + packet;
}

} // namespace aimlvideo
