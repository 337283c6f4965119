// SPDX-License-Identifier: LGPL-2.1-or-later
#include "make_file.h"

#include <cstdio>
#include <memory>

#include <aimlvideo/folders.h>

#include "base/glib_ptr.h"
#include "envelope.h"
#include "ledger/ledger.h"
#include "output.h"
#include "terminal.h"

namespace aimlvideo::cli {

namespace {

/// How the progress is shown.
enum class Telling { Terminal, Log, Json };

class Narrator {
public:
  Narrator() : telling_(isForProgram() ? Telling::Json : lines_.possible() ? Telling::Terminal : Telling::Log) {}

  void tell(Production &production) {
    const Progress progress = production.progress();
    if (telling_ == Telling::Terminal)
      return lines_.show({progressText(production.doing(), progress, lines_.columns())});
    // a log gets a line for each state
    const std::string doing = production.doing();
    if (telling_ == Telling::Json)
      Answer::instance().tell("progress", Members()
                                              .text("status", doing)
                                              .text("note", production.transcoding() ? "" : production.note())
                                              .number("eta", progress.left)
                                              .integer("percent", progress.percent)
                                              .generation(production.status())
                                              .value());
    else if (doing != lastDoing_ && loudness() != Loudness::Quiet)
      std::fprintf(stderr, "%s  %s\n", timeText(progress.elapsed).c_str(), doing.c_str());
    lastDoing_ = doing;
  }

  /// The time goes on while the service says nothing.
  void tick(Production &production) {
    if (telling_ == Telling::Terminal)
      tell(production);
  }

  void finished(const Production &production) {
    lines_.clear();
    answer("finished", Members().text("output", production.order().output).generation(production.status()));
    print(production.order().output);
  }

  ExitCode failed(const Error &error, const Status &status) {
    answer("failed", Members().generation(status));
    return printError(error);
  }

private:
  static void answer(const char *event, const Members &members) {
    Answer::instance().setEvent(event);
    printJson(members.value());
  }

  LiveLines lines_;
  Telling telling_;
  std::string lastDoing_;
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
    const GCharPtr file(g_shell_quote(
        (production.order().output + (production.order().profile->kind == Profile::Kind::AsIs ? "" : ".mp4")).c_str()));
    error.remedy += ", or fetch the clip with: aimlvideo jobs resume " + std::to_string(job) + " " + file.get();
  }
  return error;
}

} // namespace

ExitCode makeFile(Order order) {
  Narrator narrator;
  ExitCode code = ExitCode::Success;
  GMainLoop *loop = g_main_loop_new(nullptr, FALSE);
  std::unique_ptr<Production> production;
  Production::Hooks hooks;
  hooks.changed = [&] {
    narrator.tell(*production);
  };
  hooks.ended = [&](const std::optional<Error> &failure) {
    if (failure)
      code = narrator.failed(*failure, production->status());
    else
      narrator.finished(*production);
    g_main_loop_quit(loop);
  };
  production = std::make_unique<Production>(std::move(order), std::move(hooks));
  const guint clock = g_timeout_add(
      redrawInterval,
      [](gpointer data) -> gboolean {
        (*static_cast<std::function<void()> *>(data))();
        return G_SOURCE_CONTINUE;
      },
      new std::function<void()>([&] { narrator.tick(*production); }));
  production->startSoon();
  runLoop(loop, [&] {
    const Error interruption = interrupt(*production);
    const Status status = production->status();
    production.reset();
    code = narrator.failed(interruption, status);
    g_main_loop_quit(loop);
  });
  g_source_remove(clock);
  production.reset();
  g_main_loop_unref(loop);
  return code;
}

ExitCode refuseFile(const Error &error) {
  return Narrator().failed(error, {});
}

} // namespace aimlvideo::cli
