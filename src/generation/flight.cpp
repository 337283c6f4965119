// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/flight.h"

#include <atomic>
#include <list>
#include <map>

#include "base/mutex.h"

namespace aimlvideo {

namespace {

/// One that waits for its turn. It belongs to the waiting task and is in the queue until that takes it out.
struct Passenger {
  unsigned maximum;
  std::function<void()> wake;
  std::atomic<bool> hasTurn = false;
};

/// What this process has in flight, by service.
class InFlight {
public:
  static InFlight &instance() { return Loop::instance().own<InFlight>(); }

  void count(const std::string &service) EXCLUDES(mutex_) {
    const Lock lock(mutex_);
    ++services_[service].inFlight;
  }

  void leave(const std::string &service) EXCLUDES(mutex_) {
    const Lock lock(mutex_);
    --services_[service].inFlight;
    settle(service);
  }

  /// Joins the end of the queue, which may be its head: then it has its turn at once.
  Flight::Queue enter(const std::string &service, Passenger &waiter) EXCLUDES(mutex_) {
    const Lock lock(mutex_);
    Crowd &crowd = services_[service];
    const Flight::Queue found{crowd.inFlight, crowd.waiting.size()};
    crowd.waiting.push_back(&waiter);
    settle(service);
    return found;
  }

  /// Takes back what did not get its turn; what did has to leave() later.
  void withdraw(const std::string &service, Passenger &waiter) EXCLUDES(mutex_) {
    const Lock lock(mutex_);
    if (waiter.hasTurn)
      return;
    services_[service].waiting.remove(&waiter);
    settle(service); // the next one may ask for less
  }

private:
  struct Crowd {
    size_t inFlight = 0;
    std::list<Passenger *> waiting; ///< in the order in which they came
  };

  /// Gives turns to the head of the queue as long as there is room for it, and forgets a service where nothing goes on.
  void settle(const std::string &service) REQUIRES(mutex_) {
    const auto place = services_.find(service);
    Crowd &crowd = place->second;
    while (!crowd.waiting.empty() && crowd.inFlight < crowd.waiting.front()->maximum) {
      Passenger &next = *crowd.waiting.front();
      crowd.waiting.pop_front();
      ++crowd.inFlight;
      const auto wake = next.wake;
      next.hasTurn = true; // and it may go
      wake();
    }
    if (crowd.inFlight == 0 && crowd.waiting.empty())
      services_.erase(place);
  }

  Mutex mutex_;
  std::map<std::string, Crowd> services_ GUARDED_BY(mutex_);
};

} // namespace

// cppcheck-suppress passedByValue ; a task owns what it is given
Task<std::unique_ptr<Flight>> Flight::await(std::string service, unsigned maximum, Cancellation &cancellation,
                                            std::function<void(const Queue &)> queued) {
  InFlight &all = InFlight::instance();
  if (maximum == 0) {
    all.count(service);
    co_return std::unique_ptr<Flight>(new Flight(service, true));
  }
  Waiter waiter(cancellation);
  Passenger passenger{maximum, waiter.waker()};
  const Queue found = all.enter(service, passenger);
  if (!passenger.hasTurn)
    queued(found);
  bool goesOn = true;
  while (goesOn && !passenger.hasTurn)
    goesOn = co_await waiter.until(Clock::time_point::max());
  all.withdraw(service, passenger);
  std::unique_ptr<Flight> flight(passenger.hasTurn ? new Flight(service, true) : nullptr);
  if (cancellation.cancelled())
    flight.reset();
  co_return flight;
}

std::unique_ptr<Flight> Flight::underWay(const std::string &service) {
  InFlight::instance().count(service);
  return std::unique_ptr<Flight>(new Flight(service, false));
}

Flight::~Flight() {
  InFlight::instance().leave(service_);
}

} // namespace aimlvideo
