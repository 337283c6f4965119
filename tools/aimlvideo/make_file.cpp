// SPDX-License-Identifier: LGPL-2.1-or-later
#include "make_file.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>

#include <aimlvideo/folders.h>
#include <aimlvideo/money.h>
#include <aimlvideo/printable.h>

#include "base/glib_ptr.h"
#include "envelope.h"
#include "ledger/ledger.h"
#include "output.h"
#include "save.h"
#include "table.h"
#include "terminal.h"

namespace aimlvideo::cli {

namespace {

/// How the progress is shown.
enum class Telling { Terminal, Log, Json };

/// One of the clips that are made, with what was told of it last.
struct Take {
  std::unique_ptr<Production> production;
  unsigned number = 0;
  std::string doing;
  std::optional<Status> ended; ///< and how; empty: it has not
  bool made = false;

  const std::string &name() const { return production->order().output; }
};

class Narrator {
public:
  explicit Narrator(bool isOne)
      : isOne_(isOne),
        telling_(isForProgram()      ? Telling::Json
                 : lines_.possible() ? Telling::Terminal
                                     : Telling::Log) {}

  void tell(Take &take) {
    Production &production = *take.production;
    const Progress progress = production.progress();
    const std::string doing = production.doing();
    if (telling_ == Telling::Json)
      Answer::instance().tell("progress", members(take)
                                              .text("status", doing)
                                              .text("note", production.transcoding() ? "" : production.note())
                                              .number("eta", progress.left)
                                              .integer("percent", progress.percent)
                                              .value());
    else if (telling_ == Telling::Log && doing != take.doing && loudness() != Loudness::Quiet)
      // a log gets a line for each state
      std::fprintf(stderr, "%s  %s%s\n", timeText(progress.elapsed).c_str(), doing.c_str(),
                   isOne_ ? "" : ("  " + printable(take.name())).c_str());
    take.doing = doing;
  }

  /// The time goes on while the service says nothing.
  void draw(std::vector<Take> &takes, size_t waiting) {
    if (telling_ != Telling::Terminal)
      return;
    std::vector<std::string> lines;
    const size_t columns = lines_.columns();
    if (isOne_ && takes.front().production) {
      lines = {progressText(takes.front().production->doing(), takes.front().production->progress(), columns)};
    } else {
      for (Take &take : takes)
        if (take.production && !take.ended && lines.size() + 1 < lines_.rows())
          lines.push_back(lineOf(take, columns));
      if (waiting > 0)
        lines.push_back(std::to_string(waiting) + " waiting");
    }
    lines_.show(std::move(lines));
  }

  void finished(const Take &take) {
    const std::string &output = take.name();
    answer("finished", members(take).text("output", output));
    if (!take.production->order().toStandardOutput())
      print(output);
    std::fflush(stdout);
  }

  /// An earlier run has made it.
  void there(const Order &order) {
    ++there_;
    answer("finished", Members().integer("take", order.settings.take).text("output", order.output));
    if (loudness() != Loudness::Quiet)
      printProgress(order.output + " is there already");
    print(order.output);
  }

  ExitCode failed(const Take &take, const Error &error) {
    if (isOne_)
      return failed(error, members(take));
    if (telling_ == Telling::Json)
      Answer::instance().tell("failed", members(take).value(), jsonOf(error));
    Error named = error;
    named.what = take.name() + ": " + error.what;
    return printError(named);
  }
  /// Nothing was begun.
  ExitCode failed(const Error &error, const Members &members = {}) {
    Answer::instance().setEvent("failed");
    printJson(members.value());
    return printError(error);
  }

  void sum(const std::vector<Take> &takes) {
    std::vector<std::optional<double>> amounts;
    size_t made = there_;
    for (const Take &take : takes) {
      made += take.made ? 1 : 0;
      if (take.ended)
        amounts.push_back(take.ended->billed().usd);
    }
    answer("summary", Members()
                          .integer("takes", static_cast<int64_t>(takes.size() + there_))
                          .integer("made", static_cast<int64_t>(made))
                          .number("usd_spent", totalUsd(amounts)));
  }

private:
  void answer(const char *event, const Members &members) const {
    if (!isOne_ && std::string_view(event) != "summary")
      return telling_ == Telling::Json ? Answer::instance().tell(event, members.value()) : void();
    Answer::instance().setEvent(event);
    printJson(members.value());
  }

  Members members(const Take &take) const {
    Members members;
    if (!isOne_)
      members.integer("take", take.number);
    return members.generation(take.production->status());
  }

  static std::string lineOf(Take &take, size_t columns) {
    constexpr size_t longestName = 32;
    constexpr size_t longestState = 11; // `downloading`, of those that last
    const std::string name = printable(take.name());
    const size_t cells = std::min({cellsOf(name), longestName, columns * 2 / 5});
    return padded(name, cells) + "  " +
           progressText(take.production->doing(), take.production->progress(), columns - cells - 2, longestState);
  }

  LiveLines lines_;
  const bool isOne_;
  const Telling telling_;
  size_t there_ = 0; ///< takes that earlier runs have made
};

/// The number of a purchase in the ledger; 0: none is known.
int64_t jobOf(const std::string &generationId) {
  const auto ledger = generationId.empty() ? Result<std::shared_ptr<Ledger>>(nullptr) : Ledger::open(stateFolder());
  const auto rows = ledger && *ledger ? (*ledger)->rows() : Result<std::vector<LedgerRow>>();
  if (rows)
    for (const LedgerRow &row : *rows)
      if (row.generationId == generationId)
        return row.id;
  return 0;
}

/// Stops it, and says what was interrupted and how it goes on.
Error interrupt(Production &production) {
  Error error;
  error.kind = ErrorKind::Cancelled;
  error.what = "interrupted while " + production.doing();
  Production::stop({&production});
  const Status &status = production.status();
  error.generationId = status.generationId;
  error.remedy = "Run the same command again";
  if (status.generationId.empty()) {
    error.remedy += production.isUnknown() ? ": it finds out first whether this was bought" : ": nothing was bought";
    return error;
  }
  const bool complete = production.transcoding() || status.state == State::Completed;
  error.why = "generation " + status.generationId +
              (complete ? " is bought and its clip is kept" : " is bought and continues at the service");
  error.remedy += " to resume it without buying";
  if (const int64_t job = jobOf(status.generationId); job != 0) {
    const GCharPtr file(g_shell_quote(((production.order().toStandardOutput() ? "clip" : production.order().output) +
                                       (production.order().profile->kind == Profile::Kind::AsIs ? "" : ".mp4"))
                                          .c_str()));
    error.remedy += ", or fetch the clip with: aimlvideo jobs resume " + std::to_string(job) + " " + file.get();
  }
  return error;
}

/// The takes at work, in the main loop's thread.
class Run {
public:
  Run(std::vector<Order> orders, bool isOne, Narrator &narrator)
      : orders_(std::move(orders)), isOne_(isOne), narrator_(narrator), takes_(orders_.size()) {}

  ExitCode carryOut();

private:
  void begin();
  void draw() { narrator_.draw(takes_, orders_.size() - begun_); }
  void ended(size_t index, const std::optional<Error> &failure);
  void interrupted();

  static constexpr size_t atOnce = 4;

  std::vector<Order> orders_;
  const bool isOne_;
  Narrator &narrator_;
  std::vector<Take> takes_;
  size_t begun_ = 0;
  size_t running_ = 0;
  ExitCode code_ = ExitCode::Success;
  GMainLoop *loop_ = nullptr;
};

void Run::begin() {
  while (begun_ < orders_.size() && running_ < atOnce) {
    const size_t index = begun_++;
    ++running_;
    Take &take = takes_[index];
    take.number = orders_[index].settings.take;
    Production::Hooks hooks;
    hooks.changed = [this, &take] {
      narrator_.tell(take);
      draw();
    };
    hooks.ended = [this, index](const std::optional<Error> &failure) {
      ended(index, failure);
    };
    take.production = std::make_unique<Production>(std::move(orders_[index]), std::move(hooks));
    take.production->startSoon();
  }
}

void Run::ended(size_t index, const std::optional<Error> &failure) {
  Take &take = takes_[index];
  take.ended = take.production->status();
  take.made = !failure;
  --running_;
  if (!failure)
    narrator_.finished(take);
  else if (const ExitCode code = narrator_.failed(take, *failure); code_ == ExitCode::Success)
    code_ = code;
  // a key that is refused, or no funds, will be so for all
  if (failure && failure->kind == ErrorKind::NotAuthorized)
    begun_ = orders_.size();
  begin();
  if (running_ == 0)
    g_main_loop_quit(loop_);
}

void Run::interrupted() {
  code_ = ExitCode::Cancelled;
  begun_ = orders_.size();
  if (isOne_) {
    const Error error = interrupt(*takes_.front().production);
    narrator_.failed(takes_.front(), error);
  } else {
    std::vector<Production *> productions;
    for (const Take &take : takes_)
      if (take.production && !take.ended)
        productions.push_back(take.production.get());
    Production::stop(productions);
    Error error;
    error.kind = ErrorKind::Cancelled;
    error.what = "interrupted";
    error.remedy =
        "Run the same command again to resume: what is bought continues at the service and is not bought again";
    printError(error);
  }
  g_main_loop_quit(loop_);
}

ExitCode Run::carryOut() {
  if (!orders_.empty() && orders_.front().toStandardOutput())
    std::signal(SIGPIPE, SIG_IGN); // a reader that has gone is an error like any other
  loop_ = g_main_loop_new(nullptr, FALSE);
  begin();
  const guint clock = g_timeout_add(
      redrawInterval,
      [](gpointer run) -> gboolean {
        static_cast<Run *>(run)->draw();
        return G_SOURCE_CONTINUE;
      },
      this);
  if (running_ > 0) // otherwise all of them are there already
    runLoop(loop_, [this] { interrupted(); });
  g_source_remove(clock);
  if (!isOne_)
    narrator_.sum(takes_);
  takes_.clear();
  g_main_loop_unref(loop_);
  return code_;
}

} // namespace

ExitCode makeFile(Order order) {
  Narrator narrator(true);
  std::vector<Order> orders;
  orders.push_back(std::move(order));
  return Run(std::move(orders), true, narrator).carryOut();
}

ExitCode makeTakes(std::vector<Order> orders, const std::vector<Order> &there) {
  Narrator narrator(false);
  for (const Order &order : there)
    narrator.there(order);
  return Run(std::move(orders), false, narrator).carryOut();
}

ExitCode refuseFile(const Error &error) {
  return Narrator(true).failed(error);
}

} // namespace aimlvideo::cli
