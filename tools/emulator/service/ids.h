// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <random>
#include <string>

#include "emulator/service/options.h"

namespace aimlvideo::emulator {

/// Makes generation ids of the documented shapes; the same seed gives the same ids.
class IdMaker {
public:
  IdMaker(IdShape shape, std::optional<unsigned> seed);
  std::string make(const std::string &model);

private:
  std::string pick(const char *alphabet, size_t length);
  std::string uuid();

  IdShape shape_;
  unsigned made_ = 0;
  std::mt19937_64 random_;
};

/// Whether the id has one of the documented shapes at all.
bool isWellFormedId(const std::string &id);

} // namespace aimlvideo::emulator
