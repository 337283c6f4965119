// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "api/endpoint.h"
#include "api/logs.h"
#include "http/session.h"
#include "settings/plan.h"

namespace aimlvideo {

/// Speaks to the service, on the network thread: the only place that knows the key. The key goes to the base URL's host
/// and nowhere else; no redirect is followed. All that comes back is masked, should the service quote it in
/// any spelling: nothing of the service's reaches the ledger, the bus or a log on another way.
class ServiceClient {
public:
  ServiceClient(HttpSession &session, const Plan &plan, Headers extraHeaders);

  /// Submits a generation.
  Task<Exchanged<HttpResponse>> create(EndpointFamily family, const std::string &clientRequestId,
                                       Cancellation &cancellation, AttemptTime time, Starting starting);

  /// `model` tells the legacy path; null: Kling's.
  Task<Exchanged<HttpResponse>> poll(EndpointFamily family, const Model *model, const std::string &generationId,
                                     Cancellation &cancellation, AttemptTime time);

  /// One page of the account's log of requests, see logsPath().
  Task<Exchanged<HttpResponse>> logs(const char *period, unsigned offset, Cancellation &cancellation, AttemptTime time);

  /// Any other path of the service, with its query.
  Task<Exchanged<HttpResponse>> get(const std::string &path, Cancellation &cancellation, AttemptTime time);

  /// Whether the service is on this machine or in its network, so that its clips may be there as well. A base URL with
  /// an address says it by itself. A name has to be one of local addresses only, and to have led to such ones whenever
  /// it was connected to in this run: what the name service says when a clip is fetched is the service's own word.
  Task<bool> isLocal(GCancellable *cancellable) const;

  /// A text of the service without the key and the values of extra headers.
  std::string withoutSecrets(std::string text) const;

private:
  Task<Exchanged<HttpResponse>> exchange(HttpRequest request, Cancellation &cancellation, AttemptTime time,
                                         Starting starting);

  HttpSession &session_;
  const Plan &plan_;
  Headers extraHeaders_;
  std::optional<bool> metLocally_; ///< whether all connections led to local addresses; empty: there was none
};

} // namespace aimlvideo
