// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>
#include <cstdint>

#include <aimlvideo/folders.h>
#include <aimlvideo/job.h>
#include <aimlvideo/money.h>
#include <aimlvideo/printable.h>

#include "api/nearest.h"
#include "base/mutex.h"
#include "command.h"
#include "envelope.h"
#include "job_list.h"
#include "job_row.h"
#include "ledger/ledger.h"
#include "ledger/ownership.h"
#include "options.h"
#include "output.h"
#include "save.h"

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

/// What a run of the same request finds, and what can be done by hand.
std::string outlookOf(const LedgerRow &row) {
  const std::string id = std::to_string(row.id);
  const std::string clip = clipFolder() + "/" + row.clip;
  switch (row.state) {
  case RowState::Sent:
    return "It is not known whether the service accepted it. The same request looks it up, and\n'aimlvideo jobs "
           "resolve " +
           id + " --bought GENERATION-ID | --not-bought' settles it.";
  case RowState::Running:
    return "It is bought. The same request fetches its clip, and so does 'aimlvideo jobs resume " + id + " FILE'.";
  case RowState::Completed:
    return row.clip.empty() || !g_file_test(clip.c_str(), G_FILE_TEST_EXISTS)
               ? "It is bought, and its clip is not kept here. The same request fetches it again as long as the "
                 "service has it,\nand so does 'aimlvideo jobs resume " +
                     id + " FILE'."
               : "It is bought, and its clip is kept. The same request replays it, and 'aimlvideo jobs resume " + id +
                     " FILE' copies it.";
  case RowState::Moderated:
    return "Nothing was billed. The same request is not sent again, unless with reuse=none.";
  case RowState::Intent:
    return "Nothing was sent and nothing is bought.";
  case RowState::Failed:
  case RowState::NotBought:
    return "Nothing was billed. The same request is bought anew.";
  }
  return "";
}

std::string withPresence(const std::string &path) {
  return path.empty() || g_file_test(path.c_str(), G_FILE_TEST_EXISTS) ? path : path + " (not there)";
}

std::string spanText(int64_t milliseconds) {
  const int64_t seconds = milliseconds / 1000;
  return seconds < 60 ? std::to_string(seconds) + " s"
                      : std::to_string(seconds / 60) + " min " + std::to_string(seconds % 60) + " s";
}

ExitCode show(Ledger &ledger, const LedgerRow &row) {
  printJson(jsonOf(row));
  print("job " + std::to_string(row.id) + ", " + nameOf(row.state));
  const auto line = [](const std::string &name, const std::string &text) {
    if (!text.empty())
      print("  " + name + ": " + printable(text));
  };
  line("prompt", row.prompt);
  line("output", withPresence(row.output));
  line("model", row.model);
  line("duration", row.duration.empty() ? "" : row.duration + " s");
  line("resolution", row.resolution);
  line("begun", timeOf(row.created));
  line("accepted", row.submitted == 0 ? "" : timeOf(row.submitted));
  line("last change", timeOf(row.changed));
  if (row.state == RowState::Completed && row.submitted != 0)
    line("took", spanText(row.changed - row.submitted));
  line("cost", costOf(row));
  line("cause", row.cause);
  line("generation id", row.generationId);
  line("client request id", row.clientRequestId);
  line("request id", row.requestId);
  line("service", row.baseUrl);
  line("endpoint", row.family == EndpointFamily::Legacy ? "legacy" : "universal");
  line("clip", row.clip.empty() ? "" : withPresence(clipFolder() + "/" + row.clip));
  const GCharPtr size(row.clipSize > 0 ? g_format_size(static_cast<guint64>(row.clipSize)) : g_strdup(""));
  line("size", size.get());
  line("SHA-256", row.clipChecksum);
  line("in use by", Ownership::holder(ledger.folder(), row.owner));
  print("\n" + outlookOf(row));
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

ExitCode resume(Ledger &ledger, const LedgerRow &row, const std::string &file, Overwrite overwrite,
                const std::string &keyFile, unsigned timeout, bool incomplete) {
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
  const GCharPtr path(g_canonicalize_filename(file.c_str(), nullptr));
  if (ledger.keepsPrompts(row.prompt.empty() ? StorePrompt::No : StorePrompt::Default))
    static_cast<void>(ledger.describe(row.id, "", path.get()));
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

/// What the ledger would no longer know; empty: nothing of worth.
std::string lossOf(const LedgerRow &row) {
  const std::string again = "and without its row the same request is bought again";
  switch (row.state) {
  case RowState::Sent:
    return "it may be bought, " + again;
  case RowState::Running:
  case RowState::Completed:
    return "it is bought" + (costOf(row).empty() ? "" : " for " + costOf(row)) + ", " + again;
  default:
    return "";
  }
}

ExitCode forget(Ledger &ledger, const LedgerRow &row, bool force) {
  const auto owned = ownershipOf(ledger, row);
  if (!owned)
    return printError(owned.error());
  const std::string name = "job " + std::to_string(row.id);
  const std::string loss = lossOf(row);
  if (!force && !loss.empty())
    return printError(failure(ErrorKind::BadRequest, name + " is not forgotten", loss,
                              row.state == RowState::Sent
                                  ? "Settle it with 'aimlvideo jobs resolve', or add --force to forget it all the same"
                                  : "Add --force to forget it all the same")
                          .value());
  if (const auto removed = ledger.remove(row.id); !removed)
    return printError(removed.error());
  printJson(json::Value::object({{"id", row.id}}));
  print(name + " is forgotten" + (loss.empty() ? "" : ": " + loss));
  if (!loss.empty() && !row.generationId.empty())
    print("generation-id=" + row.generationId + " still fetches its clip, as long as the service has it");
  return ExitCode::Success;
}

/// 0, which no job has: it is no number and nothing else, such as `12 13` or `1x`.
int64_t idIn(const std::string &text) {
  gint64 id = 0;
  return g_ascii_string_to_signed(text.c_str(), 10, 1, G_MAXINT64, &id, nullptr) ? id : 0;
}

constexpr auto explanation =
    "What this user has bought, by the ledger on this machine.\n\n"
    "  list [WORD...]    the jobs, newest first, or those with all of the words in prompt, output, model, an id or\n"
    "                    the cause of a failure; on a terminal the newest 20 of them\n"
    "  show ID           the whole story of one\n"
    "  resume ID FILE    fetch its clip into a new file; nothing is bought\n"
    "  resolve ID        settle a submission of unknown outcome: --bought GENERATION-ID or\n"
    "                    --not-bought, as the account's logs say\n"
    "  forget ID         remove it from the ledger; the service is not told\n\n"
    "ID is its number, or the id of its generation.\n\n"
    "States: intent (nothing sent), sent (outcome unknown), running (bought), completed,\n"
    "failed and moderated (not billed), not-bought.";

/// What is asked for.
struct Query {
  std::string action = "list";
  Arguments words; ///< after the action
  JobFilter filter;
  std::optional<size_t> limit;
};

ExitCode list(Ledger &ledger, const Query &query) {
  const auto rows = ledger.rows();
  if (!rows)
    return printError(rows.error());
  if (isForProgram())
    printJson(jsonOfJobs(*rows, query.filter, query.limit));
  else
    printJobs(*rows, query.filter, query.limit);
  warnOfDamagedLedgers(ledger.folder());
  return ExitCode::Success;
}

/// The mistake in a query, as a sentence; empty: there is none.
std::string problemIn(const Query &query) {
  const std::string &action = query.action;
  const std::vector<std::string> actions{"list", "show", "resume", "resolve", "forget"};
  if (std::ranges::find(actions, action) == actions.end()) {
    const std::string nearest = nearestTo(action, actions);
    return "there is no \"jobs " + action + "\"" +
           (idIn(action) != 0 ? "; 'aimlvideo jobs show " + action + "' shows that one"
            : nearest.empty() ? "; 'aimlvideo jobs list " + action + "' looks for the word"
                              : ". Did you mean " + nearest + "?");
  }
  if (action == "list")
    return "";
  if (query.filter.any() || query.limit)
    return "jobs " + action +
           " is about one job; --limit, --model, --since, --state and --unfinished are for jobs list";
  const size_t wanted = action == "resume" ? 2 : 1;
  if (query.words.size() < wanted)
    return "jobs " + action + (wanted == 2 ? " needs an ID and a FILE" : " needs an ID");
  return query.words.size() > wanted ? "\"" + query.words[wanted] + "\" is one argument too many" : "";
}

} // namespace

ExitCode runJobs(const Arguments &arguments) {
  gboolean unfinished = FALSE;
  gboolean notBought = FALSE;
  gboolean force = FALSE;
  gboolean incomplete = FALSE;
  gint limit = -1;
  TextOption model;
  TextOption state;
  TextOption since;
  TextOption bought;
  TextOption keyFile;
  gint timeout = static_cast<gint>(Settings{}.timeout);
  const GOptionEntry entries[] = {
      {"limit", 'n', 0, G_OPTION_ARG_INT, &limit, "list: at most so many; 0: all", "NUMBER"},
      {"model", 'm', 0, G_OPTION_ARG_STRING, model.slot(), "list: only those of models with this in their name",
       "TEXT"},
      {"since", 0, 0, G_OPTION_ARG_STRING, since.slot(),
       "list: only those begun since then: 40s, 15m, 2h, 3d or 1w ago, or a date such as 2026-11-01", "TIME"},
      {"state", 0, 0, G_OPTION_ARG_STRING, state.slot(), "list: only those in these states, with commas between them",
       "STATES"},
      {"unfinished", 0, 0, G_OPTION_ARG_NONE, &unfinished, "list: the same as --state sent,running", nullptr},
      {"api-key-file", 0, 0, G_OPTION_ARG_FILENAME, keyFile.slot(), "resume: file with the API key", "FILE"},
      {"timeout", 0, 0, G_OPTION_ARG_INT, &timeout,
       "resume: give up after this time (the generation continues), 1800 by default", "SECONDS"},
      {"incomplete", 0, 0, G_OPTION_ARG_NONE, &incomplete,
       "resume: if the whole clip can't be fetched, write what there is", nullptr},
      {"bought", 0, 0, G_OPTION_ARG_STRING, bought.slot(), "resolve: it was bought under this id", "GENERATION-ID"},
      {"not-bought", 0, 0, G_OPTION_ARG_NONE, &notBought, "resolve: the service has not accepted it", nullptr},
      {"force", 0, 0, G_OPTION_ARG_NONE, &force, "forget: also what is bought; resume: overwrite FILE", nullptr},
      {},
  };
  Options options("jobs", "[list [WORD...] | show ID | resume ID FILE | resolve ID | forget ID]", explanation);
  options.add(entries);
  auto words = options.parse(arguments, arguments.size());
  if (!words)
    return ExitCode::Usage;
  const auto usage = [](const std::string &what) {
    printUsageError(what);
    return ExitCode::Usage;
  };
  Query query;
  if (!words->empty()) {
    query.action = words->front();
    query.words.assign(words->begin() + 1, words->end());
  }
  if (limit < -1)
    return usage("--limit can't be less than 0");
  if (limit >= 0)
    query.limit = limit == 0 ? SIZE_MAX : static_cast<size_t>(limit);
  query.filter.model = model.text();
  if (unfinished)
    query.filter.states = {RowState::Sent, RowState::Running};
  if (const auto states = statesIn(state.text()); state.given() && !states)
    return usage(states.error().text());
  else if (state.given())
    query.filter.states = *states;
  if (const auto begun = sinceIn(since.text(), g_get_real_time() / 1000); since.given() && !begun)
    return usage("--since: " + begun.error().text());
  else if (since.given())
    query.filter.since = *begun;
  if (const std::string problem = problemIn(query); !problem.empty())
    return usage(problem);
  if (query.action == "resolve" && bought.given() == (notBought != FALSE))
    return usage("jobs resolve needs either --bought GENERATION-ID or --not-bought");
  if (timeout < 1)
    return usage("jobs resume needs a --timeout of at least 1 second");

  Answer::instance().rename("jobs " + query.action);
  const auto ledger = Ledger::open(stateFolder());
  if (!ledger)
    return printError(ledger.error());
  if (query.action == "list") {
    query.filter.words = query.words;
    return list(**ledger, query);
  }
  const auto row = jobNamed(query.words.front());
  if (!row)
    return printError(row.error());
  if (query.action == "show")
    return show(**ledger, *row);
  if (query.action == "resume")
    return resume(**ledger, *row, pathNamed(query.words[1]), force ? Overwrite::Yes : Overwrite::No, keyFile.text(),
                  static_cast<unsigned>(timeout), incomplete);
  if (query.action == "resolve")
    return resolve(**ledger, *row, bought.text());
  return forget(**ledger, *row, force);
}

} // namespace aimlvideo::cli
