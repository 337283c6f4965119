// SPDX-License-Identifier: LGPL-2.1-or-later
#include "submit.h"

#include <chrono>
#include <utility>

#include <aimlvideo/folders.h>

#include "command.h"
#include "envelope.h"
#include "field_options.h"
#include "job_row.h"
#include "ledger/ledger.h"
#include "options.h"
#include "output.h"

namespace aimlvideo::cli {

namespace {

/// The account's log often has a submission at once, and else only when its generation has ended.
constexpr guint secondsToLookUp = 5;

bool isAccepted(const Status &status) {
  const bool atService = status.state == State::Queued || status.state == State::Generating ||
                         status.state == State::Downloading || status.state == State::Completed;
  return atService && !status.generationId.empty();
}

bool isBought(const std::optional<LedgerRow> &row) {
  return row && (row->state == LedgerRow::State::Running || row->state == LedgerRow::State::Completed);
}

} // namespace

void stopJobs(const std::vector<const std::shared_ptr<Job> *> &jobs) {
  constexpr std::chrono::milliseconds grace{500};
  constexpr gulong pause = 1000; // microseconds
  for (const auto *job : jobs)
    (*job)->stop();
  const auto latest = Clock::now() + grace;
  for (const auto *job : jobs) // its task is the other owner
    while (job->use_count() > 1 && Clock::now() < latest)
      g_usleep(pause);
}

Submitter::Submitter(Settings settings, std::function<void(Submitted)> ended)
    : baseUrl_(effectiveBaseUrl(settings)), timeout_(settings.timeout), ended_(std::move(ended)) {
  job_ = Job::start(std::move(settings), 0, *this);
}

Submitter::~Submitter() {
  stop();
}

void Submitter::stop() {
  if (patience_ != 0)
    g_source_remove(std::exchange(patience_, 0));
  stopJobs({&job_});
  inbox_->close();
}

void Submitter::stateChanged(const Status &status) {
  inbox_->post([this, status] { heard(status); });
}

void Submitter::completed(const Status &status) {
  inbox_->post([this, status] { end(Submitted::End::Accepted, status, {}); });
}

void Submitter::failed(const Status &status, const Error &error) {
  inbox_->post([this, status, error] { end(Submitted::End::Failed, status, error); });
}

void Submitter::warned(const std::string &text) {
  inbox_->post([text] { printWarning(text); });
}

void Submitter::heard(const Status &status) {
  if (isAccepted(status))
    return end(Submitted::End::Accepted, status, {});
  if (status.state == State::LookingUp && patience_ == 0)
    patience_ = g_timeout_add_once(
        1000 * secondsToLookUp,
        [](gpointer data) {
          auto *const self = static_cast<Submitter *>(data);
          self->patience_ = 0;
          if (const Status now = self->job_->status(); now.state == State::LookingUp)
            self->end(Submitted::End::Pending, now, {});
        },
        this);
}

/// What the ledger has on disk, which is what counts for everybody else. A generation that somebody else is waiting for
/// is not this job's.
std::optional<LedgerRow> Submitter::rowOnDisk(const Status &status) const {
  if (const int64_t number = job_->row(); number != 0) {
    const auto row = ledgerRow(number);
    return row ? *row : std::nullopt;
  }
  if (status.generationId.empty())
    return {};
  const auto ledger = Ledger::open(stateFolder());
  const auto row = ledger ? (*ledger)->findGeneration(baseUrl_, status.generationId) : std::nullopt;
  return row ? *row : std::nullopt;
}

void Submitter::end(Submitted::End how, const Status &status, std::optional<Error> failure) {
  if (!ended_)
    return;
  stop();
  Submitted submitted{how, rowOnDisk(status), status, std::move(failure)};
  if (how == Submitted::End::Accepted && !isBought(submitted.job)) {
    submitted.end = Submitted::End::Pending;
    submitted.failure =
        aimlvideo::failure(ErrorKind::NoSpace,
                           "the service has accepted it, as generation " + status.generationId +
                               ", and the ledger does not say so yet",
                           "the ledger can't be written", "Make room; the next run of the same looks it up")
            .value();
  }
  if (how == Submitted::End::Pending && submitted.job)
    if (auto unknown = staysUnknown(*submitted.job, timeout_)) {
      submitted.end = Submitted::End::Failed;
      submitted.failure = std::move(unknown);
    }
  std::exchange(ended_, {})(std::move(submitted));
}

Submitted Submitter::interrupt() {
  ended_ = {};
  stop();
  const Status status = job_->status();
  const auto row = rowOnDisk(status);
  const bool sent = row && row->state == LedgerRow::State::Sent;
  return {isBought(row) ? Submitted::End::Accepted
          : sent        ? Submitted::End::Pending
                        : Submitted::End::Failed,
          row,
          status,
          {}};
}

namespace {

/// What a clip is waited for with, kept in or fetched with, is for those who do so. Nobody waits for a turn here, and
/// what stays unknown is settled by `jobs resolve`.
bool isForSubmission(const Field &field) {
  const std::string_view name = field.name;
  return name != "generation-id" && name != "dry-run" && name != "temp-dir" && name != "max-clip-size" &&
         name != "poll-interval" && name != "max-in-flight" && name != "on-unknown";
}

ExitCode report(const Submitted &submitted) {
  json::Value data = json::Value::object();
  if (submitted.job) {
    data.set("job", jsonOf(*submitted.job));
    print(std::to_string(submitted.job->id));
  }
  data.set("origin", nameOf(submitted.status.origin));
  if (submitted.status.estimatedUsd)
    data.set("usd_estimated", rounded(*submitted.status.estimatedUsd));
  printJson(data);
  if (submitted.end == Submitted::End::Accepted)
    return ExitCode::Success;
  if (submitted.end == Submitted::End::Failed)
    return printError(*submitted.failure);
  const std::string why = submitted.failure
                              ? submitted.failure->text()
                              : "It was sent, and it is not known yet whether the service has accepted it.";
  return printTryAgain("outcome-pending", why, secondsToComeBackIn(submitted.status));
}

/// Interrupted while the service had not answered.
ExitCode reportInterruption(Submitted submitted) {
  Error error;
  error.kind = ErrorKind::Cancelled;
  error.what = "interrupted";
  error.remedy = "Run the same command again";
  if (submitted.end == Submitted::End::Pending)
    error.remedy += ": it finds out first whether this was bought";
  else if (submitted.end == Submitted::End::Failed)
    error.remedy += ": nothing was bought";
  else
    error.why = "generation " + submitted.job->generationId + " is bought and continues at the service";
  submitted.end = Submitted::End::Failed;
  submitted.failure = error;
  return report(submitted);
}

ExitCode submitAndReport(Settings settings) {
  GMainLoop *loop = g_main_loop_new(nullptr, FALSE);
  ExitCode code = ExitCode::Success;
  Submitter submitter(std::move(settings), [&](const Submitted &submitted) {
    code = report(submitted);
    g_main_loop_quit(loop);
  });
  runLoop(loop, [&] {
    code = reportInterruption(submitter.interrupt());
    g_main_loop_quit(loop);
  });
  g_main_loop_unref(loop);
  return code;
}

} // namespace

Result<void> checkSubmission(const Settings &settings) {
  if (settings.reuse == Reuse::None)
    return failure(ErrorKind::BadRequest, "reuse=none is not for submissions",
                   "the same submission again would buy again", "Use take for another variation");
  return checkSettings(settings);
}

ExitCode runSubmit(const Arguments &arguments) {
  Options options("submit", "[PROMPT]",
                  "Buys a generation and does not wait for it: ends when the service has accepted it, and prints the\n"
                  "number of the job. 'aimlvideo wait JOB' and 'aimlvideo fetch JOB -o FILE' go on with it, from any\n"
                  "process of this user. The same command again buys nothing: it prints the same job.\n\n"
                  "Exit code 75: it was sent, and it is not known yet whether it was accepted. Run it again later.");
  FieldOptions fieldOptions(isForSubmission);
  fieldOptions.addTo(options);
  const auto words = options.parse(arguments, 1);
  if (!words)
    return ExitCode::Usage;
  auto settings = fieldOptions.settings(*words);
  if (!settings)
    return ExitCode::Usage;
  if (const auto checked = checkSubmission(*settings); !checked)
    return printError(checked.error());
  return submitAndReport(std::move(*settings));
}

} // namespace aimlvideo::cli
