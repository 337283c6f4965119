// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/service/prices.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

namespace aimlvideo::emulator {

namespace {

/// USD per second by a part of the model's name; the first that fits.
constexpr std::array<std::pair<std::string_view, double>, 16> rates = {{{"v2-6-pro", 0.091},
                                                                        {"v3-pro", 0.291},
                                                                        {"v3-standard", 0.218},
                                                                        {"v3-omni-1080p", 0.291},
                                                                        {"v3-omni-720p", 0.218},
                                                                        {"master", 0.294},
                                                                        {"v2.5-turbo", 0.091},
                                                                        {"avatar-pro", 0.121},
                                                                        {"avatar-standard", 0.059},
                                                                        {"v1/standard", 0.029},
                                                                        {"/pro/", 0.1},
                                                                        {"/standard/", 0.055},
                                                                        {"veo", 0.42},
                                                                        {"sora-2-pro", 0.39},
                                                                        {"fast", 0.05},
                                                                        {"seedance", 0.12}}};

double rateOf(const Model &model) {
  const auto rate =
      std::ranges::find_if(rates, [&](auto &entry) { return model.id.find(entry.first) != std::string::npos; });
  return rate == rates.end() ? 0.08 : rate->second;
}

double factorOf(const std::string &resolution) {
  std::string lines = resolution;
  std::ranges::transform(lines, lines.begin(), [](char c) { return g_ascii_tolower(c); });
  if (lines == "1080p" || lines == "fhd")
    return 1.5;
  if (lines == "1440p" || lines == "2k")
    return 2;
  if (lines == "2160p" || lines == "4k")
    return 3;
  return lines.starts_with("3") || lines.starts_with("4") || lines.starts_with("5") ? 0.6 : 1;
}

/// A price with at most six decimals, as a price list has.
double tidy(double usd) {
  return std::round(usd * 1e6) / 1e6;
}

} // namespace

Json pricingJson(const Model &model) {
  const Parameter *resolution = model.parameter("resolution");
  if (!resolution || resolution->choices.size() < 2)
    return Json::object(
        {{"kind", "fixed"},
         {"currency", "USD"},
         {"units", Json::array({Json::object(
                       {{"name", "second"}, {"measure", "output"}, {"price", tidy(rateOf(model))}, {"per", 1}})})}});
  Json variants = Json::array();
  for (const Json &choice : resolution->choices)
    variants.add(Json::object({{"when", Json::object({{"resolution", choice}})},
                               {"price", tidy(rateOf(model) * factorOf(choice.string()))},
                               {"unit", "second"},
                               {"per", 1}}));
  return Json::object({{"kind", "variants"}, {"dimensions", Json::array({"resolution"})}, {"variants", variants}});
}

Cost costOf(const Model &model, const Json &body, double seconds) {
  double rate = rateOf(model);
  const Parameter *resolution = model.parameter("resolution");
  if (resolution && resolution->choices.size() >= 2) {
    const Json sent = body["resolution"];
    rate *= factorOf((sent.exists() ? sent : resolution->fallback).string());
  }
  return {tidy(rate * seconds)};
}

} // namespace aimlvideo::emulator
