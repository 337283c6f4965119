// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include <gio/gio.h>

#include <aimlvideo/error.h>
#include <aimlvideo/export.h>
#include <aimlvideo/settings.h>

namespace aimlvideo {

// What the service says of prices, money and models. These block on the network: call them neither on the thread of
// a user interface nor in a call of a JobObserver. `cancellable` ends them from any thread (kind Cancelled); null:
// nothing ends them. They use the settings' way to the service, and buy nothing.

/// Money in the account.
struct Balance {
  double amount = 0;
  std::string currency;
};

/// The balance of the account that the settings' key belongs to.
AIMLVIDEO_API Result<Balance> fetchBalance(const Settings &settings, GCancellable *cancellable = nullptr);

/// What a request will cost by the service's price list.
struct Estimate {
  double usd = 0;
  std::string basis; ///< how it was worked out: `5 s at 0.091 USD per second`
};

/// Prepares the request, files included, and estimates it by the price list, which is asked for without the key.
/// BadRequest: the request is wrong. NotFound: the price is not known, and why.
AIMLVIDEO_API Result<Estimate> estimateCost(const Settings &settings, GCancellable *cancellable = nullptr);

/// What a refresh of the catalogue has found.
struct Refreshed {
  unsigned listed = 0;     ///< video models that the service has
  unsigned models = 0;     ///< of these, those that the compiled-in catalogue lacks
  unsigned parameters = 0; ///< of the others, those that it lacks
  unsigned unreadable = 0; ///< descriptions that could not be fetched or read: what they describe stays unchecked
  std::string file;        ///< where it is kept
};

/// Asks the service for its list of video models and for the description of each (about a minute), and keeps what the
/// compiled-in catalogue lacks, for the processes that start from then on. The key is not sent.
AIMLVIDEO_API Result<Refreshed> refreshCatalogue(const Settings &settings, GCancellable *cancellable = nullptr);

} // namespace aimlvideo
