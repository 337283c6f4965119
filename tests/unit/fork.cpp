// SPDX-License-Identifier: LGPL-2.1-or-later
#include <atomic>
#include <future>

#include <sys/wait.h>
#include <unistd.h>

#include <aimlvideo/job.h>

#include "bench.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

/// Runs a job to its end.
class Runner : public JobObserver {
public:
  void progressed(const Status &, const std::string &note) override {
    if (onNote && !note.empty())
      onNote(note);
  }
  void stateChanged(const Status &status) override {
    if (onState)
      onState(status.state);
  }
  void completed(const Status &) override { end_.set_value(""); }
  void failed(const Status &, const Error &error) override { end_.set_value(error.text()); }

  void start(const Bench &bench, const std::string &prompt) {
    Settings settings = bench.settings;
    settings.prompt = prompt;
    job = Job::start(settings, 0, *this, bench.patience);
  }
  /// Blocks until it has ended; says why it failed, empty if it did not.
  std::string end() {
    const std::string why = ended_.get();
    job->stop();
    return why;
  }
  std::string run(const Bench &bench, const std::string &prompt) {
    start(bench, prompt);
    return end();
  }

  std::function<void(const std::string &)> onNote;
  std::function<void(State)> onState;
  std::shared_ptr<Job> job;

private:
  std::promise<std::string> end_;
  std::future<std::string> ended_ = end_.get_future();
};

Task<void> nothing() {
  co_return;
}

std::string generate(const Bench &bench, const std::string &prompt) {
  Runner runner;
  return runner.run(bench, prompt);
}

/// A process that is forked, and leaves without destroying what is its parent's.
class Child {
public:
  /// `work` says what went wrong; empty: nothing.
  explicit Child(const std::function<std::string()> &work) : process_(fork()) {
    if (process_ != 0)
      return;
    const std::string why = work();
    if (!why.empty())
      g_printerr("in the child: %s\n", why.c_str());
    _exit(why.empty() ? 0 : 1);
  }
  Child(const Child &) = delete;
  Child &operator=(const Child &) = delete;
  ~Child() = default;

  bool succeeds() const {
    int status = 0;
    fail_unless(waitpid(process_, &status, 0) == process_);
    if (WIFSIGNALED(status))
      g_printerr("the child was ended by signal %d\n", WTERMSIG(status));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

private:
  pid_t process_;
};

/// A service where what is called "slow" waits until it is let go.
struct SlowService : Bench {
  std::atomic<bool> letGo = false;

  SlowService() {
    service.onCreate = [](const Seen &request, Answer &answer) {
      answer.json(200, contains(request.body, "slow") ? R"({"id":"slow:model","status":"queued"})"
                                                      : R"({"id":"quick:model","status":"queued"})");
    };
    service.onPoll = [this](const Seen &request, Answer &answer) {
      const bool slow = contains(request.query, "slow");
      if (slow && !letGo)
        answer.hold();
      else
        answer.json(200, service.completedReply(slow ? "slow:model" : "quick:model"));
    };
  }
  /// Blocks until the parent's generation waits, and its threads with it. GObject lists the signals that are being
  /// emitted: what a child finds of those by threads that it does not have would be taken for its own.
  void waitUntilHolding() const {
    service.server.waitUntilHolding();
    await(nothing());
  }
  void release() {
    letGo = true;
    service.server.release();
  }
};

} // namespace

GST_START_TEST(a_forked_child_generates_on_a_thread_of_its_own) {
  const Bench bench;
  fail_unless_equals_text(generate(bench, "one"), "");
  const Child child([&] {
    const std::string again = generate(bench, "one"); // which is replayed
    return again.empty() ? generate(bench, "two") : again;
  });
  fail_unless(child.succeeds());
  fail_unless_equals_int(bench.service.purchases(), 2);
  fail_unless_equals_text(generate(bench, "two"), "");
  fail_unless_equals_int(bench.service.purchases(), 2);
  fail_unless_equals_text(generate(bench, "three"), "");
  fail_unless_equals_int(bench.service.purchases(), 3);
}
GST_END_TEST

/// SQLite removes the log of writes when the last process closes the ledger. It must not take the child for none.
GST_START_TEST(a_parent_that_closes_the_ledger_takes_nothing_from_its_child) {
  const Bench bench;
  auto parents = bench.ledger();
  int opened[2];
  int closed[2];
  fail_unless(pipe(opened) == 0 && pipe(closed) == 0);
  const Child child([&]() -> std::string {
    const auto own = bench.ledger();
    char byte = 0;
    if (!own->rows() || write(opened[1], "", 1) != 1 || read(closed[0], &byte, 1) != 1)
      return "the parent has gone";
    return generate(bench, "one");
  });
  char byte = 0;
  fail_unless(read(opened[0], &byte, 1) == 1);
  parents.reset();
  fail_unless(write(closed[1], "", 1) == 1);
  fail_unless(child.succeeds());
  fail_unless_equals_text(generate(bench, "one"), "");
  fail_unless_equals_int(bench.service.purchases(), 1);
  for (const int end : {opened[0], opened[1], closed[0], closed[1]})
    close(end);
}
GST_END_TEST

GST_START_TEST(children_of_children_generate_too) {
  const Bench bench;
  fail_unless_equals_text(generate(bench, "one"), "");
  const Child child([&]() -> std::string {
    if (const std::string why = generate(bench, "two"); !why.empty())
      return why;
    const Child grandchild([&] { return generate(bench, "three"); });
    return grandchild.succeeds() ? "" : "the grandchild failed";
  });
  fail_unless(child.succeeds());
  fail_unless_equals_int(bench.service.purchases(), 3);
}
GST_END_TEST

GST_START_TEST(a_child_generates_while_its_parent_waits) {
  SlowService bench;
  Runner parents;
  parents.start(bench, "a slow one");
  bench.waitUntilHolding();
  const Child child([&] { return generate(bench, "another"); });
  fail_unless(child.succeeds());
  fail_unless(bench.service.server.holding());
  bench.release();
  fail_unless_equals_text(parents.end(), "");
  fail_unless_equals_int(bench.service.purchases(), 2);
}
GST_END_TEST

GST_START_TEST(a_child_waits_for_its_parent_with_the_same_request) {
  SlowService bench;
  Runner parents;
  parents.start(bench, "a slow one");
  bench.waitUntilHolding();
  int ends[2];
  fail_unless(pipe(ends) == 0);
  const std::string holder = "process " + std::to_string(getpid());
  const Child child([&] {
    Runner own;
    own.onNote = [&](const std::string &note) {
      if (contains(note, holder) && write(ends[1], "", 1) != 1)
        _exit(2);
    };
    return own.run(bench, "a slow one");
  });
  close(ends[1]);
  char byte = 0;
  fail_unless(read(ends[0], &byte, 1) == 1, "the child did not find its parent at work");
  bench.release();
  fail_unless_equals_text(parents.end(), "");
  fail_unless(child.succeeds());
  fail_unless_equals_int(bench.service.purchases(), 1);
  close(ends[0]);
}
GST_END_TEST

/// As programs do at their end, with all that they have: the child has a copy of the job, and no part in it.
GST_START_TEST(a_child_that_stops_its_parents_job_does_not_stop_it) {
  SlowService bench;
  Runner parents;
  parents.start(bench, "a slow one");
  bench.waitUntilHolding();
  const Child child([&]() -> std::string {
    parents.job->stop();
    parents.job.reset();
    return generate(bench, "another");
  });
  fail_unless(child.succeeds());
  fail_unless(bench.newestRow().state == LedgerRow::State::Completed);
  bench.release();
  fail_unless_equals_text(parents.end(), "");
  fail_unless_equals_int(bench.service.purchases(), 2);
}
GST_END_TEST

GST_START_TEST(a_child_that_stops_its_parents_job_waits_for_no_call_of_the_parents) {
  const Bench bench;
  std::promise<void> calling;
  std::promise<void> goOn;
  Runner parents;
  parents.onState = [&](State state) {
    if (state != State::Submitting)
      return;
    calling.set_value();
    goOn.get_future().wait();
  };
  parents.start(bench, "one");
  calling.get_future().wait();
  const Child child([&]() -> std::string {
    parents.job->stop();
    return "";
  });
  fail_unless(child.succeeds());
  goOn.set_value();
  fail_unless_equals_text(parents.end(), "");
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

static Suite *fork_suite() {
  Suite *suite = suite_create("fork");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_forked_child_generates_on_a_thread_of_its_own);
  tcase_add_test(tests, a_parent_that_closes_the_ledger_takes_nothing_from_its_child);
  tcase_add_test(tests, a_child_generates_while_its_parent_waits);
  tcase_add_test(tests, a_child_waits_for_its_parent_with_the_same_request);
  tcase_add_test(tests, a_child_that_stops_its_parents_job_does_not_stop_it);
  tcase_add_test(tests, a_child_that_stops_its_parents_job_waits_for_no_call_of_the_parents);
  TCase *descendants = tcase_create("descendants");
  suite_add_tcase(suite, descendants);
  tcase_add_test(descendants, children_of_children_generate_too);
  return suite;
}

GST_CHECK_MAIN(fork)
