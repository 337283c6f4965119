// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>
#include <set>

#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "generation/stored_clip.h"
#include "ledger/identity.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

using RowState = LedgerRow::State;

constexpr auto imageModel = "kling-video/v1.6/pro/image-to-video";

/// The next submission is accepted and its answer lost; the ones after it are answered.
void loseFirstAnswer(Bench &bench) {
  bench.service.onCreate = [&bench](const Seen &, Answer &answer) {
    if (bench.service.purchases() == 1)
      answer.drop();
    else
      answer.json(200, R"({"id":"gen/second:model","status":"queued"})");
  };
}

/// From the n-th request for it on, the log has these rows.
void logShows(Bench &bench, const std::function<std::string()> &rows, size_t from = 1) {
  bench.service.onLogs = [&bench, rows, from](const Seen &, Answer &answer) {
    const bool there = bench.service.server.count("GET", "/v2/logs") >= from;
    answer.json(200, FakeService::logPage(there ? rows() : ""));
  };
}

void corrupt(const std::string &file) {
  GError *error = nullptr;
  char *bytes = nullptr;
  gsize size = 0;
  fail_unless(g_file_get_contents(file.c_str(), &bytes, &size, &error));
  fail_unless(g_file_set_contents(file.c_str(), bytes, static_cast<gssize>(size - 1), &error));
  g_free(bytes);
}

/// Rewrites the newest row as versions did that took every spelling of a base URL for another service.
void asOldVersionsWrote(const Bench &bench) {
  LedgerRow row = bench.newestRow();
  row.baseUrl = bench.settings.baseUrl;
  row.identity = row.owner = identityBySpelling(row.baseUrl, prepare(bench.settings)->request.canonical, 0);
  fail_unless(bench.ledger()->write(row).has_value());
}

std::string storedClip(const Bench &bench) {
  return bench.service.home.cache() + "/aimlvideo/clips/" + bench.newestRow().clip;
}

} // namespace

GST_START_TEST(a_lost_answer_is_looked_up_and_the_generation_fetched) {
  for (const size_t from : {size_t{1}, size_t{4}}) {
    Bench bench;
    loseFirstAnswer(bench);
    logShows(bench, [&] { return FakeService::logRow(bench.service.submissionId(), "gen/1:model"); }, from);
    fail_unless(bench.run().has_value());
    fail_unless_equals_int(bench.service.purchases(), 1);
    fail_unless(bench.status.origin == Origin::LookedUp);
    fail_unless(std::find(bench.states.begin(), bench.states.end(), State::LookingUp) != bench.states.end());
    fail_unless_equals_text(bench.newestRow().generationId, "gen/1:model");
    fail_unless(bench.status.usage.usd == 0.5);
  }
}
GST_END_TEST

GST_START_TEST(a_submission_that_the_log_calls_failed_is_sent_again) {
  Bench bench;
  loseFirstAnswer(bench);
  logShows(bench, [&] { return FakeService::logRow(bench.service.submissionId(), "gen/1:model", "failed"); });
  fail_unless(bench.run().has_value());
  fail_unless_equals_int(bench.service.purchases(), 2);
  fail_unless_equals_text(bench.newestRow().generationId, "gen/second:model");
}
GST_END_TEST

GST_START_TEST(rows_of_others_are_never_adopted) {
  Bench bench;
  bench.settings.timeout = 1;
  loseFirstAnswer(bench);
  logShows(bench, [&] {
    return FakeService::logRow("", "gen/other") + "," + FakeService::logRow("somebody-else", "gen/other") + "," +
           FakeService::logRow(bench.service.submissionId() + "0", "gen/other") + "," +
           FakeService::logRow(bench.service.submissionId(), "");
  });
  fail_unless(bench.fault().kind == ErrorKind::UnknownOutcome);
  fail_unless_equals_int(bench.service.purchases(), 1);
  fail_unless_equals_int(bench.service.polls(), 0);
}
GST_END_TEST

GST_START_TEST(the_log_is_paged_through_to_its_end) {
  Bench bench;
  loseFirstAnswer(bench);
  bench.service.onLogs = [&](const Seen &seen, Answer &answer) {
    std::string rows = FakeService::logRow(bench.service.submissionId(), "gen/1:model");
    if (!contains(seen.query, "offset=200")) {
      rows = FakeService::logRow("other", "gen/other");
      for (int i = 1; i < 100; ++i)
        rows += "," + FakeService::logRow("other" + std::to_string(i), "gen/other");
    }
    answer.json(200, FakeService::logPage(rows));
  };
  fail_unless(bench.run().has_value());
  fail_unless_equals_int(bench.service.server.count("GET", "/v2/logs"), 3);
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

/// A busy account's log has more pages than may be asked for in a minute, and every other answer is none.
GST_START_TEST(a_long_log_that_fails_again_and_again_is_read_to_its_end) {
  Bench bench;
  loseFirstAnswer(bench);
  constexpr unsigned last = 60;
  std::set<std::string> asked;
  bench.service.onLogs = [&](const Seen &seen, Answer &answer) {
    if (asked.insert(seen.query).second)
      return answer.json(503, "{}");
    std::string rows = FakeService::logRow(bench.service.submissionId(), "gen/1:model");
    if (!contains(seen.query, "offset=" + std::to_string(last * 100))) {
      rows = FakeService::logRow("other", "gen/other");
      for (int i = 1; i < 100; ++i)
        rows += "," + FakeService::logRow("other" + std::to_string(i), "gen/other");
    }
    answer.json(200, FakeService::logPage(rows));
  };
  fail_unless(bench.run().has_value());
  fail_unless_equals_int(bench.service.server.count("GET", "/v2/logs"), 2 * (last + 1));
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(faults_of_the_log_are_ridden_out) {
  Bench bench;
  loseFirstAnswer(bench);
  bench.service.onLogs = [&](const Seen &, Answer &answer) {
    switch (bench.service.server.count("GET", "/v2/logs")) {
    case 1:
      return answer.drop();
    case 2:
      return answer.json(503, "{}");
    case 3:
      return answer.send(200, "text/html", "<html>");
    case 4:
      return answer.json(429, "{}");
    case 5:
      return answer.json(200, "{\"data\":7}");
    default:
      return answer.json(200, FakeService::logPage(FakeService::logRow(bench.service.submissionId(), "gen/1:model")));
    }
  };
  fail_unless(bench.run().has_value());
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(a_lookup_that_the_deadline_cuts_short_tells_what_was_wrong_before) {
  Bench bench;
  bench.settings.timeout = 1;
  loseFirstAnswer(bench);
  bench.service.onLogs = [&](const Seen &, Answer &answer) {
    if (bench.service.server.count("GET", "/v2/logs") == 1)
      answer.json(503, R"({"message":"the log is being moved"})");
    else
      answer.hold();
  };
  const Error error = bench.fault();
  fail_unless(error.kind == ErrorKind::UnknownOutcome);
  fail_unless_contains(error.text(), "the log is being moved");
}
GST_END_TEST

GST_START_TEST(on_unknown_resubmit_sends_again_once_after_all_looking_up) {
  Bench bench;
  bench.settings.timeout = 1;
  bench.settings.onUnknown = OnUnknown::Resubmit;
  logShows(bench, [] { return ""; });
  bench.service.onCreate = [](const Seen &, Answer &answer) {
    answer.drop();
  };
  fail_unless(bench.fault().kind == ErrorKind::UnknownOutcome); // once a run, not for ever
  fail_unless_equals_int(bench.service.purchases(), 2);
  fail_unless(bench.service.server.count("GET", "/v2/logs") > 1);
  fail_if(bench.service.submissionId(0) == bench.service.submissionId(1));
}
GST_END_TEST

GST_START_TEST(a_key_that_has_not_submitted_it_does_not_lead_to_another_submission) {
  Bench bench;
  loseFirstAnswer(bench);
  fail_unless(bench.fault().kind == ErrorKind::UnknownOutcome);
  logShows(bench, [] { return ""; });
  bench.row = 0;
  bench.settings.onUnknown = OnUnknown::Resubmit;
  bench.settings.apiKey = Secret("another-key-0123456789");
  const Error error = bench.fault();
  fail_unless(error.kind == ErrorKind::UnknownOutcome);
  fail_unless_contains(error.text(), "another API key");
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(the_next_run_looks_the_same_submission_up_first) {
  Bench bench;
  loseFirstAnswer(bench);
  fail_unless(bench.fault().kind == ErrorKind::UnknownOutcome);
  logShows(bench, [&] { return FakeService::logRow(bench.service.submissionId(), "gen/1:model"); });
  bench.row = 0; // as in another process
  fail_unless(bench.run().has_value());
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(the_same_request_is_replayed_without_a_request) {
  Bench bench;
  fail_unless(bench.run().has_value());
  const size_t requests = bench.service.server.requests().size();
  bench.row = 0;
  const auto clip = bench.run();
  fail_unless(clip.has_value());
  fail_unless(contentsOf(**clip) == bench.service.clip);
  fail_unless(bench.status.origin == Origin::Replayed, "%s: %s", nameOf(bench.status.origin),
              bench.notes.empty() ? "" : bench.notes.back().c_str());
  fail_unless_equals_int(bench.service.server.requests().size(), requests);
  fail_unless_equals_int(bench.arrivals, 2);
  // by the order of its members, a JSON object is no other request
  bench.settings.prompt = "other";
  fail_unless(bench.run().has_value());
  fail_unless_equals_int(bench.service.purchases(), 2);
}
GST_END_TEST

GST_START_TEST(reuse_and_take_decide_what_is_bought_anew) {
  Bench bench;
  fail_unless(bench.run().has_value());
  const auto purchasesAfter = [&](Reuse reuse, unsigned take) {
    bench.row = 0;
    bench.settings.reuse = reuse;
    bench.settings.take = take;
    fail_unless(bench.run().has_value());
    return bench.service.purchases();
  };
  fail_unless_equals_int(purchasesAfter(Reuse::All, 0), 1);
  fail_unless_equals_int(purchasesAfter(Reuse::All, 1), 2);
  fail_unless_equals_int(purchasesAfter(Reuse::All, 1), 2);
  fail_unless_equals_int(purchasesAfter(Reuse::Unfinished, 0), 3);
  fail_unless_equals_int(purchasesAfter(Reuse::None, 0), 4);
  fail_unless_equals_int(purchasesAfter(Reuse::None, 0), 5);
  fail_unless_equals_int(purchasesAfter(Reuse::All, 0), 5);
}
GST_END_TEST

GST_START_TEST(an_owner_goes_on_with_its_own_purchase_whatever_reuse_says) {
  for (const Reuse reuse : {Reuse::None, Reuse::Unfinished}) {
    Bench bench;
    bench.settings.reuse = reuse;
    fail_unless(bench.run().has_value());
    fail_unless(bench.run().has_value());
    fail_unless_equals_int(bench.service.purchases(), 1);
  }
}
GST_END_TEST

GST_START_TEST(an_unfinished_generation_is_gone_on_with_by_every_reuse_but_none) {
  for (const Reuse reuse : {Reuse::All, Reuse::Unfinished}) {
    Bench bench;
    bench.service.pollsUntilCompleted = 1000;
    bench.settings.timeout = 1;
    fail_unless(bench.fault().kind == ErrorKind::TimedOut);
    bench.settings.timeout = 30;
    bench.service.pollsUntilCompleted = 0;
    bench.settings.reuse = reuse;
    bench.row = 0;
    fail_unless(bench.run().has_value());
    fail_unless(bench.status.origin == Origin::Resumed);
    fail_unless_equals_int(bench.service.purchases(), 1);
  }
}
GST_END_TEST

GST_START_TEST(a_generation_goes_on_on_the_family_it_was_bought_on) {
  Bench bench;
  bench.settings.endpoint = EndpointChoice::Legacy;
  bench.service.pollsUntilCompleted = 1000;
  bench.settings.timeout = 1;
  fail_unless(bench.fault().kind == ErrorKind::TimedOut);
  bench.settings.timeout = 30;
  bench.service.pollsUntilCompleted = 0;
  bench.settings.endpoint = EndpointChoice::Auto;
  bench.row = 0;
  fail_unless(bench.run().has_value());
  fail_unless_equals_int(bench.service.purchases(), 1);
  fail_unless_equals_int(bench.service.server.count("GET", universalPath), 0);
}
GST_END_TEST

GST_START_TEST(a_clip_that_went_from_the_store_is_fetched_again_and_not_bought) {
  for (const bool truncated : {false, true}) {
    Bench bench;
    fail_unless(bench.run().has_value());
    if (truncated)
      corrupt(storedClip(bench));
    else
      fail_unless_equals_int(g_remove(storedClip(bench).c_str()), 0);
    bench.row = 0;
    const auto clip = bench.run();
    fail_unless(clip.has_value());
    fail_unless(contentsOf(**clip) == bench.service.clip);
    fail_unless_equals_int(bench.service.purchases(), 1);
    fail_unless_equals_int(bench.service.server.count("GET", "/clips/"), 2);
    fail_unless_equals_int(bench.service.home.clips(), 1);
  }
}
GST_END_TEST

namespace {

std::string box(const char *type, const std::string &contents) {
  return std::string("\0\0", 2) + static_cast<char>((contents.size() + 8) >> 8) +
         static_cast<char>(contents.size() + 8) + type + contents;
}

/// By its boxes.
std::string wholeClip() {
  return box("ftyp", "isom") + box("moov", "") + box("mdat", std::string(20'000, 'm'));
}

} // namespace

namespace {

/// Writes a byte into the stored clip, in place.
void overwrite(const std::string &file, off_t offset, bool keepsTime) {
  struct stat before{};
  fail_unless(stat(file.c_str(), &before) == 0);
  const int descriptor = open(file.c_str(), O_WRONLY | O_CLOEXEC);
  fail_unless(pwrite(descriptor, "!", 1, offset) == 1);
  const timespec times[] = {before.st_atim, before.st_mtim};
  if (keepsTime)
    futimens(descriptor, times);
  close(descriptor);
}

/// What the job does behind a run.
void takeChecksum(const Bench &bench) {
  LedgerRow row = bench.newestRow();
  const auto store = *ClipStore::open(bench.service.home.cache() + "/aimlvideo/clips");
  const auto ledger = bench.ledger();
  fail_unless(storedClip(store, *ledger, row, StoredClip::Care::Whole, Cancellation()).clip != nullptr);
}

struct Change {
  off_t offset;
  bool keepsTime;
  bool withChecksum;
};
constexpr Change changes[] = {
    {150'000, false, false}, {150'000, false, true}, {10, true, true}, {299'999, true, false}};

} // namespace

GST_START_TEST(a_stored_clip_that_was_changed_in_place_is_fetched_again) {
  const Change &change = changes[__i__];
  Bench bench;
  fail_unless(bench.run().has_value());
  if (change.withChecksum)
    takeChecksum(bench);
  overwrite(storedClip(bench), change.offset, change.keepsTime);
  for (int runs = 0; runs < 2; ++runs) { // what is there now is good
    bench.row = 0;
    const auto clip = bench.run();
    fail_unless(clip.has_value());
    fail_unless(contentsOf(**clip) == bench.service.clip);
    fail_unless_equals_int(bench.service.server.count("GET", "/clips/"), 2);
  }
  fail_unless_equals_int(bench.service.purchases(), 1);
  fail_unless_equals_int(bench.service.home.clips(), 1);
}
GST_END_TEST

GST_START_TEST(a_stored_clip_that_was_copied_is_known_by_its_checksum) {
  Bench bench;
  fail_unless(bench.run().has_value());
  takeChecksum(bench);
  const std::string file = storedClip(bench);
  const std::string proof = bench.newestRow().clipProof;
  fail_if(proof.empty());
  fail_unless(g_file_set_contents((file + "-copy").c_str(), bench.service.clip.data(),
                                  static_cast<gssize>(bench.service.clip.size()), nullptr));
  fail_unless_equals_int(g_rename((file + "-copy").c_str(), file.c_str()), 0);
  bench.row = 0;
  fail_unless(bench.run().has_value());
  fail_unless_equals_int(bench.service.server.count("GET", "/clips/"), 1);
  fail_if(bench.newestRow().clipProof == proof); // so that it is not read as a whole the next time
  fail_unless_equals_int(bench.newestRow().clipChecksum.size(), 64);
}
GST_END_TEST

GST_START_TEST(a_stored_clip_that_was_copied_with_its_time_is_known_without_a_checksum) {
  Bench bench;
  fail_unless(bench.run().has_value());
  const std::string file = storedClip(bench);
  struct stat before{};
  fail_unless(stat(file.c_str(), &before) == 0);
  fail_unless(g_file_set_contents((file + "-copy").c_str(), bench.service.clip.data(),
                                  static_cast<gssize>(bench.service.clip.size()), nullptr));
  const timespec times[] = {before.st_atim, before.st_mtim};
  fail_unless(utimensat(AT_FDCWD, (file + "-copy").c_str(), times, 0) == 0);
  fail_unless_equals_int(g_rename((file + "-copy").c_str(), file.c_str()), 0);
  for (int runs = 0; runs < 2; ++runs) {
    bench.row = 0;
    fail_unless(bench.run().has_value());
    fail_unless_equals_int(bench.service.server.count("GET", "/clips/"), 1);
  }
}
GST_END_TEST

GST_START_TEST(a_cut_clip_that_an_earlier_version_has_stored_is_fetched_again) {
  Bench bench;
  const std::string whole = wholeClip();
  bench.service.clip = whole;
  fail_unless(bench.run().has_value());
  const std::string file = storedClip(bench);
  fail_unless(truncate(file.c_str(), 15'000) == 0);
  LedgerRow row = bench.newestRow();
  row.clipSize = 15'000;
  row.clipProof.clear();
  fail_unless(bench.ledger()->write(row).has_value());
  bench.row = 0;
  const auto clip = bench.run();
  fail_unless(clip.has_value());
  expectMarked(contentsOf(**clip), whole);
}
GST_END_TEST

GST_START_TEST(a_clip_that_its_host_has_cut_is_an_error_and_fetched_by_the_next_run) {
  Bench bench;
  const std::string whole = wholeClip();
  bench.service.clip = whole.substr(0, 15'000);
  const Error error = bench.fault();
  fail_unless(error.kind == ErrorKind::BadAnswer);
  fail_unless_contains(error.text(), "not whole");
  fail_unless_contains(error.text(), "'aimlvideo jobs resume 1 FILE --incomplete'");
  fail_unless_equals_int(bench.arrivals, 0);
  fail_unless_equals_int(bench.service.home.clips(), 0);
  fail_unless(bench.newestRow().clip.empty());

  bench.service.clip = whole;
  bench.row = 0;
  const auto clip = bench.run();
  fail_unless(clip.has_value());
  expectMarked(contentsOf(**clip), whole);
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(what_there_is_of_a_cut_clip_is_had_by_who_asks_for_it_and_not_kept) {
  Bench bench;
  const std::string whole = wholeClip();
  bench.service.clip = whole.substr(0, 15'000);
  (void)bench.fault();
  bench.settings.ledgerRow = 1;
  bench.settings.incomplete = true;
  const auto clip = bench.run();
  fail_unless(clip.has_value());
  fail_unless(contentsOf(**clip) == bench.service.clip);
  fail_unless(
      std::ranges::any_of(bench.notes, [](const auto &note) { return note.find("incomplete") != std::string::npos; }));
  fail_unless_equals_int(bench.service.home.clips(), 0);

  bench.service.clip = whole; // all of it is handed out, and kept, as soon as there is all
  const auto better = bench.run();
  fail_unless(better.has_value());
  expectMarked(contentsOf(**better), whole);
  fail_unless_equals_int(bench.service.home.clips(), 1);
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

/// What an earlier run has left when its generation is gone at the service, by the service's own word.
struct Lost : Bench {
  explicit Lost(RowState state) {
    service.clip += std::string("\0\1\0\x08"
                                "free",
                                8) +
                    std::string(65536, 'x');
    createAnswers(200, R"({"id":"gen/1:model","status":"queued","meta":{"usage":{"usd_spent":0.5}}})");
    if (state == RowState::Running) {
      service.pollsUntilCompleted = 1000;
      settings.timeout = 1;
    }
    fail_unless_equals_int(run().has_value(), state == RowState::Completed);
    fail_unless(newestRow().state == state);
    settings.timeout = 30;
    if (state == RowState::Completed)
      g_remove(storedClip(*this).c_str());
    row = 0;
    service.onPoll = [this](const Seen &, Answer &answer) {
      if (service.purchases() == 1)
        answer.json(404, R"({"message":"Generation not found","requestId":"req-7","statusCode":404})");
      else
        answer.json(200, service.completedReply("gen/1:model"));
    };
  }
};

GST_START_TEST(what_the_service_has_lost_is_told_with_its_cost_and_not_bought_again) {
  for (const RowState state : {RowState::Running, RowState::Completed}) {
    Lost bench(state);
    for (int runs = 0; runs < 2; ++runs) {
      bench.row = 0;
      const Error error = bench.fault();
      fail_unless(error.kind == ErrorKind::Lost, "%s", error.text().c_str());
      fail_unless_contains(error.text(), "It cost 0.50 USD");
      fail_unless_contains(error.text(), "on-lost=buy");
      fail_unless_contains(error.text(), "Generation not found");
      fail_if(contains(error.text(), "continues at the service"));
      fail_unless_equals_text(error.generationId, "gen/1:model");
      fail_unless(bench.newestRow().state == state);
      fail_unless_contains(bench.newestRow().cause, "no longer knows it");
      fail_unless_equals_int(bench.service.purchases(), 1);
    }
  }
}
GST_END_TEST

GST_START_TEST(a_timeout_too_short_to_believe_that_it_is_lost_says_so) {
  Lost bench(RowState::Running);
  bench.patience.unknownIdSpan = 180s;
  bench.settings.timeout = 1;
  const Error error = bench.fault();
  fail_unless(error.kind == ErrorKind::TimedOut, "%s", error.text().c_str());
  fail_unless_contains(error.text(), "counts only after 180 s");
  fail_unless_contains(error.text(), "longer timeout");
  fail_if(contains(error.text(), "continues at the service"), "%s", error.text().c_str());
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(on_lost_buy_replaces_what_is_lost_once) {
  for (const RowState state : {RowState::Running, RowState::Completed}) {
    Lost bench(state);
    bench.settings.onLost = OnLost::Buy;
    fail_unless(bench.run().has_value());
    fail_unless_equals_int(bench.service.purchases(), 2);
    fail_unless(bench.status.origin == Origin::Bought);
    fail_unless(bench.newestRow().state == RowState::Completed);
    // what was lost is not found again
    bench.row = 0;
    fail_unless(bench.run().has_value());
    fail_unless(bench.status.origin == Origin::Replayed);
    fail_unless_equals_int(bench.service.purchases(), 2);
  }
  Lost bench(RowState::Running);
  bench.settings.onLost = OnLost::Buy;
  bench.service.onPoll = [](const Seen &, Answer &answer) {
    answer.json(404, R"({"message":"Generation not found"})");
  };
  fail_unless(bench.fault().kind == ErrorKind::Lost);
  fail_unless_equals_int(bench.service.purchases(), 2);
}
GST_END_TEST

GST_START_TEST(on_lost_buy_does_not_replace_a_clip_that_is_there_and_was_only_touched) {
  Lost bench(RowState::Completed);
  const std::string file = storedClip(bench);
  fail_unless(g_file_set_contents(file.c_str(), bench.service.clip.data(),
                                  static_cast<gssize>(bench.service.clip.size()), nullptr));
  const timespec times[] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  fail_unless(utimensat(AT_FDCWD, file.c_str(), times, 0) == 0);
  bench.settings.onLost = OnLost::Buy;
  const Error error = bench.fault();
  fail_unless(error.kind == ErrorKind::Lost);
  fail_unless_contains(error.text(), file);
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(on_lost_buy_keeps_to_the_cap) {
  Lost bench(RowState::Completed);
  bench.settings.onLost = OnLost::Buy;
  bench.settings.maximumCost = 0.01;
  fail_unless(bench.fault().kind == ErrorKind::BadRequest);
  fail_unless_equals_int(bench.service.purchases(), 1);
  fail_unless_equals_text(bench.newestRow().generationId, "gen/1:model");
}
GST_END_TEST

GST_START_TEST(a_key_that_has_not_bought_it_can_not_say_that_it_is_lost) {
  for (const RowState state : {RowState::Running, RowState::Completed}) {
    Lost bench(state);
    bench.settings.onLost = OnLost::Buy;
    bench.settings.apiKey = Secret("another-key-0123456789");
    const Error error = bench.fault();
    fail_unless(error.kind == ErrorKind::NotFound, "%s", error.text().c_str());
    fail_unless_contains(error.text(), "another API key");
    fail_unless_equals_int(bench.service.purchases(), 1);
  }
}
GST_END_TEST

GST_START_TEST(a_clip_of_which_a_part_was_played_is_not_replaced_by_another) {
  Lost bench(RowState::Completed);
  bench.settings.onLost = OnLost::Buy;
  bool lost = false;
  bench.service.onPoll = [&](const Seen &, Answer &answer) {
    if (std::exchange(lost, true))
      answer.json(404, R"({"message":"Generation not found"})");
    else
      answer.json(200, bench.service.completedReply("gen/1:model"));
  };
  bench.service.onClip = [&](const Seen &, Answer &answer) {
    if (bench.service.server.count("GET", "/clips/") == 2)
      answer.truncate("video/mp4", bench.service.clip.substr(0, 40000), bench.service.clip.size());
    else
      answer.send(403, "text/plain", "the link has expired");
  };
  fail_unless(bench.fault().kind == ErrorKind::Lost);
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(what_was_moderated_is_not_sent_again_unless_asked) {
  Bench bench;
  bench.service.onPoll = [](const Seen &, Answer &answer) {
    answer.json(200, R"({"id":"g","status":"error","error":{"name":"Moderation","message":"sensitive content"}})");
  };
  fail_unless(bench.fault().kind == ErrorKind::GenerationFailed);
  bench.row = 0;
  const Error again = bench.fault();
  fail_unless(again.kind == ErrorKind::GenerationFailed);
  fail_unless_contains(again.text(), "Change the prompt or the image; take=1 tries the same contents again");
  fail_unless_contains(again.text(), "sensitive content");
  fail_unless_equals_int(bench.service.purchases(), 1);
  bench.settings.reuse = Reuse::None;
  fail_unless(bench.fault().kind == ErrorKind::GenerationFailed);
  fail_unless_equals_int(bench.service.purchases(), 2);
}
GST_END_TEST

GST_START_TEST(what_failed_is_bought_again) {
  Bench bench;
  bench.service.onPoll = [](const Seen &, Answer &answer) {
    answer.json(200, R"({"id":"g","status":"error","error":"model error"})");
  };
  fail_unless(bench.fault().kind == ErrorKind::GenerationFailed);
  bench.service.onPoll = nullptr;
  bench.row = 0;
  fail_unless(bench.run().has_value());
  fail_unless_equals_int(bench.service.purchases(), 2);
}
GST_END_TEST

GST_START_TEST(a_purchase_of_another_key_says_so) {
  Bench bench;
  loseFirstAnswer(bench);
  fail_unless(bench.fault().kind == ErrorKind::UnknownOutcome);
  bench.settings.apiKey = Secret("another-key");
  logShows(bench, [] { return ""; });
  bench.row = 0;
  const Error error = bench.fault();
  fail_unless(error.kind == ErrorKind::UnknownOutcome);
  fail_unless_contains(error.text(), "another API key");
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(what_failed_is_not_called_lost_by_who_asks_for_it_again) {
  for (const bool moderated : {false, true}) {
    Bench bench;
    bench.service.onPoll = [moderated](const Seen &, Answer &answer) {
      answer.json(200, moderated ? R"({"id":"g","status":"error","error":"sensitive content"})"
                                 : R"({"id":"g","status":"error","error":"model error"})");
    };
    (void)bench.fault();
    const LedgerRow before = bench.newestRow();
    bench.service.onPoll = [](const Seen &, Answer &answer) {
      answer.json(404, R"({"message":"Generation not found"})");
    };
    bench.settings.ledgerRow = before.id;
    bench.row = 0;
    const Error error = bench.fault();
    fail_unless(error.kind == ErrorKind::NotFound, "%s", error.text().c_str());
    fail_unless(bench.newestRow().state == before.state);
    fail_unless_equals_text(bench.newestRow().cause, before.cause);

    bench.settings.ledgerRow = 0;
    bench.service.onPoll = nullptr;
    bench.row = 0;
    fail_unless_equals_int(bench.run().has_value(), !moderated);
    fail_unless_equals_int(bench.service.purchases(), moderated ? 1 : 2);
  }
}
GST_END_TEST

GST_START_TEST(what_was_meant_to_be_sent_with_another_key_is_looked_up_like_any_other) {
  Bench bench;
  fail_unless(bench.run().has_value());
  LedgerRow row = bench.newestRow(); // as a run leaves it that ends before anything is sent
  row.state = RowState::Intent;
  row.generationId.clear();
  fail_unless(bench.ledger()->write(row).has_value());
  bench.row = 0;
  bench.settings.apiKey = Secret("another-key-0123456789");
  bench.service.onCreate = [](const Seen &, Answer &answer) {
    answer.drop();
  };
  constexpr size_t late = 8; // requests: what another key has sent is not looked for so long
  logShows(bench, [&] { return FakeService::logRow(bench.service.submissionId(1), "gen/1:model"); }, late);
  const auto clip = bench.run();
  fail_unless(clip.has_value(), "%s", clip ? "" : clip.error().text().c_str());
  fail_unless_equals_int(bench.service.purchases(), 2);
}
GST_END_TEST

GST_START_TEST(two_at_once_make_one_purchase_and_both_have_the_clip) {
  Bench bench;
  bench.service.onCreate = [](const Seen &, Answer &answer) {
    answer.jsonAfter(300ms, 200, R"({"id":"gen/1:model","status":"queued"})");
  };
  Cancellation cancellation;
  Status second;
  Result<std::shared_ptr<Spool>> clip;
  std::thread follower([&] {
    bench.service.server.waitFor("POST", "/");
    Generation::Callbacks callbacks;
    callbacks.stateChanged = [](const Status &) {
    };
    callbacks.progressed = [](const Status &, const std::string &) {
    };
    callbacks.log = [](LogLevel, const std::string &) {
    };
    callbacks.claimed = [](int64_t) {
    };
    callbacks.arriving = [](const Status &, const std::shared_ptr<Spool> &) {
    };
    Generation generation(bench.settings, 0, cancellation, callbacks, bench.patience);
    clip = await(generation.run());
    second = generation.status();
  });
  fail_unless(bench.run().has_value());
  follower.join();
  fail_unless(clip.has_value());
  fail_unless(contentsOf(**clip) == bench.service.clip);
  fail_unless(second.origin == Origin::Joined);
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(who_waits_for_another_owner_ends_at_its_deadline_and_buys_nothing) {
  Bench bench;
  fail_unless(bench.run().has_value());
  const auto owner = *Ownership::take(bench.service.home.state() + "/aimlvideo", bench.newestRow().owner);
  fail_unless(owner.has_value());
  bench.row = 0;
  bench.settings.timeout = 1;
  const Error error = bench.fault();
  fail_unless(error.kind == ErrorKind::TimedOut);
  fail_unless_contains(error.text(), "this process");
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(another_spelling_of_the_base_url_does_not_buy_again) {
  Bench bench;
  const std::string port = std::to_string(bench.service.server.port());
  bench.settings.baseUrl = "HTTP://LocalHost:" + port;
  fail_unless(bench.run().has_value());
  const std::string other[] = {bench.service.server.url(), "HTTP://127.0.0.1:" + port + "/",
                               "http://localhost:0" + port, "http://LOCALHOST:" + port + "/x/..",
                               "http://[::1]:" + port};
  for (const std::string &url : other) {
    bench.row = 0;
    bench.settings.baseUrl = url;
    fail_unless(bench.run().has_value(), "%s", url.c_str());
    fail_unless(bench.status.origin == Origin::Replayed, "%s", url.c_str());
  }
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(what_an_older_version_bought_under_any_spelling_is_found) {
  const char *hosts[] = {"127.0.0.1", "LocalHost", "localhost"};
  for (const char *host : hosts) {
    Bench bench;
    const auto spelled = [&](const char *name) {
      return std::string("http://") + name + ":" + std::to_string(bench.service.server.port());
    };
    fail_unless(bench.run().has_value());
    // as that version wrote it
    bench.settings.baseUrl = spelled(host);
    asOldVersionsWrote(bench);
    for (const char *now : hosts) {
      bench.row = 0;
      bench.settings.baseUrl = spelled(now);
      fail_unless(bench.run().has_value());
      fail_unless(bench.status.origin == Origin::Replayed, "%s, now %s", host, now);
    }
    fail_unless_equals_int(bench.service.purchases(), 1);
  }
}
GST_END_TEST

GST_START_TEST(an_older_version_at_work_under_the_same_spelling_is_waited_for) {
  Bench bench;
  bench.settings.baseUrl = "http://localhost:" + std::to_string(bench.service.server.port());
  bench.settings.timeout = 1;
  const auto identity = identityBySpelling(bench.settings.baseUrl, prepare(bench.settings)->request.canonical, 0);
  const auto theirs = Ownership::take(bench.service.home.state() + "/aimlvideo", identity);
  fail_unless(theirs.has_value() && theirs->has_value());
  fail_unless(bench.fault().kind == ErrorKind::TimedOut);
  fail_unless_equals_int(bench.service.purchases(), 0);
}
GST_END_TEST

GST_START_TEST(two_at_once_under_two_spellings_make_one_purchase) {
  Bench bench;
  bench.service.pollsUntilCompleted = 3;
  const std::string port = std::to_string(bench.service.server.port());
  Settings other = bench.settings;
  bench.settings.baseUrl = "http://localhost:" + port;
  other.baseUrl = "http://LOCALHOST:" + port;
  Cancellation cancellation;
  Result<std::shared_ptr<Spool>> theirs;
  std::thread second([&] {
    Generation::Callbacks callbacks;
    callbacks.stateChanged = [](const Status &) {
    };
    callbacks.progressed = [](const Status &, const std::string &) {
    };
    callbacks.arriving = [](const Status &, const std::shared_ptr<Spool> &) {
    };
    callbacks.claimed = [](int64_t) {
    };
    callbacks.log = [](LogLevel, const std::string &) {
    };
    Generation generation(other, 0, cancellation, callbacks, bench.patience);
    theirs = await(generation.run());
  });
  const auto mine = bench.run();
  second.join();
  fail_unless(mine.has_value() && theirs.has_value());
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(a_generation_that_is_named_is_found_under_another_spelling) {
  Bench bench;
  fail_unless(bench.run().has_value());
  const int64_t bought = bench.newestRow().id;
  bench.row = 0;
  bench.settings.baseUrl = "http://localhost:" + std::to_string(bench.service.server.port());
  bench.fetchOnly();
  fail_unless(bench.run().has_value());
  fail_unless(bench.status.origin == Origin::Replayed);
  fail_unless(bench.newestRow().id == bought);
}
GST_END_TEST

GST_START_TEST(an_image_by_url_is_known_by_its_validator) {
  Bench bench;
  std::string tag = "\"v1\"";
  bench.settings.model = imageModel;
  bench.settings.image = bench.service.server.url() + "/pictures/mona.jpg";
  bench.service.onOther = [&](const Seen &seen, Answer &answer) {
    if (!tag.empty())
      answer.header("ETag", tag);
    answer.send(seen.method == "HEAD" ? 405 : 206, "image/jpeg", "x");
  };
  const auto purchasesAfterRun = [&] {
    bench.row = 0;
    fail_unless(bench.run().has_value());
    return bench.service.purchases();
  };
  fail_unless_equals_int(purchasesAfterRun(), 1);
  fail_unless_equals_int(purchasesAfterRun(), 1);
  tag = "\"v2\"";
  fail_unless_equals_int(purchasesAfterRun(), 2);
  tag = ""; // without a validator nothing finished is replayed
  fail_unless_equals_int(purchasesAfterRun(), 3);
  fail_unless_equals_int(purchasesAfterRun(), 4);
  for (const Seen &seen : bench.service.server.requests())
    if (seen.path.starts_with("/pictures/"))
      fail_unless_equals_text(seen.header("Authorization"), "");
}
GST_END_TEST

GST_START_TEST(a_ledger_that_can_not_be_written_refuses_to_buy) {
  Bench bench;
  const std::string folder = bench.service.home.state() + "/aimlvideo";
  g_mkdir_with_parents(bench.service.home.state().c_str(), 0700);
  fail_unless(g_file_set_contents(folder.c_str(), "in the way", -1, nullptr));
  const Error error = bench.fault();
  fail_unless(error.kind == ErrorKind::NoSpace);
  fail_unless_contains(error.text(), folder);
  fail_unless_equals_int(bench.service.purchases(), 0);
  // what is bought already needs no ledger
  bench.fetchOnly();
  fail_unless(bench.run().has_value());
  fail_unless_equals_int(bench.service.purchases(), 0);
}
GST_END_TEST

GST_START_TEST(a_store_that_can_not_be_written_plays_the_clip_all_the_same) {
  Bench bench;
  g_mkdir_with_parents(bench.service.home.cache().c_str(), 0700);
  fail_unless(g_file_set_contents((bench.service.home.cache() + "/aimlvideo").c_str(), "in the way", -1, nullptr));
  const auto clip = bench.run();
  fail_unless(clip.has_value());
  fail_unless(contentsOf(**clip) == bench.service.clip);
  fail_unless(bench.newestRow().clip.empty());
  bench.row = 0;
  fail_unless(bench.run().has_value());
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(the_store_lets_go_of_what_was_least_recently_played) {
  Bench bench;
  const ScopedVariable limit("AIMLVIDEO_CACHE_SIZE", std::to_string(bench.service.clip.size() * 2).c_str());
  for (unsigned take = 0; take < 3; ++take) {
    bench.row = 0;
    bench.settings.take = take;
    fail_unless(bench.run().has_value());
  }
  fail_unless_equals_int(bench.service.home.clips(), 2);
  bench.row = 0;
  const size_t fetched = bench.service.server.count("GET", "/clips/");
  fail_unless(bench.run().has_value()); // the latest is there
  fail_unless_equals_int(bench.service.server.count("GET", "/clips/"), fetched);
}
GST_END_TEST

GST_START_TEST(the_key_is_never_on_disk_and_the_prompt_unless_the_user_or_others_who_can_read_it_say_no) {
  for (const bool shared : {false, true})
    for (const auto choice : {StorePrompt::No, StorePrompt::Yes, StorePrompt::Default}) {
      Bench bench;
      const std::string folder = bench.service.home.state() + "/aimlvideo";
      if (shared) // the claim, which is logged last before it is bought, closes the folder
        bench.onLog = [&] {
          fail_unless(chmod(folder.c_str(), 0755) == 0 && chmod((folder + "/ledger.sqlite3").c_str(), 0644) == 0);
        };
      bench.settings.storePrompt = choice;
      bench.settings.output = "/clips/boat.mp4";
      fail_unless(bench.run().has_value());
      std::string all;
      for (const char *suffix : {"", "-wal"}) {
        char *bytes = nullptr;
        gsize size = 0;
        if (g_file_get_contents((folder + "/ledger.sqlite3" + suffix).c_str(), &bytes, &size, nullptr))
          all.append(bytes, size);
        g_free(bytes);
      }
      const bool stored = choice == StorePrompt::Yes || (choice == StorePrompt::Default && !shared);
      fail_unless(contains(all, "gen/1:model"));
      fail_if(contains(all, benchKey));
      fail_unless(contains(all, "Mona Lisa") == stored);
      fail_unless(contains(all, "boat.mp4") == stored);
      fail_unless(bench.warnings.empty());
    }
}
GST_END_TEST

GST_START_TEST(who_has_an_older_ledger_hears_once_that_prompts_are_kept) {
  Bench bench;
  fail_unless(bench.run().has_value());
  const std::string file = bench.service.home.state() + "/aimlvideo/ledger.sqlite3";
  fail_unless(sqlite::Database::open(file)
                  ->execute("DROP TABLE spending; DROP TABLE spending_limit; DROP INDEX purchase_by_time; DROP TABLE "
                            "forgotten; DROP TABLE "
                            "mark; ALTER TABLE purchase DROP COLUMN output; PRAGMA user_version = 5")
                  .has_value());
  // what is said needs no telling
  for (const auto &[take, choice, told] :
       {std::tuple(1U, StorePrompt::Yes, 0U), std::tuple(2U, StorePrompt::No, 0U),
        std::tuple(3U, StorePrompt::Default, 1U), std::tuple(4U, StorePrompt::Default, 1U)}) {
    bench.row = 0;
    bench.settings.take = take;
    bench.settings.storePrompt = choice;
    fail_unless(bench.run().has_value());
    fail_unless_equals_int(bench.warnings.size(), told);
  }
  fail_unless_contains(bench.warnings.front(), "store-prompt=false");
}
GST_END_TEST

static TCase *lookups() {
  TCase *tests = tcase_create("lookups");
  tcase_add_test(tests, a_lost_answer_is_looked_up_and_the_generation_fetched);
  tcase_add_test(tests, a_submission_that_the_log_calls_failed_is_sent_again);
  tcase_add_test(tests, rows_of_others_are_never_adopted);
  tcase_add_test(tests, the_log_is_paged_through_to_its_end);
  tcase_add_test(tests, a_long_log_that_fails_again_and_again_is_read_to_its_end);
  tcase_add_test(tests, faults_of_the_log_are_ridden_out);
  tcase_add_test(tests, a_lookup_that_the_deadline_cuts_short_tells_what_was_wrong_before);
  tcase_add_test(tests, on_unknown_resubmit_sends_again_once_after_all_looking_up);
  tcase_add_test(tests, a_key_that_has_not_submitted_it_does_not_lead_to_another_submission);
  tcase_add_test(tests, the_next_run_looks_the_same_submission_up_first);
  tcase_add_test(tests, a_purchase_of_another_key_says_so);
  return tests;
}

static TCase *reuses() {
  TCase *tests = tcase_create("reuses");
  tcase_add_test(tests, the_same_request_is_replayed_without_a_request);
  tcase_add_test(tests, reuse_and_take_decide_what_is_bought_anew);
  tcase_add_test(tests, an_owner_goes_on_with_its_own_purchase_whatever_reuse_says);
  tcase_add_test(tests, an_unfinished_generation_is_gone_on_with_by_every_reuse_but_none);
  tcase_add_test(tests, a_generation_goes_on_on_the_family_it_was_bought_on);
  tcase_add_test(tests, a_clip_that_went_from_the_store_is_fetched_again_and_not_bought);
  tcase_add_loop_test(tests, a_stored_clip_that_was_changed_in_place_is_fetched_again, 0, G_N_ELEMENTS(changes));
  tcase_add_test(tests, a_stored_clip_that_was_copied_is_known_by_its_checksum);
  tcase_add_test(tests, a_stored_clip_that_was_copied_with_its_time_is_known_without_a_checksum);
  tcase_add_test(tests, a_cut_clip_that_an_earlier_version_has_stored_is_fetched_again);
  tcase_add_test(tests, a_clip_that_its_host_has_cut_is_an_error_and_fetched_by_the_next_run);
  tcase_add_test(tests, what_there_is_of_a_cut_clip_is_had_by_who_asks_for_it_and_not_kept);
  tcase_add_test(tests, what_the_service_has_lost_is_told_with_its_cost_and_not_bought_again);
  tcase_add_test(tests, a_timeout_too_short_to_believe_that_it_is_lost_says_so);
  tcase_add_test(tests, on_lost_buy_replaces_what_is_lost_once);
  tcase_add_test(tests, on_lost_buy_does_not_replace_a_clip_that_is_there_and_was_only_touched);
  tcase_add_test(tests, on_lost_buy_keeps_to_the_cap);
  tcase_add_test(tests, a_key_that_has_not_bought_it_can_not_say_that_it_is_lost);
  tcase_add_test(tests, a_clip_of_which_a_part_was_played_is_not_replaced_by_another);
  tcase_add_test(tests, what_was_moderated_is_not_sent_again_unless_asked);
  tcase_add_test(tests, what_failed_is_bought_again);
  tcase_add_test(tests, what_failed_is_not_called_lost_by_who_asks_for_it_again);
  tcase_add_test(tests, what_was_meant_to_be_sent_with_another_key_is_looked_up_like_any_other);
  tcase_add_test(tests, an_image_by_url_is_known_by_its_validator);
  tcase_add_test(tests, another_spelling_of_the_base_url_does_not_buy_again);
  tcase_add_test(tests, what_an_older_version_bought_under_any_spelling_is_found);
  tcase_add_test(tests, an_older_version_at_work_under_the_same_spelling_is_waited_for);
  tcase_add_test(tests, two_at_once_under_two_spellings_make_one_purchase);
  tcase_add_test(tests, a_generation_that_is_named_is_found_under_another_spelling);
  return tests;
}

static TCase *owners() {
  TCase *tests = tcase_create("owners");
  tcase_add_test(tests, two_at_once_make_one_purchase_and_both_have_the_clip);
  tcase_add_test(tests, who_waits_for_another_owner_ends_at_its_deadline_and_buys_nothing);
  return tests;
}

static TCase *disks() {
  TCase *tests = tcase_create("disks");
  tcase_add_test(tests, a_ledger_that_can_not_be_written_refuses_to_buy);
  tcase_add_test(tests, a_store_that_can_not_be_written_plays_the_clip_all_the_same);
  tcase_add_test(tests, the_store_lets_go_of_what_was_least_recently_played);
  tcase_add_test(tests, the_key_is_never_on_disk_and_the_prompt_unless_the_user_or_others_who_can_read_it_say_no);
  tcase_add_test(tests, who_has_an_older_ledger_hears_once_that_prompts_are_kept);
  return tests;
}

static Suite *purchase_suite() {
  Suite *suite = suite_create("purchase");
  for (TCase *tests : {lookups(), reuses(), owners(), disks()})
    suite_add_tcase(suite, tests);
  return suite;
}

GST_CHECK_MAIN(purchase)
