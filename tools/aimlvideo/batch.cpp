// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <deque>
#include <filesystem>

#include <aimlvideo/folders.h>
#include <aimlvideo/money.h>
#include <aimlvideo/printable.h>

#include "api/pricing.h"
#include "base/cancellation.h"
#include "base/glib_ptr.h"
#include "budget.h"
#include "command.h"
#include "envelope.h"
#include "journal.h"
#include "ledger/ledger.h"
#include "output.h"
#include "report.h"
#include "table.h"
#include "terminal.h"

namespace aimlvideo::cli {

namespace {

using RowState = RowResult::State;

/// Without its unit.
std::string amountText(double usd) {
  const std::string text = usdText(usd);
  return text.substr(0, text.find(' '));
}

/// A manifest at work, in the main loop's thread.
class Batch {
public:
  Batch(std::vector<ManifestRow> rows, Journal journal, Budget budget, size_t atOnce)
      : rows_(std::move(rows)),
        results_(rows_.size()),
        journal_(std::move(journal)),
        budget_(std::move(budget)),
        atOnce_(atOnce),
        loop_(g_main_loop_new(nullptr, FALSE)) {}
  Batch(const Batch &) = delete;
  Batch &operator=(const Batch &) = delete;
  ~Batch() { g_main_loop_unref(loop_); }

  /// Sorts out what is made already; the problems are outputs that are in the way.
  std::vector<std::string> queueWhatIsLeft();
  ExitCode run();
  const std::vector<ManifestRow> &rows() const { return rows_; }
  const std::vector<RowResult> &results() const { return results_; }

private:
  struct Running {
    std::unique_ptr<Production> production;
    Clock::time_point begun;
  };

  void pump();
  void pumpSoon();
  void begin(size_t index);
  void ended(size_t index, const std::optional<Error> &failure);
  void leave(RowState state);
  void tell(size_t index);
  std::optional<double> secondsLeft(const std::vector<Progress> &running) const;
  std::vector<std::string> overall(const std::vector<Progress> &running, size_t columns) const;
  void draw();
  void interrupt();
  size_t count(RowState state) const;
  std::string leftOut() const;
  void summarise();
  ExitCode exitCode() const;

  std::vector<ManifestRow> rows_;
  std::vector<RowResult> results_;
  Journal journal_;
  Budget budget_;
  const size_t atOnce_;
  GMainLoop *loop_;
  LiveLines lines_;
  std::deque<size_t> queue_;
  std::map<size_t, Running> running_;
  std::optional<Error> stopper_; ///< after which every row would fail alike
  bool interrupted_ = false;
  size_t unknown_ = 0; ///< rows that were sent when it was interrupted, and perhaps bought
};

std::vector<std::string> Batch::queueWhatIsLeft() {
  std::vector<std::string> problems;
  for (size_t i = 0; i < rows_.size(); ++i) {
    const Order &order = rows_[i].order;
    if (order.overwrite == Overwrite::No && journal_.isMade(order, rows_[i].recipe())) {
      results_[i].state = RowState::MadeBefore;
      WorkFolder::sweep(order.output);
      const Journal::Entry *entry = journal_.find(order.output);
      results_[i].status.generationId = entry->generationId;
      results_[i].status.usage.usd = 0;
    } else if (const auto checked = checkOrder(order); !checked) {
      problems.push_back("row " + std::to_string(rows_[i].number) + ": " + checked.error().text());
    } else {
      queue_.push_back(i);
    }
  }
  return problems;
}

void Batch::pumpSoon() {
  g_idle_add_once([](gpointer batch) { static_cast<Batch *>(batch)->pump(); }, this);
}

/// Begins what may begin. A row that is too dear now waits: what runs may turn out cheaper.
void Batch::pump() {
  for (auto next = queue_.begin(); next != queue_.end() && running_.size() < atOnce_ && !interrupted_;) {
    if (!budget_.take(rows_[*next])) {
      ++next;
      continue;
    }
    const size_t index = *next;
    next = queue_.erase(next);
    begin(index);
  }
  if (!running_.empty() || interrupted_)
    return;
  leave(RowState::OverBudget);
  g_main_loop_quit(loop_);
}

void Batch::begin(size_t index) {
  Order order = rows_[index].order;
  if (budget_.limited())
    order.settings.maximumCost = budget_.capOf(rows_[index]);
  Production::Hooks hooks;
  hooks.changed = [] {
  };
  hooks.publishing = [this, index](const std::string &checksum) {
    const std::string &generation = running_[index].production->status().generationId;
    return journal_.add(rows_[index].order, {rows_[index].recipe(), checksum, generation});
  };
  hooks.ended = [this, index](const std::optional<Error> &failure) {
    ended(index, failure);
  };
  results_[index].state = RowState::Running;
  Running &running = running_[index];
  running.begun = Clock::now();
  running.production = std::make_unique<Production>(std::move(order), std::move(hooks));
  // from the loop, since it may end at once
  running.production->startSoon();
}

void Batch::ended(size_t index, const std::optional<Error> &failure) {
  const auto running = running_.extract(index);
  RowResult &result = results_[index];
  result.status = running.mapped().production->status();
  result.seconds = std::chrono::duration<double>(Clock::now() - running.mapped().begun).count();
  pumpSoon();
  if (failure && failure->kind == ErrorKind::BadRequest && budget_.limited() && budget_.isPaid(rows_[index])) {
    // it was paid for and is lost at the service: it has to fit the budget like any other
    budget_.forgetPayment(rows_[index]);
    result.state = RowState::Waiting;
    return queue_.push_back(index);
  }
  budget_.settle(rows_[index], result.status, failure);
  result.failure = failure;
  const bool tooDear = failure && failure->roomAt != 0;
  result.state = tooDear ? RowState::OverBudget : failure ? RowState::Failed : RowState::Made;
  tell(index);
  if (failure && failure->kind == ErrorKind::NotAuthorized && !stopper_) {
    stopper_ = failure;
    leave(RowState::NotStarted);
  }
}

/// Gives up what has not begun.
void Batch::leave(RowState state) {
  for (const size_t index : std::exchange(queue_, {})) {
    results_[index].state = state;
    tell(index);
  }
}

void Batch::tell(size_t index) {
  const ManifestRow &row = rows_[index];
  const RowResult &result = results_[index];
  const bool failed = result.state == RowState::Failed;
  if (!isForProgram()) {
    if (failed || loudness() != Loudness::Quiet)
      print(summaryOf(row, result), failed ? std::optional(Colour::Red) : std::nullopt);
    std::fflush(stdout);
    return;
  }
  Answer::instance().tell("row",
                          Members()
                              .integer("row", static_cast<int64_t>(row.number))
                              .text("output", row.order.output)
                              .text("state", nameOf(result.state))
                              .generation(result.status)
                              .number("seconds", result.seconds)
                              .value(),
                          result.failure ? jsonOf(*result.failure) : json::Value());
}

size_t Batch::count(RowState state) const {
  return static_cast<size_t>(std::count_if(results_.begin(), results_.end(),
                                           [state](const RowResult &result) { return result.state == state; }));
}

/// How many rows were too dear, and for what; empty: none.
std::string Batch::leftOut() const {
  std::vector<const Error *> byLimits;
  for (const RowResult &result : results_)
    if (result.state == RowState::OverBudget && result.failure)
      byLimits.push_back(&*result.failure);
  const size_t byBudget = count(RowState::OverBudget) - byLimits.size();
  std::string text = byBudget > 0 ? "--max-cost leaves " + std::to_string(byBudget) + " rows out" : "";
  if (!byLimits.empty())
    text += (text.empty() ? "" : "; ") + std::string("a limit on spending leaves ") + std::to_string(byLimits.size()) +
            " rows out: " + byLimits.back()->text();
  return text;
}

/// Seconds until the service has made all, by what the rows took so far and what is left of those that run; empty:
/// nobody knows.
std::optional<double> Batch::secondsLeft(const std::vector<Progress> &running) const {
  std::vector<double> ends;
  std::vector<double> whole; // of rows, from the beginning to the end
  size_t notBegun = queue_.size();
  auto progress = running.begin();
  for (const auto &[index, row] : running_) {
    const bool isMade = row.production->transcoding() || row.production->status().state >= State::Downloading;
    const auto left = isMade || progress->longerThanUsual ? std::optional(0.0) : progress->left;
    if (left) {
      ends.push_back(*left);
      whole.push_back(progress->elapsed + *left);
    } else {
      ++notBegun; // at the service
    }
    ++progress;
  }
  for (const RowResult &result : results_)
    if (result.state == RowState::Made)
      whole.push_back(result.seconds);
  return timeForAll(std::move(ends), notBegun, whole);
}

/// `3 of 10 made, 4 running, 3 waiting, 1 failed; about 4:10 left; 1.82 of 5.00 USD committed; 0.91 USD billed`, in as
/// many lines as it takes.
std::vector<std::string> Batch::overall(const std::vector<Progress> &running, size_t columns) const {
  std::string rows = std::to_string(count(RowState::Made) + count(RowState::MadeBefore)) + " of " +
                     std::to_string(rows_.size()) + " made, " + std::to_string(running.size()) + " running";
  if (!queue_.empty())
    rows += ", " + std::to_string(queue_.size()) + " waiting";
  if (const size_t failed = count(RowState::Failed); failed > 0)
    rows += ", " + std::to_string(failed) + " failed";
  std::vector<std::string> lines{std::move(rows)};
  const auto add = [&](const std::string &part) {
    if (cellsOf(lines.back()) + 2 + cellsOf(part) <= columns)
      lines.back() += "; " + part;
    else
      lines.push_back(part);
  };
  if (const auto left = secondsLeft(running); left && *left > 0)
    add("about " + timeText(std::ceil(*left)) + " left");
  std::vector<std::optional<double>> billed;
  for (const RowResult &result : results_)
    if (result.isBilled())
      billed.push_back(result.status.billed().usd);
  if (budget_.limited())
    add(amountText(budget_.committed()) + " of " + usdText(budget_.limit()) + " committed");
  add(usdText(totalUsd(billed)) + " billed");
  return lines;
}

void Batch::draw() {
  if (!lines_.possible() || isForProgram() || interrupted_)
    return;
  constexpr size_t longestName = 32;
  constexpr size_t longestState = 11; // `downloading`, of those that last
  const size_t columns = lines_.columns();
  size_t nameColumns = 0;
  for (const auto &[index, running] : running_)
    nameColumns = std::max(nameColumns, cellsOf(rows_[index].order.output));
  nameColumns = std::min({nameColumns, longestName, columns * 2 / 5});
  std::vector<Progress> all;
  all.reserve(running_.size());
  for (auto &[index, running] : running_)
    all.push_back(running.production->progress());
  const std::vector<std::string> end = overall(all, columns);
  const size_t most = std::max(lines_.rows(), end.size()) - end.size();
  std::vector<std::string> lines;
  for (auto &[index, running] : running_)
    if (lines.size() < most)
      lines.push_back(
          padded(printable(rows_[index].order.output), nameColumns) + "  " +
          progressText(running.production->doing(), all[lines.size()], columns - nameColumns - 2, longestState));
  lines.insert(lines.end(), end.begin(), end.end());
  lines_.show(std::move(lines));
}

void Batch::interrupt() {
  interrupted_ = true;
  std::vector<Production *> productions;
  productions.reserve(running_.size());
  for (const auto &[index, running] : running_)
    productions.push_back(running.production.get());
  Production::stop(productions);
  const auto ledger = Ledger::open(stateFolder()); // once for all of them
  for (const auto &[index, running] : running_) {
    results_[index].status = running.production->status();
    unknown_ += running.production->isUnknown() ? 1 : 0;
  }
  running_.clear();
  g_main_loop_quit(loop_);
}

void Batch::summarise() {
  const Totals totals = totalsOf(results_);
  lines_.clear();
  if (isForProgram()) {
    Answer::instance().setEvent("summary");
    printJson(Members()
                  .integer("rows", static_cast<int64_t>(rows_.size()))
                  .integer("made", static_cast<int64_t>(totals.made))
                  .integer("made_before", static_cast<int64_t>(totals.madeBefore))
                  .integer("bought", static_cast<int64_t>(totals.bought))
                  .integer("failed", static_cast<int64_t>(totals.failed))
                  .integer("over_budget", static_cast<int64_t>(totals.overBudget))
                  .number("usd_spent", totals.usd)
                  .value());
  } else if (loudness() != Loudness::Quiet) {
    print(std::to_string(totals.made) + " of " + std::to_string(rows_.size()) + " made, " +
          std::to_string(totals.madeBefore) + " of them before; " + std::to_string(totals.bought) + " bought for " +
          totals.cost + "; " + std::to_string(totals.failed) + " failed");
  }
  std::fflush(stdout);
  if (totals.madeBefore > 0 && !rows_.front().order.signWith.empty())
    printWarning("what was made before was not signed now; --force makes it anew, without buying");
  if (stopper_)
    printError(*stopper_);
  if (totals.overBudget > 0)
    printFailure(leftOut());
  if (unknown_ > 0)
    printFailure(std::to_string(unknown_) +
                 " rows were sent and not answered; the next run finds out which are bought");
  if (interrupted_)
    printFailure(
        "interrupted. Run the same command again to resume: what is bought continues at the service and is not "
        "bought again");
}

ExitCode Batch::exitCode() const {
  Answer &answer = Answer::instance();
  if (interrupted_)
    return answer.fail("cancelled", "interrupted; run the same command again to resume");
  if (stopper_)
    return exitCodeFor(stopper_->kind);
  if (const size_t failed = count(RowState::Failed); failed > 0)
    return answer.fail("rows-failed", std::to_string(failed) + " of " + std::to_string(rows_.size()) + " rows failed");
  if (const std::string left = leftOut(); !left.empty())
    return answer.fail("over-budget", left);
  return ExitCode::Success;
}

ExitCode Batch::run() {
  for (size_t i = 0; i < rows_.size(); ++i)
    if (results_[i].state == RowState::MadeBefore)
      tell(i);
  const guint clock = g_timeout_add(
      redrawInterval,
      [](gpointer batch) -> gboolean {
        static_cast<Batch *>(batch)->draw();
        return G_SOURCE_CONTINUE;
      },
      this);
  pumpSoon();
  runLoop(loop_, [this] { interrupt(); });
  g_source_remove(clock);
  summarise();
  return exitCode();
}

ExitCode refuse(const std::string &manifest, const std::vector<std::string> &problems) {
  for (const std::string &problem : problems)
    printFailure(manifest + ": " + problem);
  const std::string summary = std::to_string(problems.size()) +
                              (problems.size() == 1 ? " mistake in " : " mistakes in ") + manifest +
                              "; nothing was bought";
  printFailure(summary);
  return Answer::instance().fail("bad-request", printable(summary), problems);
}

/// Rows read below the folder of the manifest and write there and below the present folder, unless the user says more.
void addFolders(ManifestTerms &terms, const std::string &manifest, const TextOption &filesFrom,
                const TextOption &outputsTo) {
  std::error_code error;
  const auto real = std::filesystem::canonical(manifest, error);
  const std::string folder = error ? "." : real.parent_path().string();
  terms.inputs.add(folder);
  terms.outputs.add(folder);
  terms.outputs.add(".");
  if (filesFrom.given())
    terms.inputs.add(filesFrom.text());
  if (outputsTo.given())
    terms.outputs.add(outputsTo.text());
}

ExitCode printTemplate(const std::string &form) {
  const std::string text = manifestTemplate(form);
  if (text.empty()) {
    printUsageError("there is no template \"" + form + "\": there are csv and jsonl");
    return ExitCode::Usage;
  }
  printJson(Members().text("template", text).value());
  print(text.substr(0, text.size() - 1));
  return ExitCode::Success;
}

constexpr auto explanation =
    "Makes all clips of a manifest: CSV with a heading, JSON lines or a JSON array, in a file or, as -, on\n"
    "standard input. The columns are output, profile, size, rate, and what is to be made: prompt,\n"
    "prompt-file, negative-prompt, image, tail-image, model, duration, aspect-ratio, cfg-scale,\n"
    "generate-audio, seed, parameters, take, generation-id. The options that are called like columns hold\n"
    "for the rows that leave them empty; all other options are for the command line alone. Rows name files\n"
    "below the folder of the manifest.\n\n"
    "All rows are checked before anything is bought. Run the same command again after any interruption:\n"
    "what is made is left alone, what is bought is resumed, the rest is bought.";

} // namespace

ExitCode runBatch(const Arguments &arguments) {
  TextOption report;
  TextOption form;
  TextOption journalFile;
  TextOption profile;
  TextOption size;
  TextOption rate;
  TextOption filesFrom;
  TextOption outputsTo;
  TextOption signWith;
  gint atOnce = 4;
  TextOption mostCost;
  gboolean force = FALSE;
  gboolean checkOnly = FALSE;
  const std::string profileChoices = choicesOfProfiles();
  const GOptionEntry outputs[] = {
      {"profile", 0, 0, G_OPTION_ARG_STRING, profile.slot(),
       "what to make of the clips; without it the extension of each output says so", profileChoices.c_str()},
      {"size", 0, 0, G_OPTION_ARG_STRING, size.slot(), "size of the frames, with bars where needed", "WxH"},
      {"rate", 0, 0, G_OPTION_ARG_STRING, rate.slot(), "frames per second", "NUMBER"},
      {"sign-with", 0, 0, G_OPTION_ARG_STRING, signWith.slot(),
       "command that signs what was made: it gets the file and a claim in JSON", "COMMAND"},
      {"force", 0, 0, G_OPTION_ARG_NONE, &force, "make everything again and overwrite", nullptr},
      {"report", 0, 0, G_OPTION_ARG_FILENAME, report.slot(), "write report.csv and index.html there", "FOLDER"},
      {"journal", 0, 0, G_OPTION_ARG_FILENAME, journalFile.slot(),
       "what is made; MANIFEST.done if not given, batch.done for standard input", "FILE"},
      {"outputs-to", 0, 0, G_OPTION_ARG_FILENAME, outputsTo.slot(),
       "rows may name outputs below this folder too, not only below the manifest's and the present one", "FOLDER"},
      {},
  };
  const GOptionEntry money[] = {
      {"max-cost", 0, 0, G_OPTION_ARG_STRING, mostCost.slot(), "buy nothing that would bring the estimates above this",
       "USD"},
      {"check", 0, 0, G_OPTION_ARG_NONE, &checkOnly, "check the manifest, buy nothing", nullptr},
      {},
  };
  const GOptionEntry others[] = {
      {"jobs", 'j', 0, G_OPTION_ARG_INT, &atOnce, "how many at once, 4 by default", "NUMBER"},
      {"template", 0, 0, G_OPTION_ARG_STRING, form.slot(), "print a manifest to begin with, and nothing else",
       "csv|jsonl"},
      {"files-from", 0, 0, G_OPTION_ARG_FILENAME, filesFrom.slot(),
       "rows may name files below this folder too, not only below the manifest's", "FOLDER"},
      {},
  };
  Options options("batch", "MANIFEST", explanation);
  options.add(outputs, outputGroup);
  options.add(money, moneyGroup);
  options.add(others);
  FieldOptions fieldOptions([](const Field &field) { return !field.is(Field::IsAmount); }); // --max-cost is all rows'
  fieldOptions.addTo(options);
  const auto words = options.parse(arguments, 1);
  if (!words)
    return ExitCode::Usage;
  const auto usage = [](const std::string &what) {
    printUsageError(what);
    return ExitCode::Usage;
  };
  if (form.given())
    return words->empty() ? printTemplate(form.text()) : usage("--template takes no MANIFEST");
  if (words->empty())
    return usage("batch needs a MANIFEST, or - for standard input; --template csv prints one to begin with");
  if (atOnce < 1)
    return usage("--jobs must be at least 1");
  const auto limit = mostCost.given() ? parseUsd(mostCost.text()) : std::optional(0.0);
  if (!limit)
    return usage("--max-cost can't be \"" + mostCost.text() + "\": it is an amount in USD, such as 10 or 0.50");
  ManifestTerms terms;
  terms.properties = fieldOptions.texts();
  Order &shared = terms.shared;
  shared.signWith = signWith.text();
  if (signWith.given() && shared.signWith.empty())
    return usage("--sign-with needs a command");
  if (const auto signs = signWith.given() ? checkSigner(shared.signWith) : Result<void>(); !signs)
    return printError(signs.error());
  shared.overwrite = force ? Overwrite::Yes : Overwrite::No;
  if (profile.given()) { // otherwise the names of the outputs say so
    const auto chosen = findProfile(profile.text());
    if (!chosen)
      return usage(chosen.error().text());
    shared.profile = *chosen;
  }
  if (const auto read = parseSize(size.text(), shared.shape); size.given() && !read)
    return usage(read.error().text());
  if (const auto read = parseRate(rate.text(), shared.shape); rate.given() && !read)
    return usage(read.error().text());
  const auto service = settingsFrom(terms.properties);
  if (!service)
    return usage(service.error().text());
  for (const auto &[name, folder] : {std::pair("--files-from", &filesFrom), std::pair("--outputs-to", &outputsTo)})
    if (folder->given() && !g_file_test(folder->text().c_str(), G_FILE_TEST_IS_DIR))
      return usage(std::string(name) + " can't be \"" + folder->text() + "\": there is no such folder");

  const std::string &file = words->front();
  const bool piped = file == "-";
  const std::string name = piped ? "standard input" : file;
  const std::string journalPath = journalFile.given() ? journalFile.text() : piped ? "batch.done" : file + ".done";
  if (!piped)
    terms.originals.add(file);
  if (const auto allowed = terms.originals.check(journalPath); !allowed)
    return printError(allowed.error());
  terms.originals.add(journalPath);
  for (const char *page : {"report.csv", "index.html"})
    if (const auto allowed = terms.originals.check(report.text() + "/" + page); report.given() && !allowed)
      return printError(allowed.error());
  auto journal = Journal::open(journalPath);
  if (!journal)
    return printError(journal.error());
  addFolders(terms, piped ? "./-" : file, filesFrom, outputsTo);
  Manifest manifest = readManifest(file, terms);
  for (const std::string &remark : manifest.remarks)
    printWarning(remark);
  Budget budget(*limit);
  std::vector<std::string> problems = std::move(manifest.problems);
  if (problems.empty())
    problems = budget.estimate(manifest.rows, *service);
  const double estimated = budget.estimatedTotal();
  Batch batch(std::move(manifest.rows), std::move(*journal), std::move(budget), static_cast<size_t>(atOnce));
  for (std::string &problem : batch.queueWhatIsLeft())
    problems.push_back(std::move(problem));
  if (!problems.empty())
    return refuse(name, problems);
  if (checkOnly) {
    printJson(Members()
                  .integer("rows", static_cast<int64_t>(batch.rows().size()))
                  .number("usd_estimated", *limit > 0 ? std::optional(estimated) : std::nullopt)
                  .value());
    print(std::to_string(batch.rows().size()) + (batch.rows().size() == 1 ? " row is right" : " rows are right") +
          (*limit > 0 ? ", and what is not paid for will cost about " + usdText(estimated) : ""));
    return ExitCode::Success;
  }
  const ExitCode code = batch.run();
  if (report.given())
    if (const auto written = writeReport(report.text(), {name, arguments}, batch.rows(), batch.results()); !written)
      return printError(written.error());
  return code;
}

} // namespace aimlvideo::cli
