// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>

#include <aimlvideo/error.h>

namespace aimlvideo {

struct Settings;

/// The environment variable that says in USD what one clip may cost that only a URI asks for.
constexpr auto uriCostVariable = "AIMLVIDEO_URI_MAX_COST";

/// The one that says in USD what any clip may cost, whoever asks for it and however: a project of an editor, a script.
constexpr auto costVariable = "AIMLVIDEO_MAX_COST";

/// What a run may do beyond playing what is bought already.
///
/// Whoever writes settings means them. A URI may come from anybody's playlist: it buys nothing and reads no local file
/// unless the user's environment or the application's `max-cost` allows it.
struct Allowance {
  bool mayBuy = true;               ///< and read the local files that the request names
  std::optional<double> cap;        ///< USD for one clip; empty: none
  const char *capName = "max-cost"; ///< what set the cap
};

/// The lowest of the caps that apply counts. BadRequest: one of them is no amount.
Result<Allowance> allowanceOf(const Settings &settings);

/// How to let a URI buy, as the end of an error.
std::string howToAllow(const Settings &settings);

} // namespace aimlvideo
