// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <aimlvideo/ledger.h>

#include "api/pricing.h"
#include "base/json/value.h"
#include "settings/plan.h"

namespace aimlvideo::cli {

/// What a run would ask for, and what it would cost. Nothing is sent for it but questions about prices.
struct Quote {
  /// What the ledger has of one take; empty: nothing that changes what a run does.
  struct Earlier {
    int64_t job = 0;
    bool buysNothing = false; ///< a run would buy nothing
    bool paidFor = false;     ///< since it is bought
    std::string sentence;     ///< for people, without its full stop
    std::string output;       ///< absolute path of what was made of its clip; empty: nothing, or not known
  };

  Plan plan;
  tl::expected<Estimate, std::string> price; ///< of one take; the error says why nobody knows
  std::string fetched;                       ///< the id of the given generation that a run fetches; empty: a request
  unsigned firstTake = 0;
  std::vector<std::optional<Earlier>> takes;

  /// The service does not have the model, by its price list or by the list of the last refresh.
  bool isUnlisted() const;
  size_t toBuy() const; ///< takes
  /// USD of all that would be bought; empty: not known.
  std::optional<double> due() const;
};

/// Whether the service is asked for the price.
enum class Asking { Service, Nobody };

/// BadRequest names every problem of the request. `takes`: how many, from the one in the settings on.
Result<Quote> quote(Settings settings, unsigned takes, Asking asking);

/// What a run says that would be above `max-cost` or any other cap. The cap of the settings, `runCap`, is for all takes
/// together; 0: none.
Result<void> checkCaps(const Quote &quote, double runCap);

/// For programs.
json::Value jsonOf(const Quote &quote);

/// Prints it, as `aimlvideo check` does, for people or for the program that asked.
void show(const Quote &quote);

} // namespace aimlvideo::cli
