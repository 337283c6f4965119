// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger/identity.h"

#include "api/endpoint.h"
#include "base/sha256.h"

namespace aimlvideo {

std::string requestIdentity(const std::string &baseUrl, const std::string &canonical, unsigned take) {
  return identityBySpelling(serviceAt(baseUrl), canonical, take);
}

std::string identityBySpelling(const std::string &baseUrl, const std::string &canonical, unsigned take) {
  // neither an address nor compact JSON holds a line break
  return sha256(baseUrl + "\n" + canonical + "\n" + std::to_string(take));
}

} // namespace aimlvideo
