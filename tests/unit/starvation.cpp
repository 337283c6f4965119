// SPDX-License-Identifier: LGPL-2.1-or-later
// What does not get on keeps nothing else waiting.
#include <atomic>
#include <condition_variable>
#include <future>

#include <aimlvideo/job.h>

#include "bench.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

/// More than the gate for polls is wide.
constexpr unsigned many = 40;

/// A job that is waited for.
class Runner : public JobObserver {
public:
  Runner(const Bench &bench, Settings settings) : job(Job::start(std::move(settings), 0, *this, bench.patience)) {}
  Runner(const Runner &) = delete;
  Runner &operator=(const Runner &) = delete;
  ~Runner() override { job->stop(); }

  void completed(const Status &) override { end_.set_value({}); }
  void failed(const Status &, const Error &error) override { end_.set_value(error); }
  /// Blocks until it has ended; with no text where it was well.
  Error end() { return ended_.get(); }

private:
  std::promise<Error> end_;
  std::future<Error> ended_ = end_.get_future();

public:
  const std::shared_ptr<Job> job; // last, since it starts at once
};

using Runners = std::vector<std::unique_ptr<Runner>>;

Settings numbered(const Bench &bench, unsigned number) {
  Settings settings = bench.settings;
  settings.prompt = "number " + std::to_string(number);
  return settings;
}

/// A call that blocks until it is let go.
class Block {
public:
  void enter() {
    std::unique_lock lock(mutex_);
    ++inside_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    --inside_;
    changed_.notify_all();
  }
  void waitFor(unsigned number) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return inside_ >= number; });
  }
  /// Returns when nobody is inside any more.
  void open() {
    std::unique_lock lock(mutex_);
    open_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return inside_ == 0; });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned inside_ = 0;
  bool open_ = false;
};

} // namespace

GST_START_TEST(polls_that_are_never_answered_keep_no_purchase_waiting) {
  Bench bench;
  bench.settings.timeout = 3600;
  bench.patience.poll = std::chrono::hours(1); // nobody gives up within this test
  bench.service.onPoll = [](const Seen &, Answer &answer) {
    answer.hold();
  };
  bench.service.onOther = [](const Seen &, Answer &answer) {
    answer.json(503, "{}"); // nobody tells a price
  };
  Runners runners;
  for (unsigned i = 0; i < many; ++i) {
    runners.push_back(std::make_unique<Runner>(bench, numbered(bench, i)));
    bench.service.server.waitFor("POST", "/", i + 1);
  }
  bench.service.server.waitFor("GET", "/v2/", 16); // which is as many polls as go at once
  // what comes before a purchase under a cap is not a poll either
  Settings capped = numbered(bench, many);
  capped.maximumCost = 100;
  Runner last(bench, capped);
  fail_unless_contains(last.end().text(), "the price is not known");
  fail_unless(bench.service.server.holding());
  for (const auto &runner : runners)
    runner->job->stop();
  fail_unless(bench.service.server.holding());
}
GST_END_TEST

GST_START_TEST(applications_that_block_keep_no_other_generation_waiting) {
  Bench bench;
  Block block;
  {
    Runners runners;
    for (unsigned i = 0; i < 16; ++i) {
      Settings settings = numbered(bench, i);
      settings.recipient = [&block]() -> Result<void> {
        block.enter();
        return {};
      };
      runners.push_back(std::make_unique<Runner>(bench, settings));
    }
    block.waitFor(16);
    Settings asking = numbered(bench, 100);
    asking.recipient = []() -> Result<void> {
      return {};
    };
    Runner other(bench, asking);
    fail_unless_equals_text(other.end().text(), "");
    // all of them are stopped here, while they block
  }
  fail_unless_equals_int(bench.service.purchases(), 1);
  block.open();
}
GST_END_TEST

GST_START_TEST(images_that_can_not_be_read_keep_no_generation_waiting_that_has_begun) {
  Bench bench;
  std::atomic<bool> done = false;
  bench.service.onPoll = [&](const Seen &, Answer &answer) {
    if (done)
      answer.json(200, bench.service.completedReply("gen/1:model"));
    else
      answer.hold();
  };
  Runner begun(bench, bench.settings);
  bench.service.server.waitUntilHolding();
  Block block;
  {
    Runners runners;
    for (unsigned i = 0; i < 16; ++i) {
      Settings settings = numbered(bench, i);
      settings.model = "kling-video/v1.6/pro/image-to-video";
      settings.imageSource = [&block]() -> Result<GivenImage> {
        block.enter();
        return failure(ErrorKind::Unreadable, "no image");
      };
      runners.push_back(std::make_unique<Runner>(bench, settings));
    }
    block.waitFor(8); // as many as are read at once
    done = true;
    bench.service.server.release();
    fail_unless_equals_text(begun.end().text(), "");
  }
  fail_unless_equals_int(bench.service.purchases(), 1);
  block.open();
}
GST_END_TEST

GST_START_TEST(what_is_stuck_is_given_up_at_the_timeout) {
  Bench bench;
  bench.settings.timeout = 1;
  Block block;
  Settings image = numbered(bench, 1);
  image.model = "kling-video/v1.6/pro/image-to-video";
  image.imageSource = [&block]() -> Result<GivenImage> {
    block.enter();
    return failure(ErrorKind::Unreadable, "no image");
  };
  Settings recipient = numbered(bench, 2);
  recipient.recipient = [&block]() -> Result<void> {
    block.enter();
    return {};
  };
  for (const Settings &settings : {image, recipient}) {
    Runner runner(bench, settings);
    const Error error = runner.end();
    fail_unless(error.kind == ErrorKind::TimedOut, "%s", error.text().c_str());
    fail_unless_contains(error.text(), "nothing was bought");
  }
  fail_unless_equals_int(bench.service.purchases(), 0);
  block.open();
}
GST_END_TEST

/// Which means that all that it holds is given back, and others may have it.
GST_START_TEST(a_job_that_is_stopped_in_what_is_stuck_ends) {
  Bench bench;
  Block block;
  Settings settings = bench.settings;
  settings.recipient = [&block]() -> Result<void> {
    block.enter();
    return {};
  };
  Runner stuck(bench, settings);
  block.waitFor(1);
  stuck.job->stop();
  Runner next(bench, bench.settings); // the same request
  fail_unless_equals_text(next.end().text(), "");
  fail_unless_equals_int(bench.service.purchases(), 1);
  block.open();
}
GST_END_TEST

static Suite *starvation_suite() {
  Suite *suite = suite_create("starvation");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, 40);
  tcase_add_test(tests, polls_that_are_never_answered_keep_no_purchase_waiting);
  tcase_add_test(tests, applications_that_block_keep_no_other_generation_waiting);
  tcase_add_test(tests, images_that_can_not_be_read_keep_no_generation_waiting_that_has_begun);
  tcase_add_test(tests, what_is_stuck_is_given_up_at_the_timeout);
  tcase_add_test(tests, a_job_that_is_stopped_in_what_is_stuck_ends);
  return suite;
}

GST_CHECK_MAIN(starvation)
