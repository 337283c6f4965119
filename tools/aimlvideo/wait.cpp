// SPDX-License-Identifier: LGPL-2.1-or-later
#include "wait.h"

#include <algorithm>
#include <utility>

#include "base/mutex.h"
#include "command.h"
#include "envelope.h"
#include "field_options.h"
#include "job_row.h"
#include "options.h"
#include "output.h"
#include "submit.h"

namespace aimlvideo::cli {

namespace {

using RowState = LedgerRow::State;

/// For the engine: the waiter's own patience counts.
constexpr unsigned forever = 7 * 24 * 60 * 60;

/// What a row says that nobody has to be asked about.
std::optional<Error> failureOf(const LedgerRow &row) {
  const std::string job = "job " + std::to_string(row.id);
  if (row.state == RowState::Failed || row.state == RowState::Moderated)
    return failure(ErrorKind::GenerationFailed,
                   job + (row.state == RowState::Failed ? " has failed" : " was refused for its contents"), row.cause,
                   "It is not billed. Submit it again with another prompt or picture")
        .value();
  if (row.state == RowState::Intent || row.state == RowState::NotBought)
    return failure(ErrorKind::NotFound, job + " has bought nothing", row.cause, "Submit it again").value();
  return {};
}

} // namespace

/// One job that is waited for.
class Waiter::Guest final : JobObserver {
public:
  Guest(const LedgerRow &row, Waiter &waiter) : waiter_(waiter), waited_{row, {}, failureOf(row)} {}

  bool mustAsk() const { return waited_.isPending(); }

  void begin(Settings settings) {
    settings.timeout = forever;
    settings.ledgerRow = waited_.job.id;
    settings.baseUrl = waited_.job.baseUrl;
    settings.model = waited_.job.model;
    auto job = Job::start(std::move(settings), 0, *this);
    const Lock lock(mutex_);
    job_ = std::move(job);
  }

  const std::shared_ptr<Job> &job() const { return job_; }

  /// How long it will take is told by a job that is at it.
  void lookAhead() { waited_.status = job_->status(); }

  /// Once its job is stopped.
  Waited result() {
    if (!job_)
      return waited_;
    if (const auto row = ledgerRow(waited_.job.id); row && *row)
      waited_.job = **row;
    if (!waited_.failure && !waited_.isMade())
      waited_.failure = failureOf(waited_.job);
    if (!waited_.failure)
      waited_.failure = staysUnknown(waited_.job, Settings{}.timeout);
    return waited_;
  }

private:
  // the job's thread
  void stateChanged(const Status &status) override {
    if (status.state != State::Downloading)
      return;
    waiter_.inbox_->post([this] { ended({}); });
    const Lock lock(mutex_);
    if (job_)
      job_->stop(); // here, before it asks for the clip
  }
  void completed(const Status &) override {
    waiter_.inbox_->post([this] { ended({}); });
  }
  void failed(const Status &, const Error &error) override {
    waiter_.inbox_->post([this, error] { ended(error); });
  }

  void ended(std::optional<Error> failure) {
    if (std::exchange(ended_, true))
      return;
    waited_.failure = std::move(failure);
    job_->stop();
    waiter_.leave();
  }

  Waiter &waiter_;
  Waited waited_;
  Mutex mutex_;              ///< for the job's thread, which reads what the main loop's writes
  std::shared_ptr<Job> job_; ///< null: nobody has to be asked
  bool ended_ = false;
};

Waiter::Waiter(const std::vector<LedgerRow> &jobs, const Settings &settings, std::chrono::seconds patience,
               std::function<void(std::vector<Waited>)> ended)
    : ended_(std::move(ended)) {
  for (const LedgerRow &job : jobs)
    guests_.push_back(std::make_unique<Guest>(job, *this));
  for (const auto &guest : guests_)
    if (guest->mustAsk()) {
      ++waiting_;
      guest->begin(settings);
    }
  if (waiting_ == 0)
    inbox_->post([this] { end(); });
  patience_ = g_timeout_add_once(
      static_cast<guint>(std::chrono::milliseconds(patience).count()),
      [](gpointer self) {
        static_cast<Waiter *>(self)->patience_ = 0;
        static_cast<Waiter *>(self)->end();
      },
      this);
}

Waiter::~Waiter() {
  (void)results();
}

void Waiter::leave() {
  if (--waiting_ == 0)
    end();
}

void Waiter::end() {
  if (ended_)
    std::exchange(ended_, {})(results());
}

std::vector<Waited> Waiter::interrupt() {
  ended_ = {};
  return results();
}

/// Ends what is under way.
std::vector<Waited> Waiter::results() {
  if (patience_ != 0)
    g_source_remove(std::exchange(patience_, 0));
  std::vector<const std::shared_ptr<Job> *> jobs;
  for (const auto &guest : guests_)
    if (guest->job()) {
      guest->lookAhead();
      jobs.push_back(&guest->job());
    }
  stopJobs(jobs);
  inbox_->close();
  std::vector<Waited> results;
  results.reserve(guests_.size());
  for (const auto &guest : guests_)
    results.push_back(guest->result());
  return results;
}

json::Value jsonOf(const Waited &waited) {
  json::Value object = jsonOf(waited.job);
  if (waited.isPending())
    object.set("retry_after", secondsToComeBackIn(waited.status));
  if (waited.failure)
    object.set("error", jsonOf(*waited.failure));
  return object;
}

namespace {

size_t pendingIn(const std::vector<Waited> &jobs) {
  return static_cast<size_t>(
      std::count_if(jobs.begin(), jobs.end(), [](const Waited &job) { return job.isPending(); }));
}

std::string notReady(const std::vector<Waited> &jobs) {
  return std::to_string(pendingIn(jobs)) + " of " + std::to_string(jobs.size()) + " jobs are not ready.";
}

std::string severalFailed(size_t count, const std::vector<Waited> &jobs) {
  return std::to_string(count) + " of " + std::to_string(jobs.size()) + " jobs failed";
}

} // namespace

json::Value answerOf(const std::vector<Waited> &jobs) {
  json::Value list = json::Value::array();
  json::Value error;
  size_t failed = 0;
  for (const Waited &job : jobs) {
    list.add(jsonOf(job));
    if (job.failure) {
      error = jsonOf(*job.failure);
      ++failed;
    }
  }
  if (pendingIn(jobs) > 0)
    error = errorOf("not-ready", notReady(jobs), secondsToComeBackIn(jobs));
  else if (failed > 1)
    error = errorOf("jobs-failed", severalFailed(failed, jobs));
  return answerOf("wait", json::Value::object({{"jobs", list}}), error);
}

int secondsToComeBackIn(const std::vector<Waited> &jobs) {
  int seconds = 1;
  for (const Waited &job : jobs)
    if (job.isPending())
      seconds = std::max(seconds, secondsToComeBackIn(job.status));
  return seconds;
}

namespace {

bool reachesService(const Field &field) {
  const std::string_view name = field.name;
  return name == "api-key-file" || name == "proxy" || name == "poll-interval" || name == "user-agent";
}

ExitCode report(const std::vector<Waited> &jobs) {
  for (const Waited &job : jobs)
    print(std::to_string(job.job.id) + " " + nameOf(job.job.state) +
          (job.isPending() ? " " + std::to_string(secondsToComeBackIn(job.status)) : ""));
  printJson(answerOf(jobs)["data"]);
  ExitCode code = ExitCode::Success;
  size_t failed = 0;
  for (const Waited &job : jobs)
    if (job.failure) {
      code = printError(*job.failure);
      ++failed;
    }
  if (pendingIn(jobs) > 0)
    return printTryAgain("not-ready", notReady(jobs), secondsToComeBackIn(jobs));
  return failed > 1 ? Answer::instance().fail("jobs-failed", severalFailed(failed, jobs)) : code;
}

ExitCode waitAndReport(const std::vector<LedgerRow> &jobs, const Settings &settings, std::chrono::seconds patience) {
  GMainLoop *loop = g_main_loop_new(nullptr, FALSE);
  ExitCode code = ExitCode::Success;
  Waiter waiter(jobs, settings, patience, [&](const std::vector<Waited> &waited) {
    code = report(waited);
    g_main_loop_quit(loop);
  });
  runLoop(loop, [&] {
    (void)report(waiter.interrupt());
    code = printError(failure(ErrorKind::Cancelled, "interrupted", "", "Run the same command again").value());
    g_main_loop_quit(loop);
  });
  g_main_loop_unref(loop);
  return code;
}

} // namespace

ExitCode runWait(const Arguments &arguments) {
  gint timeout = static_cast<gint>(Settings{}.timeout);
  const GOptionEntry entries[] = {
      {"timeout", 0, 0, G_OPTION_ARG_INT, &timeout, "wait at most so long, 1800 by default", "SECONDS"},
      {},
  };
  Options options("wait", "JOB...",
                  "Waits until the service has made the clips of jobs, by their numbers in the ledger. Fetches none\n"
                  "and buys nothing. Prints each job with its state, and where it is not ready, the seconds in which\n"
                  "it is likely to be.\n\n"
                  "Exit code 75: not all are ready. Run it again later.");
  options.add(entries);
  FieldOptions fieldOptions(reachesService);
  fieldOptions.addTo(options);
  const auto words = options.parse(arguments, G_MAXINT);
  const auto settings = words ? fieldOptions.settings() : std::nullopt;
  if (!settings)
    return ExitCode::Usage;
  if (words->empty() || timeout < 1 || static_cast<unsigned>(timeout) > forever) {
    printUsageError(words->empty() ? "wait needs a JOB" : "wait needs a --timeout of 1 second to 7 days");
    return ExitCode::Usage;
  }
  std::vector<LedgerRow> jobs;
  for (const std::string &word : *words) {
    auto job = jobNamed(word);
    if (!job)
      return printError(job.error());
    jobs.push_back(std::move(*job));
  }
  return waitAndReport(jobs, *settings, std::chrono::seconds(timeout));
}

} // namespace aimlvideo::cli
