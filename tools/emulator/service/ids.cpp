// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/service/ids.h"

#include <array>
#include <cstring>
#include <regex>

#include "base/glib_ptr.h"

namespace aimlvideo::emulator {

namespace {

constexpr char digits[] = "0123456789";
constexpr char hex[] = "0123456789abcdef";
constexpr char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr char nano[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array mixture = {IdShape::Model,       IdShape::Uuid,  IdShape::Nano, IdShape::Digits,
                                IdShape::DigitsModel, IdShape::Dated, IdShape::Hex};

std::string timestamp() {
  const auto now = adopt(g_date_time_new_now_utc());
  const GCharPtr text(g_date_time_format(now.get(), "%Y%m%d%H%M%S"));
  return text.get();
}

/// The service names the model by its route there, not always as it was asked for.
std::string routeOf(const std::string &model) {
  std::smatch parts;
  static const std::regex master(R"(klingai/(v[0-9.]+)-master-(.+))");
  if (std::regex_match(model, parts, master))
    return "kling-video/" + parts[1].str() + "/master/" + parts[2].str();
  return model;
}

} // namespace

IdMaker::IdMaker(IdShape shape, std::optional<unsigned> seed)
    : shape_(shape), random_(seed ? *seed : std::random_device()()) {}

std::string IdMaker::make(const std::string &model) {
  const IdShape shape = shape_ == IdShape::Mixed ? mixture[made_ % mixture.size()] : shape_;
  ++made_;
  switch (shape) {
  case IdShape::Uuid:
    return uuid();
  case IdShape::Nano:
    // Each second one shows the awkward case, a dash in front.
    return made_ % 2 ? pick(nano, 21) : "-" + pick(nano, 20);
  case IdShape::Digits:
    return pick("789", 1) + pick(digits, 17);
  case IdShape::DigitsModel:
    return pick("789", 1) + pick(digits, 17) + ":" + routeOf(model);
  case IdShape::Dated:
    return "cgt-" + timestamp() + "-" + pick(letters, 5);
  case IdShape::Hex:
    return "video_" + pick(hex, 32) + ":" + routeOf(model);
  default:
    return uuid() + ":" + routeOf(model);
  }
}

std::string IdMaker::pick(const char *alphabet, size_t length) {
  std::string text;
  const size_t size = std::strlen(alphabet);
  while (text.size() < length)
    text += alphabet[random_() % size];
  return text;
}

std::string IdMaker::uuid() {
  return pick(hex, 8) + "-" + pick(hex, 4) + "-4" + pick(hex, 3) + "-" + pick("89ab", 1) + pick(hex, 3) + "-" +
         pick(hex, 12);
}

bool isWellFormedId(const std::string &id) {
  static const std::regex shapes("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(:[A-Za-z0-9._/-]+)?"
                                 "|[0-9]{10,24}(:[A-Za-z0-9._/-]+)?"
                                 "|video_[0-9a-f]+(:[A-Za-z0-9._/-]+)?"
                                 "|cgt-[0-9]{14}-[a-z0-9]{5}"
                                 "|[A-Za-z0-9_-]{21}");
  return id.size() <= 256 && std::regex_match(id, shapes);
}

} // namespace aimlvideo::emulator
