// SPDX-License-Identifier: LGPL-2.1-or-later
// What the headers of the library offer of the account, over what the engine uses itself.
#include <aimlvideo/account.h>

#include "service/account.h"
#include "service/price_list.h"
#include "service/refresh.h"

namespace aimlvideo {

namespace {

constexpr std::chrono::seconds patience{30};

/// Ends with a GCancellable.
class CancelledWith {
public:
  explicit CancelledWith(GCancellable *cancellable) : cancellable_(share(cancellable)) {
    if (cancellable)
      handler_ = g_cancellable_connect(
          cancellable, G_CALLBACK(+[](GCancellable *, gpointer data) { static_cast<Cancellation *>(data)->cancel(); }),
          &cancellation_, nullptr);
  }
  CancelledWith(const CancelledWith &) = delete;
  CancelledWith &operator=(const CancelledWith &) = delete;
  ~CancelledWith() { g_cancellable_disconnect(cancellable_.get(), handler_); }

  Cancellation &cancellation() { return cancellation_; }

private:
  Cancellation cancellation_;
  const GRefPtr<GCancellable> cancellable_;
  gulong handler_ = 0;
};

} // namespace

Result<Balance> fetchBalance(const Settings &settings, GCancellable *cancellable) {
  return fetchBalance(settings, CancelledWith(cancellable).cancellation());
}

Result<Estimate> estimateCost(const Settings &settings, GCancellable *cancellable) {
  Settings unpaid = settings;
  unpaid.dryRun = true; // which needs no key
  const auto plan = prepare(unpaid);
  if (!plan)
    return tl::unexpected(plan.error());
  CancelledWith stop(cancellable);
  HttpSession session(sessionOptionsOf(settings));
  const auto price = Loop::instance().wait(priceOf(*plan, session, stop.cancellation(), Clock::now() + patience));
  if (!price)
    return failure(stop.cancellation().cancelled() ? ErrorKind::Cancelled : ErrorKind::NotFound,
                   "the price is not known", price.error());
  return *price;
}

Result<Refreshed> refreshCatalogue(const Settings &settings, GCancellable *cancellable) {
  return refreshCatalogue(settings, CancelledWith(cancellable).cancellation());
}

} // namespace aimlvideo
