// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "await.h"
#include "clip/iso_box.h"
#include "generation/generation.h"
#include "provenance/xmp_box.h"
#include "support/test_server.h"
#include "unit.h"

namespace aimlvideo::test {

constexpr auto benchKey = "test-key-0123456789";
constexpr auto universalPath = "/v2/video/generations";
constexpr auto legacyPath = "/v2/generate/video/kling/generation";

/// Everything a generation needs: a service, settings that fit it, short pauses; and what the generation told.
struct Bench {
  FakeService service;
  Settings settings;
  Patience patience;
  Cancellation cancellation;
  int64_t row = 0; ///< of the ledger, from run to run as with one element

  std::vector<State> states;
  std::vector<std::string> notes;
  unsigned arrivals = 0;
  std::vector<std::string> logged;
  std::vector<std::string> warnings;
  Status status;
  /// Called at each change of state.
  std::function<void(const Status &)> onState;
  /// Called at each note.
  std::function<void(const std::string &)> onNote;
  /// Called at each line for the log.
  std::function<void()> onLog;

  Bench() {
    using namespace std::chrono_literals;
    service.pollsUntilCompleted = 0;
    settings.baseUrl = service.server.url();
    settings.apiKey = Secret(benchKey);
    settings.model = "kling-video/v1.6/pro/text-to-video";
    settings.prompt = "Mona Lisa puts on glasses";
    settings.pollInterval = 100;
    settings.timeout = 30;
    patience.unreachable = {1ms, 5ms, 3};
    patience.turnedAway = {1ms, 5ms, 4};
    patience.polls = {1ms, 5ms, 0};
    patience.downloads = {1ms, 5ms, 0};
    patience.tooLarge = {1ms, 5ms, 2};
    patience.lookups = {1ms, 5ms, 0};
    patience.unknownIdSpan = 20ms;
    patience.ownership = 5ms;
    patience.firstFailure = 0ms;
    // an unknown outcome stays one, at once, unless a test opens the logs
    service.onLogs = [](const Seen &, Answer &answer) {
      answer.json(403, R"({"message":"no access to the logs"})");
    };
  }

  std::shared_ptr<Ledger> ledger() const { return *Ledger::open(service.home.state() + "/aimlvideo"); }
  /// The newest row of the ledger; one in the state Intent where there is none.
  LedgerRow newestRow() const {
    const auto rows = *ledger()->rows();
    return rows.empty() ? LedgerRow{} : rows.front();
  }
  /// By the newest row, nothing is bought and nothing may be.
  bool boughtNothing() const {
    const auto state = newestRow().state;
    return state != LedgerRow::State::Sent && state != LedgerRow::State::Running &&
           state != LedgerRow::State::Completed;
  }

  Result<std::shared_ptr<Spool>> run() {
    Generation::Callbacks callbacks;
    callbacks.stateChanged = [this](const Status &now) {
      states.push_back(now.state);
      if (onState)
        onState(now);
    };
    callbacks.progressed = [this](const Status &, const std::string &note) {
      notes.push_back(note);
      if (onNote)
        onNote(note);
    };
    callbacks.arriving = [this](const Status &, const std::shared_ptr<Spool> &) {
      ++arrivals;
    };
    callbacks.claimed = [this](int64_t news) {
      row = news;
    };
    callbacks.log = [this](LogLevel, const std::string &line) {
      logged.push_back(line);
      if (onLog)
        onLog();
    };
    callbacks.warned = [this](const std::string &text) {
      warnings.push_back(text);
    };
    Generation generation(settings, row, cancellation, callbacks, patience);
    auto clip = await(generation.run());
    status = generation.status();
    return clip;
  }

  /// Runs what has to fail and returns why it did.
  Error fault() {
    const auto clip = run();
    fail_if(clip.has_value());
    return clip.has_value() ? Error{} : clip.error();
  }

  /// Fetches a given generation: the first poll is made at once.
  void fetchOnly(const std::string &id = "gen/1:model") {
    settings.generationId = id;
    settings.model.clear();
    settings.prompt.clear();
  }

  /// Answers every create like this.
  void createAnswers(unsigned code, const std::string &body, Headers headers = {}) {
    service.onCreate = [=](const Seen &, Answer &answer) {
      for (const auto &[name, value] : headers)
        answer.header(name.c_str(), value);
      answer.json(code, body);
    };
  }

  /// Every request to the service, as `METHOD TARGET`.
  std::vector<std::string> asked() const {
    std::vector<std::string> targets;
    for (const Seen &seen : service.server.requests())
      targets.push_back(seen.method + " " + seen.target);
    return targets;
  }

  /// The first request of a method.
  Seen first(const std::string &method) const {
    for (const Seen &seen : service.server.requests())
      if (seen.method == method)
        return seen;
    return {};
  }
};

/// The names under which the submissions went, as the service saw them.
inline std::vector<std::string> clientRequestIds(const Bench &bench) {
  std::vector<std::string> ids;
  for (const Seen &seen : bench.service.server.requests())
    if (seen.method == "POST")
      ids.push_back(seen.header("X-Client-Request-Id"));
  return ids;
}

inline std::string contentsOf(const Spool &spool) {
  fail_unless(spool.complete());
  std::string bytes(spool.size().value_or(0), '\0');
  fail_unless(spool.read(0, bytes.data(), bytes.size()).has_value());
  return bytes;
}

/// The service's bytes and then a mark, and nothing else.
inline void expectMarked(const std::string &delivered, const std::string &clip) {
  fail_unless(delivered.starts_with(clip));
  const std::string mark = delivered.substr(clip.size());
  fail_unless(mark.size() > 24, "there is no mark");
  fail_unless(mark.substr(4, 4) == "uuid" && mark.substr(8, 16) == xmpUserType);
  fail_unless_equals_int(bigEndian(reinterpret_cast<const unsigned char *>(mark.data()), 4), mark.size());
  fail_unless_contains(mark, "rainedAlgorithmicMedia");
}

} // namespace aimlvideo::test
