// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "emulator/wire/http.h"
#include "emulator/wire/json.h"

namespace aimlvideo::emulator {

/// Something that goes wrong with one request.
struct Fault {
  std::string kind;
  Json settings;

  /// The HTTP status to answer with, or the fallback.
  unsigned status(unsigned fallback) const;
  /// Whether the service does what was asked before things go wrong.
  bool isAccepted() const;
};

/// The rules that say which requests go wrong, and how.
class Faults {
public:
  explicit Faults(std::optional<unsigned> seed);

  /// Replaces the rules by `rules`: an array of {"match": {...}, "fault": {"kind": ...}},
  /// or an object with that array as "faults". All or nothing: the error names what is wrong.
  tl::expected<void, std::string> replace(const Json &rules);
  tl::expected<void, std::string> add(const Json &rules);
  /// False if no rule has that number.
  bool remove(unsigned number);
  void clear() { rules_.clear(); }

  /// The fault for this request, if any: that of the first rule that applies. Each rule counts the requests that it
  /// matches, whether it applies to them or not.
  std::optional<Fault> pick(const std::string &phase, const Request &request);

  Json json() const;

private:
  struct Rule {
    unsigned number = 0;
    std::string phase;                  ///< empty: any
    GRefPtr<GRegex> path;               ///< null: any
    uint64_t from = 1, to = UINT64_MAX; ///< which of the matching requests, from 1
    std::optional<double> share;
    std::mt19937_64 random;
    Json match;
    Fault fault;
    uint64_t seen = 0, applied = 0;
  };

  tl::expected<Rule, std::string> read(const Json &json);
  /// Which requests the rule is for, from its `match`.
  static tl::expected<void, std::string> readMatch(const Json &match, Rule &rule);
  tl::expected<std::vector<Rule>, std::string> readAll(const Json &json);
  static bool applies(Rule &rule, const std::string &phase, const std::string &target);

  std::optional<unsigned> seed_;
  unsigned lastNumber_ = 0;
  std::vector<Rule> rules_;
};

} // namespace aimlvideo::emulator
