// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/json/value.h"
#include "ledger/tally.h"

namespace aimlvideo::cli {

/// One metric as Prometheus knows them.
struct Metric {
  enum class Type { Counter, Gauge };
  struct Sample {
    std::vector<std::pair<std::string, std::string>> labels;
    double value;
  };

  std::string name;
  Type type;
  std::string help;
  std::vector<Sample> samples;
};

/// What is watched of a ledger. Money is in USD, points in time are whole seconds since 1970.
std::vector<Metric> metricsOf(const LedgerTally &tally);

/// In Prometheus' text format, version 0.0.4.
std::string expositionOf(const std::vector<Metric> &metrics);
constexpr auto expositionType = "text/plain; version=0.0.4; charset=utf-8";

json::Value jsonOf(const std::vector<Metric> &metrics);

} // namespace aimlvideo::cli
