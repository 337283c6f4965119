// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "emulator/service/account.h"
#include "emulator/service/catalogue.h"
#include "emulator/service/ids.h"
#include "emulator/service/logs.h"
#include "emulator/service/options.h"
#include "emulator/service/report.h"
#include "emulator/service/task.h"
#include "emulator/studio/clip_store.h"
#include "emulator/wire/faults.h"
#include "emulator/wire/http.h"

namespace aimlvideo::emulator {

/// What all parts of the service share. Belongs to the main thread.
struct Service {
  Service(const Options &given, ClipPtr fixedClip)
      : options(given),
        tasks(given.history, given.retention),
        account(given.balance),
        ids(given.idShape, given.seed),
        faults(given.seed),
        clips(std::move(fixedClip)) {}

  /// The answer to a request without a valid key; nothing if the key is good.
  std::optional<Response> refuse(const Request &request) const;
  /// The mark of the request's key. A clip is fetched without one: there it is the key that asked for it.
  std::string ownerOf(const Request &request) const;
  /// The task that a clip's address is about, right or wrong; null if there is none.
  TaskPtr taskOfClip(const Request &request) const;

  const Options &options;
  Catalogue catalogue;
  Fingerprints fingerprints;
  TaskBook tasks;
  Account account;
  IdMaker ids;
  Report report;
  Logs logs;
  Faults faults;
  ClipStore clips; ///< last: its threads end first
};

using Reply = std::function<void(Response)>;

} // namespace aimlvideo::emulator
