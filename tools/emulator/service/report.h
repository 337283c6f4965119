// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "emulator/service/task.h"
#include "emulator/wire/json.h"

namespace aimlvideo::emulator {

/// A short mark of a key that does not give the key away; salted anew in each process.
class Fingerprints {
public:
  Fingerprints();
  std::string of(const std::string &key) const;

private:
  std::string salt_;
};

/// What was asked of the emulator since its start or its last reset.
class Report {
public:
  /// `owner` is the mark of the key that it is done for; empty if unknown.
  void countRequest(const std::string &endpoint, unsigned status, const std::string &owner);
  void countBillable(const std::string &owner);
  void countCharge(const std::string &owner, const Cost &cost);
  void countClipBytes(uint64_t bytes, const std::string &owner);
  void countAuthorizationOnClip() { ++authorizationOnClips_; }
  void countFault(const std::string &kind, const std::string &owner);
  void reset() { *this = Report(); }

  Json json() const;

private:
  struct KeyUse {
    uint64_t requests = 0;
    uint64_t billable = 0;
    double usd = 0;
    uint64_t clipBytes = 0;
    std::map<std::string, uint64_t> faults;
  };

  uint64_t requests_ = 0;
  uint64_t billable_ = 0;
  double usd_ = 0;
  uint64_t clipBytes_ = 0;
  uint64_t authorizationOnClips_ = 0;
  std::map<std::string, uint64_t> byEndpoint_;
  std::map<std::string, uint64_t> byStatus_;
  std::map<std::string, uint64_t> faults_;
  std::map<std::string, KeyUse> keys_;
};

Json taskJson(const Task &task, double now);

const char *stateName(State state);

} // namespace aimlvideo::emulator
