// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger/ledger.h"

#include <thread>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ledger/identity.h"
#include "ledger/ownership.h"
#include "support/home.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

using RowState = LedgerRow::State;

struct Desk {
  PrivateHome home;
  std::string folder = home.state() + "/aimlvideo";
  std::string file = folder + "/ledger.sqlite3";
  std::shared_ptr<Ledger> ledger = *Ledger::open(folder);
};

LedgerRow written(Ledger &ledger, RowState state, const std::string &identity, const std::string &validators = "") {
  LedgerRow row;
  row.identity = identity;
  row.owner = identity;
  row.validators = validators;
  row.state = state;
  fail_unless(ledger.write(row).has_value());
  return row;
}

unsigned modeOf(const std::string &path) {
  struct stat facts {};
  fail_unless_equals_int(stat(path.c_str(), &facts), 0);
  return facts.st_mode & 0777;
}

} // namespace

GST_START_TEST(a_row_reads_back_as_it_was_written_after_the_file_was_closed) {
  Desk desk;
  LedgerRow row;
  row.identity = "identity";
  row.owner = "owner";
  row.state = RowState::Running;
  row.family = EndpointFamily::Legacy;
  row.clientRequestId = "client";
  row.generationId = "gen/1:model";
  row.usage.usd = 0.91;
  row.clipSize = 1LL << 40;
  row.prompt = "Mona \"Lisa\" \xf0\x9f\x91\x93";
  row.replayable = false;
  row.submitted = 1'700'000'000'000;
  row.duration = "5";
  row.resolution = "1080p";
  fail_unless(desk.ledger->write(row).has_value());
  fail_unless(row.id != 0 && row.created != 0);
  desk.ledger.reset();
  const auto again = (*Ledger::open(desk.folder))->row(row.id);
  fail_unless(again.has_value() && again->has_value());
  const LedgerRow &read = **again;
  fail_unless(read.state == RowState::Running && read.family == EndpointFamily::Legacy);
  fail_unless_equals_text(read.generationId, row.generationId);
  fail_unless_equals_text(read.prompt, row.prompt);
  fail_unless(read.submitted == row.submitted && read.duration == "5" && read.resolution == "1080p");
  fail_unless(read.usage.usd == 0.91 && !read.usage.credits);
  fail_unless(read.clipSize == row.clipSize && !read.replayable && read.created == row.created);
}
GST_END_TEST

GST_START_TEST(a_second_write_changes_the_row_and_adds_none) {
  Desk desk;
  LedgerRow row = written(*desk.ledger, RowState::Intent, "identity");
  const int64_t id = row.id;
  row.state = RowState::Sent;
  fail_unless(desk.ledger->write(row).has_value());
  fail_unless(row.id == id);
  const auto rows = desk.ledger->rows();
  fail_unless_equals_int(rows->size(), 1);
  fail_unless(rows->front().state == RowState::Sent);
}
GST_END_TEST

GST_START_TEST(the_newest_row_of_a_request_counts) {
  Desk desk;
  written(*desk.ledger, RowState::Failed, "one");
  written(*desk.ledger, RowState::Running, "one");
  written(*desk.ledger, RowState::Sent, "other");
  fail_unless((*desk.ledger->find("one", ""))->state == RowState::Running);
  fail_if(desk.ledger->find("none", "")->has_value());
}
GST_END_TEST

GST_START_TEST(a_changed_image_is_another_request_but_a_host_that_does_not_answer_is_not) {
  Desk desk;
  written(*desk.ledger, RowState::Completed, "finished", "etag-1");
  fail_unless(desk.ledger->find("finished", "etag-1")->has_value());
  fail_if(desk.ledger->find("finished", "etag-2")->has_value());
  fail_if(desk.ledger->find("finished", "")->has_value());
  written(*desk.ledger, RowState::Running, "unfinished", "etag-1");
  fail_unless(desk.ledger->find("unfinished", "")->has_value());
  fail_if(desk.ledger->find("unfinished", "etag-2")->has_value());
}
GST_END_TEST

GST_START_TEST(its_files_are_for_their_user_alone) {
  Desk desk;
  written(*desk.ledger, RowState::Intent, "identity");
  fail_unless_equals_int(modeOf(desk.folder), 0700);
  fail_unless_equals_int(modeOf(desk.file), 0600);
  fail_unless_equals_int(modeOf(desk.file + "-wal"), 0600);
}
GST_END_TEST

GST_START_TEST(a_fingerprint_tells_keys_apart_and_differs_between_ledgers) {
  Desk desk;
  const Secret key("a-key");
  const std::string here = desk.ledger->fingerprint(key);
  fail_unless_equals_text(desk.ledger->fingerprint(Secret("a-key")), here);
  fail_if(desk.ledger->fingerprint(Secret("b-key")) == here);
  fail_if(contains(here, "a-key"));
  const auto other = *Ledger::open(desk.home.state() + "/other");
  fail_if(other->fingerprint(key) == here);
}
GST_END_TEST

GST_START_TEST(a_damaged_file_is_told_once_and_kept_aside) {
  for (const char *damage :
       {"this is no database, by no means, not at all, and it is longer than its header", "torn"}) {
    Desk desk;
    for (int i = 0; i < 200; ++i)
      written(*desk.ledger, RowState::Running, "identity" + std::to_string(i));
    desk.ledger.reset();
    if (std::string_view(damage) == "torn") {
      // some pages in the middle, as a bad disk leaves them
      GError *error = nullptr;
      char *bytes = nullptr;
      gsize size = 0;
      fail_unless(g_file_get_contents(desk.file.c_str(), &bytes, &size, &error));
      memset(bytes + 4096, 0x55, size - 4096);
      fail_unless(g_file_set_contents(desk.file.c_str(), bytes, static_cast<gssize>(size), &error));
      g_free(bytes);
    } else {
      fail_unless(g_file_set_contents(desk.file.c_str(), damage, -1, nullptr));
    }
    const auto first = Ledger::open(desk.folder);
    fail_if(first.has_value());
    const std::string text = first.error().text();
    fail_unless_contains(text, "damaged");
    const size_t place = text.find(desk.file + ".damaged-");
    fail_unless(place != std::string::npos);
    const std::string aside = text.substr(place, text.find(',', place) - place);
    fail_unless(g_file_test(aside.c_str(), G_FILE_TEST_EXISTS), "%s", aside.c_str());
    const auto second = Ledger::open(desk.folder);
    fail_unless(second.has_value());
    fail_unless((*second)->rows()->empty());
  }
}
GST_END_TEST

GST_START_TEST(a_ledger_of_a_newer_version_is_refused_and_left_alone) {
  Desk desk;
  desk.ledger.reset();
  fail_unless(sqlite::Database::open(desk.file)->execute("PRAGMA user_version = 99").has_value());
  for (int i = 0; i < 2; ++i) {
    const auto refused = Ledger::open(desk.folder);
    fail_if(refused.has_value());
    fail_unless_contains(refused.error().text(), "newer version");
  }
}
GST_END_TEST

GST_START_TEST(a_ledger_of_the_first_version_is_taken_over_with_all_its_rows) {
  Desk desk;
  LedgerRow row = written(*desk.ledger, RowState::Running, "identity");
  row.generationId = "gen/1";
  fail_unless(desk.ledger->write(row).has_value());
  desk.ledger.reset();
  // what the second version has added goes again
  const auto undone = sqlite::Database::open(desk.file)->execute(
      "DROP TABLE observed_time; ALTER TABLE generation DROP COLUMN submitted; ALTER TABLE generation DROP COLUMN "
      "duration; ALTER TABLE generation DROP COLUMN resolution; ALTER TABLE generation DROP COLUMN request_id; ALTER "
      "TABLE generation DROP COLUMN clip_proof; DROP INDEX generation_by_base_url; PRAGMA user_version = 1");
  fail_unless(undone.has_value(), "%s", undone ? "" : undone.error().message.c_str());
  const auto ledger = Ledger::open(desk.folder);
  fail_unless(ledger.has_value());
  const auto rows = (*ledger)->rows();
  fail_unless_equals_int(rows->size(), 1);
  fail_unless_equals_text(rows->front().generationId, "gen/1");
  fail_unless(rows->front().submitted == 0 && rows->front().created == row.created);
  fail_unless((*ledger)->addTime({"https://a", {"model", "5", ""}, 100, 0}).has_value());
}
GST_END_TEST

GST_START_TEST(times_are_kept_by_service_and_model_newest_first_and_for_each_kind_sixty_four) {
  Desk desk;
  const auto add = [&](const char *service, const JobKind &kind, double seconds) {
    fail_unless(desk.ledger->addTime({service, kind, seconds, 0}).has_value());
  };
  add("https://a", {"model", "10", ""}, 1000);
  add("https://b", {"model", "5", ""}, 2000);
  add("https://a", {"other", "5", ""}, 3000);
  for (int i = 1; i <= 70; ++i)
    add("https://a", {"model", "5", ""}, i);
  const auto times = *desk.ledger->times("https://a", "model");
  fail_unless_equals_int(times.size(), 65);
  fail_unless(times.front().seconds == 70 && times.front().kind == (JobKind{"model", "5", ""}));
  fail_unless(times[63].seconds == 7 && times.back().seconds == 1000);
  fail_unless(times.front().observed > 0);
  fail_unless_equals_int(desk.ledger->times("https://b", "model")->size(), 1);
}
GST_END_TEST

GST_START_TEST(a_folder_that_can_not_be_made_is_an_error_that_names_it) {
  PrivateHome home;
  const std::string folder = "/proc/aimlvideo";
  const auto refused = Ledger::open(folder);
  fail_if(refused.has_value());
  fail_unless(refused.error().kind == ErrorKind::NoSpace);
  fail_unless_contains(refused.error().text(), folder);
  fail_unless_contains(refused.error().text(), "nothing was bought");
}
GST_END_TEST

GST_START_TEST(threads_and_processes_write_into_one_ledger) {
  Desk desk;
  constexpr int processes = 3;
  constexpr int each = 20;
  desk.ledger.reset();
  for (int process = 0; process < processes; ++process) {
    if (fork() == 0) {
      const auto ledger = *Ledger::open(desk.folder);
      std::vector<std::thread> threads;
      for (int thread = 0; thread < 2; ++thread)
        threads.emplace_back([&] {
          for (int i = 0; i < each; ++i) {
            LedgerRow row;
            row.identity = "shared";
            if (!ledger->write(row))
              _exit(1);
          }
        });
      for (std::thread &thread : threads)
        thread.join();
      _exit(0);
    }
  }
  for (int process = 0; process < processes; ++process) {
    int status = 0;
    wait(&status);
    fail_unless_equals_int(status, 0);
  }
  fail_unless_equals_int((*Ledger::open(desk.folder))->rows()->size(), processes * 2 * each);
}
GST_END_TEST

GST_START_TEST(an_ownership_has_one_holder_and_names_it) {
  PrivateHome home;
  {
    auto first = Ownership::take(home.state(), "name");
    fail_unless(first.has_value() && first->has_value());
    fail_if(Ownership::take(home.state(), "name")->has_value());
    fail_unless_equals_text(Ownership::holder(home.state(), "name"), "this process");
    fail_unless(Ownership::take(home.state(), "another")->has_value());
  }
  fail_unless(Ownership::take(home.state(), "name")->has_value());
}
GST_END_TEST

GST_START_TEST(the_kernel_frees_the_ownership_of_a_killed_process_and_keeps_that_of_a_stopped_one) {
  PrivateHome home;
  int ready[2];
  fail_unless_equals_int(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto mine = Ownership::take(home.state(), "name");
    if (write(ready[1], "x", 1) != 1)
      _exit(1);
    for (;;)
      pause();
  }
  char byte = 0;
  fail_unless_equals_int(read(ready[0], &byte, 1), 1);
  fail_if(Ownership::take(home.state(), "name")->has_value());
  kill(child, SIGSTOP);
  waitpid(child, nullptr, WUNTRACED);
  fail_if(Ownership::take(home.state(), "name")->has_value());
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  fail_unless(Ownership::take(home.state(), "name")->has_value());
}
GST_END_TEST

GST_START_TEST(identities_differ_by_service_request_and_take) {
  const std::string base = requestIdentity("https://a", "{}", 0);
  fail_unless_equals_int(base.size(), 64);
  fail_unless_equals_text(requestIdentity("https://a", "{}", 0), base);
  fail_if(requestIdentity("https://b", "{}", 0) == base);
  fail_if(requestIdentity("https://a", "{\"a\":1}", 0) == base);
  fail_if(requestIdentity("https://a", "{}", 1) == base);
}
GST_END_TEST

static Suite *ledger_suite() {
  Suite *suite = suite_create("ledger");
  TCase *rows = tcase_create("rows");
  suite_add_tcase(suite, rows);
  tcase_add_test(rows, a_row_reads_back_as_it_was_written_after_the_file_was_closed);
  tcase_add_test(rows, a_second_write_changes_the_row_and_adds_none);
  tcase_add_test(rows, the_newest_row_of_a_request_counts);
  tcase_add_test(rows, a_changed_image_is_another_request_but_a_host_that_does_not_answer_is_not);
  tcase_add_test(rows, its_files_are_for_their_user_alone);
  tcase_add_test(rows, a_fingerprint_tells_keys_apart_and_differs_between_ledgers);
  tcase_add_test(rows, a_damaged_file_is_told_once_and_kept_aside);
  tcase_add_test(rows, a_ledger_of_a_newer_version_is_refused_and_left_alone);
  tcase_add_test(rows, a_ledger_of_the_first_version_is_taken_over_with_all_its_rows);
  tcase_add_test(rows, times_are_kept_by_service_and_model_newest_first_and_for_each_kind_sixty_four);
  tcase_add_test(rows, a_folder_that_can_not_be_made_is_an_error_that_names_it);
  tcase_add_test(rows, threads_and_processes_write_into_one_ledger);
  TCase *ownerships = tcase_create("ownerships");
  suite_add_tcase(suite, ownerships);
  tcase_add_test(ownerships, an_ownership_has_one_holder_and_names_it);
  tcase_add_test(ownerships, the_kernel_frees_the_ownership_of_a_killed_process_and_keeps_that_of_a_stopped_one);
  tcase_add_test(ownerships, identities_differ_by_service_request_and_take);
  return suite;
}

GST_CHECK_MAIN(ledger)
