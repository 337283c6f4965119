// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/error.h"

namespace aimlvideo {

struct Settings;

/// The environment variable that says in USD what one clip may cost that only a URI asks for.
constexpr auto uriCostVariable = "AIMLVIDEO_URI_MAX_COST";

/// What a run may do beyond playing what is bought already.
///
/// Whoever writes settings means them. A URI may come from anybody's playlist: it buys nothing and reads no local file
/// unless the user's environment or the application's `max-cost` allows it.
struct Allowance {
  bool mayBuy = true;               ///< and read the local files that the request names
  double cap = 0;                   ///< USD for one clip; 0: none
  const char *capName = "max-cost"; ///< what set the cap
};

/// BadRequest: the environment variable holds no amount.
Result<Allowance> allowanceOf(const Settings &settings);

/// How to let a URI buy, as the end of an error.
std::string howToAllow(const Settings &settings);

} // namespace aimlvideo
