// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "emulator/service/service.h"

namespace aimlvideo::emulator {

/// What can be asked for beside generations: the models, the logs, the account's money.
class Listings {
public:
  explicit Listings(Service &service) : service_(service) {}
  Response models(const Request &request) const;
  Response model(const Request &request) const;
  Response deprecations(const Request &request) const;
  Response schema(const Request &request) const;
  Response logs(const Request &request);
  Response billing(const Request &request) const;

private:
  Service &service_;
};

} // namespace aimlvideo::emulator
