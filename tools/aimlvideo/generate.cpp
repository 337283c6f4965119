// SPDX-License-Identifier: LGPL-2.1-or-later
#include <cstdio>

#include <aimlvideo/folders.h>

#include "base/glib_ptr.h"
#include "command.h"
#include "envelope.h"
#include "ledger/ledger.h"
#include "named_files.h"
#include "output.h"
#include "terminal.h"

namespace aimlvideo::cli {

namespace {

/// How the progress is shown.
enum class Telling { Terminal, Log, Json };

class Narrator {
public:
  explicit Narrator(bool asJson)
      : telling_(asJson              ? Telling::Json
                 : lines_.possible() ? Telling::Terminal
                                     : Telling::Log) {}

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

  bool asJson() const { return telling_ == Telling::Json; }
  void clear() { lines_.clear(); }

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

ExitCode carryOut(Order order, bool asJson) {
  Narrator narrator(asJson);
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

std::string explanation() {
  std::string text = "Generates a clip into a file. The same command again never buys twice: it resumes what is\n"
                     "bought, or replays it. The output appears under its name when it is whole.\n\n"
                     "Profiles:";
  for (const Profile &profile : profiles())
    text += "\n  " + std::string(profile.name) + std::string(8 - std::string(profile.name).size(), ' ') + profile.about;
  return text;
}

} // namespace

ExitCode runGenerate(const Arguments &arguments) {
  TextOption output;
  TextOption profile;
  TextOption size;
  TextOption rate;
  gboolean force = FALSE;
  const GOptionEntry entries[] = {
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, output.slot(), "file to make, or a folder for hls", "FILE"},
      {"profile", 0, 0, G_OPTION_ARG_STRING, profile.slot(), "what to make of the clip, see above", "PROFILE"},
      {"size", 0, 0, G_OPTION_ARG_STRING, size.slot(), "size of the frames, with bars where needed", "WxH"},
      {"rate", 0, 0, G_OPTION_ARG_STRING, rate.slot(), "frames per second", "NUMBER"},
      {"force", 0, 0, G_OPTION_ARG_NONE, &force, "overwrite the output", nullptr},
      {},
  };
  const std::string about = explanation();
  Options options("generate", "-o FILE", about.c_str());
  options.add(entries);
  FieldOptions fieldOptions([](const Field &) { return true; });
  fieldOptions.addTo(options);
  if (!options.parse(arguments, 0))
    return ExitCode::Usage;
  const bool asJson = isForProgram();
  if (!output.given()) {
    printUsageError("generate needs an output: -o FILE");
    return ExitCode::Usage;
  }
  Order order;
  const FieldTexts properties = fieldOptions.texts();
  order.output = output.text();
  order.overwrite = force ? Overwrite::Yes : Overwrite::No;
  order.reserved = true;
  const auto usage = [](const Error &error) {
    printUsageError(error.text());
    return ExitCode::Usage;
  };
  const auto chosen = findProfile(profile.given() ? profile.text() : profiles().front().name);
  if (!chosen)
    return usage(chosen.error());
  order.profile = *chosen;
  if (const auto read = parseSize(size.text(), order.shape); size.given() && !read)
    return usage(read.error());
  if (const auto read = parseRate(rate.text(), order.shape); rate.given() && !read)
    return usage(read.error());
  auto settings = settingsFrom(properties);
  if (!settings)
    return usage(settings.error());
  order.settings = std::move(*settings);
  Originals originals;
  originals.add(filesNamedBy(properties));
  if (const auto allowed = originals.check(order.output); !allowed)
    return Narrator(asJson).failed(allowed.error(), {});
  if (const auto checked = checkOrder(order); !checked)
    return Narrator(asJson).failed(checked.error(), {});
  return carryOut(std::move(order), asJson);
}

} // namespace aimlvideo::cli
