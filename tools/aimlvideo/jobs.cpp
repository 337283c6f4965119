// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>

#include <aimlvideo/folders.h>
#include <aimlvideo/job.h>
#include <aimlvideo/money.h>
#include <aimlvideo/printable.h>

#include "api/pricing.h"
#include "base/mutex.h"
#include "command.h"
#include "envelope.h"
#include "job_row.h"
#include "ledger/ledger.h"
#include "ledger/ownership.h"
#include "options.h"
#include "output.h"
#include "save.h"
#include "table.h"

namespace aimlvideo::cli {

namespace {

using RowState = LedgerRow::State;

std::string timeOf(int64_t milliseconds) {
  // asking for the local zone looks at three files each time
  static GTimeZone *const zone = g_time_zone_new_local();
  const auto utc = adopt(g_date_time_new_from_unix_utc(milliseconds / 1000));
  const auto time = adopt(utc ? g_date_time_to_timezone(utc.get(), zone) : nullptr);
  if (!time)
    return "-";
  const GCharPtr text(g_date_time_format(time.get(), "%Y-%m-%d %H:%M:%S"));
  return text.get();
}

std::string costOf(const LedgerRow &row) {
  const auto usd = billed(row).usd;
  return usd ? usdText(*usd) : "";
}

/// Files that an earlier run moved aside, for their owner to look into.
void warnOfDamagedLedgers(const std::string &folder) {
  const std::unique_ptr<GDir, void (*)(GDir *)> entries(g_dir_open(folder.c_str(), 0, nullptr), g_dir_close);
  while (const char *name = entries ? g_dir_read_name(entries.get()) : nullptr)
    if (const std::string_view file = name;
        file.starts_with("ledger.sqlite3.damaged-") && !file.ends_with("-wal") && !file.ends_with("-shm"))
      printWarning("a damaged ledger is kept as " + folder + "/" + name + "; what it had bought is not in this list");
}

ExitCode list(Ledger &ledger, bool unfinished) {
  const auto rows = ledger.rows();
  if (!rows)
    return printError(rows.error());
  json::Value jobs = json::Value::array();
  Table table({"ID", "STATE", "BEGUN", "COST", "MODEL", "GENERATION"});
  std::vector<std::optional<double>> amounts;
  for (const LedgerRow &row : *rows) {
    if (unfinished && row.state != RowState::Sent && row.state != RowState::Running)
      continue;
    amounts.push_back(billed(row).usd);
    if (isForProgram())
      jobs.add(jsonOf(row));
    else
      table.add(
          {std::to_string(row.id), nameOf(row.state), timeOf(row.created), costOf(row), row.model, row.generationId});
  }
  printJson(json::Value::object({{"jobs", jobs}, {"usd_spent", totalUsd(amounts)}}));
  table.print();
  print(std::to_string(amounts.size()) + " jobs, " + usdText(totalUsd(amounts)));
  warnOfDamagedLedgers(ledger.folder());
  return ExitCode::Success;
}

ExitCode show(Ledger &ledger, const LedgerRow &row) {
  printJson(jsonOf(row));
  print("job " + std::to_string(row.id) + ", " + nameOf(row.state));
  const auto line = [](const char *name, const std::string &text) {
    if (!text.empty())
      print("  " + std::string(name) + ": " + printable(text));
  };
  line("begun", timeOf(row.created));
  line("last change", timeOf(row.changed));
  line("model", row.model);
  line("prompt", row.prompt);
  line("generation id", row.generationId);
  line("client request id", row.clientRequestId);
  line("request id", row.requestId);
  line("service", row.baseUrl);
  line("cost", costOf(row));
  line("clip", row.clip);
  line("SHA-256", row.clipChecksum);
  line("cause", row.cause);
  line("in use by", Ownership::holder(ledger.folder(), row.owner));
  if (row.state == RowState::Sent)
    print("\nIt is not known whether the service accepted it. The same request looks it up, and\n"
          "'aimlvideo jobs resolve " +
          std::to_string(row.id) + " --bought GENERATION-ID | --not-bought' settles it.");
  return ExitCode::Success;
}

/// Says on standard error what a job does, and waits for its clip.
class Listener final : public JobObserver {
public:
  /// Blocks until the job has ended. All of the clip is there then, or why it is not.
  Result<std::shared_ptr<Spool>> wait() EXCLUDES(mutex_) {
    Lock lock(mutex_);
    while (!outcome_)
      ended_.wait(lock);
    return *outcome_;
  }

  void stateChanged(const Status &status) override { printProgress(nameOf(status.state)); }
  void progressed(const Status &, const std::string &note) override {
    if (!note.empty())
      printProgress(note);
  }
  void arriving(const Status &, const std::shared_ptr<Spool> &clip) override { clip_ = clip; }
  void completed(const Status &status) override { end(status, clip_); }
  void failed(const Status &status, const Error &error) override { end(status, tl::unexpected(error)); }

private:
  void end(const Status &status, Result<std::shared_ptr<Spool>> outcome) EXCLUDES(mutex_) {
    printProgress(nameOf(status.state));
    {
      const Lock lock(mutex_);
      outcome_ = std::move(outcome);
    }
    ended_.notifyAll();
  }

  std::shared_ptr<Spool> clip_; ///< for the job's thread
  Mutex mutex_;
  Condition ended_;
  std::optional<Result<std::shared_ptr<Spool>>> outcome_ GUARDED_BY(mutex_);
};

ExitCode resume(const LedgerRow &row, const std::string &file, Overwrite overwrite, const std::string &keyFile,
                unsigned timeout, bool incomplete) {
  if (const auto allowed = checkOutput(file, OutputKind::File, overwrite); !allowed)
    return printError(allowed.error());
  Settings settings;
  settings.incomplete = incomplete;
  settings.timeout = timeout;
  settings.ledgerRow = row.id;
  settings.baseUrl = row.baseUrl;
  settings.model = row.model;
  settings.apiKeyFile = keyFile;
  Listener listener;
  const auto job = Job::start(std::move(settings), 0, listener);
  const auto clip = listener.wait();
  const auto saved = clip ? saveClip(**clip, file, overwrite) : tl::unexpected(clip.error());
  job->stop();
  if (!saved)
    return printError(saved.error());
  printJson(json::Value::object({{"id", row.id}, {"output", file}}));
  return ExitCode::Success;
}

/// Changes of the ledger by hand wait for nobody: who works on the row knows better.
Result<Ownership> ownershipOf(const Ledger &ledger, const LedgerRow &row) {
  auto taken = Ownership::take(ledger.folder(), row.owner);
  if (!taken)
    return tl::unexpected(std::move(taken.error()));
  if (!*taken)
    return failure(ErrorKind::Busy, "job " + std::to_string(row.id) + " can't be changed",
                   "it is in use by " + Ownership::holder(ledger.folder(), row.owner), "End that process first");
  return std::move(**taken);
}

ExitCode resolve(Ledger &ledger, LedgerRow row, const std::string &generationId) {
  const auto owned = ownershipOf(ledger, row);
  if (!owned)
    return printError(owned.error());
  const auto present = ledger.row(row.id);
  if (present && *present)
    row = **present;
  if (row.state != RowState::Sent)
    return printError(failure(ErrorKind::BadRequest, "job " + std::to_string(row.id) + " needs no settling",
                              std::string("its state is ") + nameOf(row.state))
                          .value());
  row.generationId = generationId;
  row.state = generationId.empty() ? RowState::NotBought : RowState::Running;
  row.cause = generationId.empty() ? "settled by hand: not bought" : "";
  if (const auto written = ledger.write(row); !written)
    return printError(written.error());
  printJson(jsonOf(row));
  print("job " + std::to_string(row.id) + " is now " + nameOf(row.state));
  return ExitCode::Success;
}

ExitCode forget(Ledger &ledger, const LedgerRow &row, bool force) {
  const auto owned = ownershipOf(ledger, row);
  if (!owned)
    return printError(owned.error());
  if (!force && (row.state == RowState::Sent || row.state == RowState::Running))
    return printError(failure(ErrorKind::BadRequest, "job " + std::to_string(row.id) + " is not forgotten",
                              std::string("its state is ") + nameOf(row.state) +
                                  ", and the same request would be bought a second time",
                              "Resume or resolve it first, or add --force")
                          .value());
  if (const auto removed = ledger.remove(row.id); !removed)
    return printError(removed.error());
  printJson(json::Value::object({{"id", row.id}}));
  return ExitCode::Success;
}

/// 0, which no job has: it is no number and nothing else, such as `12 13` or `1x`.
int64_t idIn(const std::string &text) {
  gint64 id = 0;
  return g_ascii_string_to_signed(text.c_str(), 10, 1, G_MAXINT64, &id, nullptr) ? id : 0;
}

constexpr auto explanation = "What this user has bought, by the ledger on this machine.\n\n"
                             "  list              the jobs, newest first\n"
                             "  show ID           all that is known of one\n"
                             "  resume ID FILE    fetch its clip into a new file; nothing is bought\n"
                             "  resolve ID        settle a submission of unknown outcome: --bought GENERATION-ID or\n"
                             "                    --not-bought, as the account's logs say\n"
                             "  forget ID         remove it from the ledger; the service is not told\n\n"
                             "States: intent (nothing sent), sent (outcome unknown), running (bought), completed,\n"
                             "failed and moderated (not billed), not-bought.";

} // namespace

ExitCode runJobs(const Arguments &arguments) {
  gboolean unfinished = FALSE;
  gboolean notBought = FALSE;
  gboolean force = FALSE;
  gboolean incomplete = FALSE;
  TextOption bought;
  TextOption keyFile;
  gint timeout = static_cast<gint>(Settings{}.timeout);
  const GOptionEntry entries[] = {
      {"unfinished", 0, 0, G_OPTION_ARG_NONE, &unfinished, "list: only those whose state is sent or running", nullptr},
      {"api-key-file", 0, 0, G_OPTION_ARG_FILENAME, keyFile.slot(), "resume: file with the API key", "FILE"},
      {"timeout", 0, 0, G_OPTION_ARG_INT, &timeout,
       "resume: give up after this time (the generation continues), 1800 by default", "SECONDS"},
      {"incomplete", 0, 0, G_OPTION_ARG_NONE, &incomplete,
       "resume: if the whole clip can't be fetched, write what there is", nullptr},
      {"bought", 0, 0, G_OPTION_ARG_STRING, bought.slot(), "resolve: it was bought under this id", "GENERATION-ID"},
      {"not-bought", 0, 0, G_OPTION_ARG_NONE, &notBought, "resolve: the service has not accepted it", nullptr},
      {"force", 0, 0, G_OPTION_ARG_NONE, &force, "forget: also what is bought and not fetched; resume: overwrite FILE",
       nullptr},
      {},
  };
  Options options("jobs", "[list | show ID | resume ID FILE | resolve ID | forget ID]", explanation);
  options.add(entries);
  const auto words = options.parse(arguments, 3);
  if (!words)
    return ExitCode::Usage;
  const std::string action = words->empty() ? "list" : words->front();
  const size_t wanted = action == "list" ? std::min<size_t>(words->size(), 1) : action == "resume" ? 3 : 2;
  const std::vector<std::string> actions{"list", "show", "resume", "resolve", "forget"};
  if (std::find(actions.begin(), actions.end(), action) == actions.end() || words->size() != wanted) {
    const char *needed = action == "resume" ? " needs an ID and a FILE" : " needs an ID";
    printUsageError("jobs " + action + (words->size() < wanted ? needed : " can't be understood"));
    return ExitCode::Usage;
  }
  if (action == "resolve" && bought.given() == (notBought != FALSE)) {
    printUsageError("jobs resolve needs either --bought GENERATION-ID or --not-bought");
    return ExitCode::Usage;
  }

  if (timeout < 1) {
    printUsageError("jobs resume needs a --timeout of at least 1 second");
    return ExitCode::Usage;
  }

  Answer::instance().rename("jobs " + action);
  const auto ledger = Ledger::open(stateFolder());
  if (!ledger)
    return printError(ledger.error());
  if (action == "list")
    return list(**ledger, unfinished);
  const auto row = (*ledger)->row(idIn((*words)[1]));
  if (!row)
    return printError(row.error());
  if (!*row)
    return printError(failure(ErrorKind::NotFound, "the ledger has no job \"" + (*words)[1] + "\"", "",
                              "'aimlvideo jobs list' lists those that it has")
                          .value());
  if (action == "show")
    return show(**ledger, **row);
  if (action == "resume")
    return resume(**row, pathNamed((*words)[2]), force ? Overwrite::Yes : Overwrite::No, keyFile.text(),
                  static_cast<unsigned>(timeout), incomplete);
  if (action == "resolve")
    return resolve(**ledger, **row, bought.text());
  return forget(**ledger, **row, force);
}

} // namespace aimlvideo::cli
