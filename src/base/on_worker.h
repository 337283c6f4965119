// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>

#include "base/cancellation.h"
#include "base/workers.h"

namespace aimlvideo {

/// For reading and encoding what the user names: of this process, see Loop::own().
struct ImageWorkers : Workers {
  ImageWorkers() : Workers(8) {}
};

/// For calling the application, which takes no processor and may block.
struct CallWorkers : Workers {
  CallWorkers() : Workers(64) {}
};

/// Awaited on the network thread: has a worker call `work`, which must own what it uses. Empty: it was cancelled, or
/// it got too late; `work` goes on then, and what it brings is dropped.
template <typename Value>
Task<std::optional<Value>> onWorker(Workers &workers, std::function<Value()> work, Cancellation &cancellation,
                                    Clock::time_point deadline) {
  struct Wait {
    explicit Wait(Cancellation &canceller) : waiter(canceller) {}
    Waiter waiter;
    std::optional<Value> value;
    std::exception_ptr exception;
  };
  const auto wait = std::make_shared<Wait>(cancellation);
  workers.push([weak = std::weak_ptr(wait), work = std::move(work)] {
    auto value = std::make_shared<std::optional<Value>>();
    std::exception_ptr exception;
    try {
      value->emplace(work());
    } catch (...) {
      exception = std::current_exception();
    }
    Loop::instance().post([weak, value, exception] {
      const auto waiting = weak.lock();
      if (!waiting)
        return;
      waiting->value = std::move(*value);
      waiting->exception = exception;
      waiting->waiter.wake();
    });
  });
  (void)co_await wait->waiter.until(deadline);
  if (wait->exception)
    std::rethrow_exception(wait->exception);
  co_return std::move(wait->value);
}

} // namespace aimlvideo
