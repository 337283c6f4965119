// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/cancellation.h"

namespace aimlvideo {

/// A generation's place among those of this process that are in flight at one service: submitted, and not yet
/// completed. It is given back when the Flight goes, on any thread, which lets the next in the queue go.
class Flight {
public:
  /// What one that has to wait finds.
  struct Queue {
    size_t inFlight = 0;
    size_t before = 0; ///< waiting, and come earlier
  };

  /// Waits until all that came earlier have had their turn and fewer than `maximum` are in flight at the service. 0: it
  /// waits for nobody, and is counted. `queued` is called once if it has to wait, with no lock held. Null: cancelled.
  static Task<std::unique_ptr<Flight>> await(std::string service, unsigned maximum, Cancellation &cancellation,
                                             std::function<void(const Queue &)> queued);

  /// Counts one that the service is at work on already. It waits for nobody.
  static std::unique_ptr<Flight> underWay(const std::string &service);

  Flight(const Flight &) = delete;
  Flight &operator=(const Flight &) = delete;
  ~Flight();

  /// Whether it had its turn, so that it may submit.
  bool maySubmit() const { return maySubmit_; }

private:
  Flight(std::string service, bool maySubmit) : service_(std::move(service)), maySubmit_(maySubmit) {}

  const std::string service_;
  const bool maySubmit_;
};

} // namespace aimlvideo
