// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/service/report.h"

#include <cmath>

#include "base/sha256.h"
#include "emulator/wire/http.h"
#include "emulator/wire/media.h"

namespace aimlvideo::emulator {

namespace {

Json countsJson(const std::map<std::string, uint64_t> &counts) {
  Json json = Json::object();
  for (const auto &[name, count] : counts)
    json.set(name, count);
  return json;
}

/// A sum of prices without the dust of its additions.
double tidy(double usd) {
  return std::round(usd * 1e6) / 1e6;
}

} // namespace

Fingerprints::Fingerprints() : salt_(newUuid()) {}

std::string Fingerprints::of(const std::string &key) const {
  return key.empty() ? std::string() : sha256(salt_ + key).substr(0, 8);
}

void Report::countRequest(const std::string &endpoint, unsigned status, const std::string &owner) {
  ++requests_;
  ++byEndpoint_[endpoint];
  ++byStatus_[std::to_string(status)];
  if (!owner.empty())
    ++keys_[owner].requests;
}

void Report::countBillable(const std::string &owner) {
  ++billable_;
  ++keys_[owner].billable;
}

void Report::countCharge(const std::string &owner, const Cost &cost) {
  usd_ += cost.usd;
  keys_[owner].usd += cost.usd;
}

void Report::countClipBytes(uint64_t bytes, const std::string &owner) {
  clipBytes_ += bytes;
  if (!owner.empty())
    keys_[owner].clipBytes += bytes;
}

void Report::countFault(const std::string &kind, const std::string &owner) {
  ++faults_[kind];
  if (!owner.empty())
    ++keys_[owner].faults[kind];
}

Json Report::json() const {
  Json keys = Json::object();
  for (const auto &[owner, use] : keys_)
    keys.set(owner, Json::object({{"requests", use.requests},
                                  {"billable", use.billable},
                                  {"usd", tidy(use.usd)},
                                  {"clip_bytes", use.clipBytes},
                                  {"faults", countsJson(use.faults)}}));
  return Json::object({{"requests", requests_},
                       {"by_endpoint", countsJson(byEndpoint_)},
                       {"by_status", countsJson(byStatus_)},
                       {"billable", billable_},
                       {"usd", tidy(usd_)},
                       {"clip_bytes", clipBytes_},
                       {"authorization_on_clips", authorizationOnClips_},
                       {"faults", countsJson(faults_)},
                       {"keys", keys}});
}

const char *stateName(State state) {
  switch (state) {
  case State::Queued:
    return "queued";
  case State::Generating:
    return "generating";
  case State::Completed:
    return "completed";
  case State::Failed:
    break;
  }
  return "error";
}

Json taskJson(const Task &task, double now) {
  Json faults = Json::array();
  for (const std::string &fault : task.faults)
    faults.add(fault);
  Json unknownKeys = Json::array();
  for (const std::string &key : task.unknownKeys)
    unknownKeys.add(key);
  return Json::object({{"id", task.id},
                       {"serial", task.serial},
                       {"family", task.family == Family::Universal ? "universal" : "legacy"},
                       {"model", task.model},
                       {"state", stateName(task.state(now))},
                       {"failure", task.failure.empty() ? Json(nullptr) : Json(task.failure)},
                       {"key", task.owner},
                       {"client_request_id", task.clientRequestId.empty() ? Json(nullptr) : Json(task.clientRequestId)},
                       {"created", isoTime(task.acceptedClock)},
                       {"age", now - task.acceptedAt},
                       {"polls", task.polls},
                       {"downloads", task.downloads},
                       {"usd", task.cost.usd},
                       {"has_image", task.clip && task.clip->thumbnail.size() > 0},
                       {"clip_bytes", task.clip ? Json(task.clip->bytes.size()) : Json(nullptr)},
                       {"request", task.summary},
                       {"unknown_keys", unknownKeys},
                       {"faults", faults}});
}

} // namespace aimlvideo::emulator
