// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "api/generation_uri.h"
#include "generation/settings.h"

namespace aimlvideo {

/// Makes the settings ask for what a URI asks for: what it does not say is unset, the way to the service stays. From
/// then on they count as a URI's, see Allowance.
void takeOver(const GenerationUri &wanted, Settings &settings);

} // namespace aimlvideo
