// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "clip/clip_host.h"
#include "clip/clip_store.h"
#include "generation/context.h"
#include "generation/descriptors.h"
#include "generation/purchase.h"
#include "service/service_client.h"

namespace aimlvideo {

/// How the generation's HTTP sessions are made.
SessionOptions sessionOptionsFor(const Context &context);

/// Fetches the clip of a generation that has completed, and keeps it for the next time. For the network thread.
class ClipFetch {
public:
  /// The clip may be read from now on, while it is still being fetched.
  using Arriving = std::function<void(const std::shared_ptr<Spool> &)>;

  /// `store`: empty where its folder can't be used; emptied when its disk is full.
  ClipFetch(const Context &context, const Plan &plan, ServiceClient &client, Purchase &purchase,
            std::optional<ClipStore> &store, Arriving arriving)
      : context_(context),
        plan_(plan),
        client_(client),
        purchase_(purchase),
        store_(store),
        arriving_(std::move(arriving)) {}

  /// The descriptor is given back once the clip has its own.
  Task<Result<std::shared_ptr<Spool>>> fetch(const std::string &url, std::unique_ptr<ReservedDescriptor> descriptor);

private:
  Task<Result<std::shared_ptr<Spool>>> download(const std::string &url, std::unique_ptr<ReservedDescriptor> descriptor);
  Task<Result<std::shared_ptr<SpoolFile>>> makeSpool();
  Task<Result<void>> moveFromStore(SpoolFile &spool, const Error &why);
  void leaveStore(const Error &why);
  Task<ClipReach> reach();
  Task<Result<std::string>> freshUrl();
  Task<void> keep(const Spool &clip);

  const Context &context_;
  const Plan &plan_;
  ServiceClient &client_;
  Purchase &purchase_;
  std::optional<ClipStore> &store_;
  const Arriving arriving_;
  bool partly_ = false; ///< not all of the clip is there, and that is what was asked for
};

} // namespace aimlvideo
