// SPDX-License-Identifier: LGPL-2.1-or-later
// What lives on the network thread says so: a build with assertions aborts where another thread uses it.
#include <csignal>
#include <iterator>

#include "await.h"
#include "clip/downloader.h"
#include "generation/generation.h"
#include "http/gate.h"
#include "http/session.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

Task<void> generate(Generation &generation) {
  (void)co_await generation.run();
}

Task<void> waitThere() {
  await([]() -> Task<void> {
    co_return;
  }());
  co_return;
}

Task<void> fetch(Downloader &downloader, SpoolFile &spool) {
  (void)co_await downloader.fetch("http://127.0.0.1:9/", spool);
}

/// Each on a thread that is not the right one. It ends with that.
constexpr void (*misuses[])() = {
    [] { const Loop::Timer timer(Clock::now(), [] {}); },
    [] {
      Cancellation cancellation;
      const Cancellation::Listener listener(cancellation, [] {});
    },
    [] {
      Cancellation cancellation;
      Waiter(cancellation).wake();
    },
    [] {
      Gate gate(1);
      const Gate::Pass pass(gate);
    },
    [] { (void)HttpSession::shared({}); },
    [] { Narrator({}).enter(State::Idle); },
    [] { Purchase().renew(); },
    [] {
      Cancellation cancellation;
      Generation generation(Settings{}, 0, cancellation, {});
      detach(generate(generation));
    },
    [] {
      Cancellation cancellation;
      HttpSession session({});
      const auto spool = *SpoolFile::create("");
      Downloader downloader(session, cancellation, {}, {});
      detach(fetch(downloader, *spool));
    },
    [] { await(waitThere()); }, // it would wait for itself
};

#ifdef NDEBUG
constexpr int asserted = 0;
#else
constexpr int asserted = static_cast<int>(std::size(misuses));
#endif

} // namespace

GST_START_TEST(what_lives_on_the_network_thread_is_used_by_no_other) {
  misuses[__i__]();
}
GST_END_TEST

static Suite *threads_suite() {
  Suite *suite = suite_create("threads");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_loop_test_raise_signal(tests, what_lives_on_the_network_thread_is_used_by_no_other, SIGABRT, 0, asserted);
  return suite;
}

GST_CHECK_MAIN(threads)
