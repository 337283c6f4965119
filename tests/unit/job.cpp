// SPDX-License-Identifier: LGPL-2.1-or-later
#include <aimlvideo/job.h>

#include <algorithm>
#include <atomic>
#include <future>

#include "bench.h"
#include "support/stall.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

/// Keeps what it is told, and fails the test when it is told something after the job was stopped.
class Listener : public JobObserver {
public:
  void stateChanged(const Status &status) override {
    hear("state " + std::string(nameOf(status.state)));
    if (onState)
      onState(status.state);
  }
  void progressed(const Status &, const std::string &note) override { hear("progress " + note); }
  void arriving(const Status &, const std::shared_ptr<Spool> &coming) override {
    {
      const std::lock_guard lock(mutex_);
      clip = coming;
    }
    hear("arriving");
  }
  void completed(const Status &) override {
    hear("completed");
    if (onEnd)
      onEnd();
  }
  void failed(const Status &, const Error &why) override {
    {
      const std::lock_guard lock(mutex_);
      error = why;
    }
    hear("failed");
    if (onEnd)
      onEnd();
  }
  void logged(LogLevel, const std::string &) override { hear("log"); }

  /// From now on nothing may be told.
  void expectSilence() { silent_ = true; }
  size_t count(const std::string &what) const {
    const std::lock_guard lock(mutex_);
    return static_cast<size_t>(std::count(heard_.begin(), heard_.end(), what));
  }
  void waitFor(const std::string &what) {
    std::unique_lock lock(mutex_);
    const bool there =
        arrived_.wait_for(lock, 20s, [&] { return std::find(heard_.begin(), heard_.end(), what) != heard_.end(); });
    fail_unless(there, "\"%s\" was not told in time", what.c_str());
  }

  std::function<void(State)> onState;
  std::function<void()> onEnd;
  std::shared_ptr<Spool> clip;
  Error error;

private:
  void hear(const std::string &what) {
    if (silent_)
      g_error("told \"%s\" after the job was stopped", what.c_str());
    const std::lock_guard lock(mutex_);
    heard_.push_back(what);
    arrived_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<std::string> heard_;
  std::atomic<bool> silent_ = false;
};

/// Starts a job with the settings of a bench.
std::shared_ptr<Job> start(const Bench &bench, JobObserver &observer, int64_t ownRow = 0) {
  return Job::start(bench.settings, ownRow, observer, bench.patience);
}

/// Gives the job up and blocks until its task, the other owner, has ended.
void waitForEnd(std::shared_ptr<Job> &job) {
  const std::weak_ptr<Job> watched = job;
  job.reset();
  const auto latest = Clock::now() + 20s;
  while (!watched.expired() && Clock::now() < latest)
    std::this_thread::yield();
  fail_unless(watched.expired(), "the job's task has not ended");
}

/// Blocks until the service stalls in the phase and really holds what it is to hold.
void waitForHold(const Bench &bench, Phase phase) {
  waitForStall(bench.service, phase);
  if (phase != Phase::Pause)
    bench.service.server.waitUntilHolding();
}

} // namespace

GST_START_TEST(a_job_makes_a_clip_and_says_so_once) {
  Bench bench;
  Listener listener;
  auto job = start(bench, listener);
  listener.waitFor("completed");
  job->stop();
  fail_unless_equals_int(listener.count("completed"), 1);
  fail_unless_equals_int(listener.count("failed"), 0);
  fail_unless_equals_int(listener.count("state submitting"), 1);
  fail_unless_equals_int(listener.count("state completed"), 0); // told by the call of its own
  fail_unless(contentsOf(*listener.clip) == bench.service.clip);
  fail_unless(job->status().state == State::Completed);
  fail_unless(bench.newestRow().state == LedgerRow::State::Completed);
  fail_unless(job->row() == bench.newestRow().id);
}
GST_END_TEST

GST_START_TEST(a_job_that_fails_says_why_once) {
  Bench bench;
  bench.createAnswers(400, R"({"message":"no such aspect ratio"})");
  Listener listener;
  auto job = start(bench, listener);
  listener.waitFor("failed");
  job->stop();
  fail_unless_equals_int(listener.count("failed"), 1);
  fail_unless_equals_int(listener.count("completed"), 0);
  fail_unless_equals_int(listener.count("state failed"), 0);
  fail_unless_contains(listener.error.text(), "no such aspect ratio");
  fail_unless(job->status().state == State::Failed);
  fail_unless(bench.boughtNothing());
}
GST_END_TEST

GST_START_TEST(a_failure_is_told_when_the_application_has_had_time_to_listen) {
  Bench bench;
  bench.createAnswers(400, R"({"message":"no such aspect ratio"})");
  bench.patience.firstFailure = 300ms;
  Listener listener;
  const auto started = Clock::now();
  auto job = start(bench, listener);
  listener.waitFor("failed");
  fail_unless(Clock::now() - started >= 300ms);
  job->stop();
  fail_unless_equals_int(listener.count("failed"), 1);
}
GST_END_TEST

GST_START_TEST(a_stop_does_not_wait_for_a_failure_that_is_not_told_yet) {
  Bench bench;
  bench.createAnswers(400, R"({"message":"no such aspect ratio"})");
  bench.patience.firstFailure = 1h;
  Listener listener;
  auto job = start(bench, listener);
  while (job->status().state != State::Failed)
    std::this_thread::yield();
  job->stop();
  waitForEnd(job);
  fail_unless_equals_int(listener.count("failed"), 0);
}
GST_END_TEST

GST_START_TEST(a_stop_returns_while_the_server_still_holds_its_answer) {
  for (const Phase phase : allPhases) {
    Bench bench;
    stallIn(bench.service, phase);
    Listener listener;
    auto job = start(bench, listener);
    waitForHold(bench, phase);
    job->stop();
    fail_unless(phase == Phase::Pause || bench.service.server.holding(), "%s", nameOf(phase));
    waitForEnd(job);
    fail_unless_equals_int(bench.service.purchases(), 1);
  }
}
GST_END_TEST

GST_START_TEST(nothing_is_told_after_a_stop) {
  for (const Phase phase : allPhases) {
    Bench bench;
    stallIn(bench.service, phase);
    auto listener = std::make_unique<Listener>();
    auto job = start(bench, *listener);
    waitForHold(bench, phase);
    job->stop();
    listener->expectSilence();
    fail_unless_equals_int(listener->count("failed") + listener->count("completed"), 0);
    bench.service.server.release();
    waitForEnd(job);
  }
}
GST_END_TEST

GST_START_TEST(an_observer_may_go_as_soon_as_the_job_is_stopped) {
  for (const Phase phase : allPhases) {
    Bench bench;
    stallIn(bench.service, phase);
    auto listener = std::make_unique<Listener>();
    auto job = start(bench, *listener);
    waitForHold(bench, phase);
    job->stop();
    listener.reset();
    waitForEnd(job);
  }
}
GST_END_TEST

GST_START_TEST(a_stop_before_the_first_request_buys_nothing_or_says_that_it_was_sent) {
  for (unsigned i = 0; i < 20; ++i) {
    Bench bench;
    Listener listener;
    auto job = start(bench, listener);
    job->stop();
    listener.expectSilence();
    const std::weak_ptr<Job> watched = job;
    const std::shared_ptr<Job> kept = job;
    job.reset();
    const auto latest = Clock::now() + 20s;
    while (watched.use_count() > 1 && Clock::now() < latest)
      std::this_thread::yield();
    if (bench.service.purchases() > 0)
      fail_unless(!bench.boughtNothing());
  }
}
GST_END_TEST

GST_START_TEST(a_job_may_be_stopped_out_of_an_observers_call) {
  for (const State when : {State::Submitting, State::Generating, State::Downloading, State::LookingUp}) {
    Bench bench;
    bench.service.pollsUntilCompleted = 1;
    if (when == State::LookingUp) // a note follows at once, with nothing in between that a stop could end
      bench.service.onCreate = [](const Seen &, Answer &answer) {
        answer.drop();
      };
    Listener listener;
    std::promise<std::shared_ptr<Job>> started;
    auto job = std::shared_future<std::shared_ptr<Job>>(started.get_future());
    std::promise<void> stopped;
    listener.onState = [&, job](State state) {
      if (state != when)
        return;
      job.get()->stop();
      listener.expectSilence();
      stopped.set_value();
    };
    auto running = start(bench, listener);
    started.set_value(running);
    started = {};
    job = {};
    stopped.get_future().wait();
    running->stop(); // returns when the call out of which it was stopped has ended
    listener.onState = {};
    waitForEnd(running);
  }
}
GST_END_TEST

GST_START_TEST(a_job_may_be_stopped_out_of_its_last_call) {
  Bench bench;
  Listener listener;
  std::promise<std::shared_ptr<Job>> started;
  auto job = started.get_future();
  listener.onEnd = [&] {
    const auto running = job.get();
    running->stop();
    listener.expectSilence();
  };
  auto running = start(bench, listener);
  started.set_value(running);
  listener.waitFor("completed");
  running->stop();
  listener.onEnd = {};
  waitForEnd(running);
}
GST_END_TEST

/// An application's thread that stops a job must not return, and free the observer, while another stop is under way in
/// the observer's call.
GST_START_TEST(a_stop_waits_for_the_call_out_of_which_the_job_was_stopped) {
  Bench bench;
  Listener listener;
  std::promise<std::shared_ptr<Job>> started;
  auto job = started.get_future();
  std::promise<void> stopped;
  std::promise<void> goOn;
  std::atomic<bool> inCall = false;
  listener.onState = [&](State state) {
    if (state != State::Submitting)
      return;
    inCall = true;
    job.get()->stop();
    stopped.set_value();
    goOn.get_future().wait();
    inCall = false;
  };
  auto running = start(bench, listener);
  started.set_value(running);
  stopped.get_future().wait();
  bool stillInCall = true;
  std::promise<void> asking;
  std::thread other([&] {
    asking.set_value();
    running->stop();
    stillInCall = inCall;
  });
  asking.get_future().wait();
  // time for a stop that does not wait to give itself away; one that does passes whatever the clock says
  g_usleep(20'000);
  goOn.set_value();
  other.join();
  fail_if(stillInCall);
  waitForEnd(running);
}
GST_END_TEST

GST_START_TEST(many_threads_may_stop_a_job_at_once) {
  for (unsigned i = 0; i < 20; ++i) {
    Bench bench;
    stallIn(bench.service, Phase::Submission);
    Listener listener;
    auto job = start(bench, listener);
    bench.service.server.waitUntilHolding();
    std::vector<std::thread> stoppers;
    for (unsigned j = 0; j < 4; ++j)
      stoppers.emplace_back([&] { job->stop(); });
    for (std::thread &stopper : stoppers)
      stopper.join();
    listener.expectSilence();
    job->stop();
    waitForEnd(job);
  }
}
GST_END_TEST

GST_START_TEST(a_purchase_says_sent_when_the_answer_was_never_seen) {
  Bench bench;
  stallIn(bench.service, Phase::Submission);
  Listener listener;
  auto job = start(bench, listener);
  bench.service.server.waitUntilHolding();
  job->stop();
  waitForEnd(job);
  const LedgerRow left = bench.newestRow();
  fail_unless(left.state == LedgerRow::State::Sent);
  fail_unless_equals_text(left.clientRequestId, bench.first("POST").header("X-Client-Request-Id"));

  // the next run must not buy it again
  Listener next;
  job = start(bench, next, left.id);
  next.waitFor("failed");
  job->stop();
  fail_unless(next.error.kind == ErrorKind::UnknownOutcome);
  fail_unless_contains(next.error.text(), left.clientRequestId);
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(who_starts_again_at_once_buys_nothing_new_even_without_reuse) {
  Bench bench;
  bench.settings.reuse = Reuse::None;
  stallIn(bench.service, Phase::Submission);
  Listener listener;
  auto job = start(bench, listener);
  bench.service.server.waitUntilHolding();
  job->stop();
  const int64_t left = job->row(); // while its task has not ended
  Listener next;
  job = start(bench, next, left);
  next.waitFor("failed");
  job->stop();
  fail_unless(next.error.kind == ErrorKind::UnknownOutcome);
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(who_never_gets_its_turn_to_buy_says_so) {
  Bench bench;
  bench.service.onCreate = [](const Seen &, Answer &answer) {
    answer.hold();
  };
  constexpr unsigned many = 16; // which the service may be asked at once
  std::vector<std::unique_ptr<Listener>> listeners;
  std::vector<std::shared_ptr<Job>> jobs;
  for (unsigned i = 0; i < many; ++i) {
    bench.settings.prompt = "boat " + std::to_string(i);
    listeners.push_back(std::make_unique<Listener>());
    jobs.push_back(start(bench, *listeners.back()));
    bench.service.server.waitFor("POST", "/", i + 1); // its queue of connections is short
  }
  bench.settings.prompt = "one boat too many";
  bench.settings.timeout = 1;
  Listener late;
  auto job = start(bench, late);
  late.waitFor("failed");
  job->stop();
  fail_unless(late.error.kind == ErrorKind::Busy, "%s", late.error.text().c_str());
  fail_unless_contains(late.error.text(), "too many other requests");
  fail_unless_contains(late.error.text(), "nothing was bought");
  fail_unless(bench.newestRow().state == LedgerRow::State::Failed);
  fail_unless_equals_int(bench.service.purchases(), many);
  for (const auto &other : jobs)
    other->stop();
}
GST_END_TEST

GST_START_TEST(a_purchase_says_known_when_it_was_accepted) {
  for (const Phase phase : {Phase::Poll, Phase::Pause, Phase::ClipHead, Phase::ClipBody}) {
    Bench bench;
    stallIn(bench.service, phase);
    Listener listener;
    auto job = start(bench, listener);
    waitForHold(bench, phase);
    job->stop();
    waitForEnd(job);
    const LedgerRow left = bench.newestRow();
    fail_unless(left.state == LedgerRow::State::Running || left.state == LedgerRow::State::Completed, "%s",
                nameOf(phase));
    fail_unless_equals_text(left.generationId, "gen/1:model");
    bench.service.server.release();
    bench.service.onPoll = {};
    bench.service.onClip = {};

    // the next run goes on with it
    Listener next;
    job = start(bench, next, left.id);
    next.waitFor("completed");
    job->stop();
    fail_unless(job->status().reused());
    fail_unless_equals_int(bench.service.purchases(), 1);
  }
}
GST_END_TEST

GST_START_TEST(a_clip_that_is_at_hand_is_played_again_without_a_request) {
  Bench bench;
  Listener listener;
  auto job = start(bench, listener);
  listener.waitFor("completed");
  job->stop();
  const LedgerRow left = bench.newestRow();
  const size_t asked = bench.service.server.requests().size();
  waitForEnd(job);
  Listener next;
  job = start(bench, next, left.id);
  next.waitFor("completed");
  job->stop();
  fail_unless(contentsOf(*next.clip) == bench.service.clip);
  fail_unless_equals_int(bench.service.server.requests().size(), asked);
}
GST_END_TEST

GST_START_TEST(another_request_is_bought_whatever_was_bought_before) {
  Bench bench;
  Listener listener;
  auto job = start(bench, listener);
  listener.waitFor("completed");
  job->stop();
  const LedgerRow left = bench.newestRow();
  waitForEnd(job);
  bench.settings.prompt = "another prompt";
  Listener next;
  job = start(bench, next, left.id);
  next.waitFor("completed");
  job->stop();
  fail_unless_equals_int(bench.service.purchases(), 2);
}
GST_END_TEST

static TCase *ends() {
  TCase *tests = tcase_create("ends");
  tcase_add_test(tests, a_job_makes_a_clip_and_says_so_once);
  tcase_add_test(tests, a_job_that_fails_says_why_once);
  tcase_add_test(tests, a_failure_is_told_when_the_application_has_had_time_to_listen);
  return tests;
}

static TCase *stops() {
  TCase *tests = tcase_create("stops");
  tcase_add_test(tests, a_stop_does_not_wait_for_a_failure_that_is_not_told_yet);
  tcase_add_test(tests, a_stop_returns_while_the_server_still_holds_its_answer);
  tcase_add_test(tests, nothing_is_told_after_a_stop);
  tcase_add_test(tests, an_observer_may_go_as_soon_as_the_job_is_stopped);
  tcase_add_test(tests, a_stop_before_the_first_request_buys_nothing_or_says_that_it_was_sent);
  tcase_add_test(tests, a_job_may_be_stopped_out_of_an_observers_call);
  tcase_add_test(tests, a_job_may_be_stopped_out_of_its_last_call);
  tcase_add_test(tests, a_stop_waits_for_the_call_out_of_which_the_job_was_stopped);
  tcase_add_test(tests, many_threads_may_stop_a_job_at_once);
  return tests;
}

static TCase *purchases() {
  TCase *tests = tcase_create("purchases");
  tcase_add_test(tests, a_purchase_says_sent_when_the_answer_was_never_seen);
  tcase_add_test(tests, who_starts_again_at_once_buys_nothing_new_even_without_reuse);
  tcase_add_test(tests, who_never_gets_its_turn_to_buy_says_so);
  tcase_add_test(tests, a_purchase_says_known_when_it_was_accepted);
  tcase_add_test(tests, a_clip_that_is_at_hand_is_played_again_without_a_request);
  tcase_add_test(tests, another_request_is_bought_whatever_was_bought_before);
  return tests;
}

static Suite *job_suite() {
  Suite *suite = suite_create("job");
  suite_add_tcase(suite, ends());
  suite_add_tcase(suite, stops());
  suite_add_tcase(suite, purchases());
  return suite;
}

GST_CHECK_MAIN(job)
