// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace aimlvideo {

/// What makes two requests the same: SHA-256, in hex, over the service (see serviceAt(), however its base URL is
/// spelled), the canonical form of what is asked for (see Request::canonical) and the take.
std::string requestIdentity(const std::string &baseUrl, const std::string &canonical, unsigned take);

/// The identity as versions computed it that took every spelling of a base URL for another service.
std::string identityBySpelling(const std::string &baseUrl, const std::string &canonical, unsigned take);

} // namespace aimlvideo
