// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger/ledger.h"

#include <thread>

#include <fcntl.h>
#include <sys/file.h>
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

GST_START_TEST(an_empty_file_is_a_damaged_ledger_and_told_once) {
  Desk desk;
  written(*desk.ledger, RowState::Running, "identity");
  desk.ledger.reset();
  fail_unless(g_file_set_contents(desk.file.c_str(), "", 0, nullptr));
  const auto first = Ledger::open(desk.folder);
  fail_if(first.has_value());
  fail_unless_contains(first.error().text(), desk.file + ".damaged-");
  fail_unless((*Ledger::open(desk.folder))->rows()->empty());
}
GST_END_TEST

GST_START_TEST(a_log_of_writes_whose_ledger_was_removed_is_not_taken_for_a_new_ones) {
  Desk desk;
  written(*desk.ledger, RowState::Running, "identity");
  fail_unless_equals_int(g_remove(desk.file.c_str()), 0); // it is in use, so that its log is there
  const auto ledger = Ledger::open(desk.folder);
  fail_unless(ledger.has_value());
  written(**ledger, RowState::Running, "other");
  fail_unless_equals_int((*ledger)->rows()->size(), 1);
}
GST_END_TEST

GST_START_TEST(a_new_ledger_has_its_name_only_when_it_is_whole) {
  Desk desk;
  desk.ledger.reset();
  // what a crash leaves that comes before
  fail_unless_equals_int(g_rename(desk.file.c_str(), (desk.file + ".new").c_str()), 0);
  fail_unless(truncate((desk.file + ".new").c_str(), 0) == 0);
  const auto ledger = Ledger::open(desk.folder);
  fail_unless(ledger.has_value());
  fail_unless((*ledger)->rows()->empty());
  fail_if(g_file_test((desk.file + ".new").c_str(), G_FILE_TEST_EXISTS));
}
GST_END_TEST

/// Fills some hundred pages, with one wait for the disk.
void writeMany(Ledger &ledger) {
  LedgerRow row;
  row.state = RowState::Running;
  row.prompt = std::string(1 << 20, 'x');
  fail_unless(ledger.write(row).has_value());
}

/// Overwrites a page in the middle of the file, none that opening it has to read.
void spoil(const std::string &file) {
  struct stat facts {};
  fail_unless_equals_int(stat(file.c_str(), &facts), 0);
  const int descriptor = open(file.c_str(), O_WRONLY);
  const std::string junk(4096, '\x55');
  const off_t place = facts.st_size / 2 / 4096 * 4096;
  fail_unless(pwrite(descriptor, junk.data(), junk.size(), place) == static_cast<ssize_t>(junk.size()));
  close(descriptor);
}

GST_START_TEST(all_of_it_is_looked_at_after_a_kill_and_not_after_a_clean_end) {
  for (const bool killed : {true, false}) {
    Desk desk;
    desk.ledger.reset();
    const pid_t child = fork();
    if (child == 0) {
      auto ledger = *Ledger::open(desk.folder);
      writeMany(*ledger);
      if (!sqlite::Database::open(desk.file)->execute("PRAGMA wal_checkpoint(TRUNCATE)"))
        _exit(1);
      written(*ledger, RowState::Running, "last");
      if (killed)
        kill(getpid(), SIGKILL);
      ledger.reset();
      _exit(0);
    }
    waitpid(child, nullptr, 0);
    spoil(desk.file);
    fail_unless(Ledger::open(desk.folder).has_value() == !killed);
  }
}
GST_END_TEST

GST_START_TEST(what_is_open_elsewhere_is_not_looked_at_wholly) {
  Desk desk;
  writeMany(*desk.ledger);
  fail_unless(sqlite::Database::open(desk.file)->execute("PRAGMA wal_checkpoint(TRUNCATE)").has_value());
  written(*desk.ledger, RowState::Running, "last");
  spoil(desk.file);
  const pid_t child = fork();
  if (child == 0)
    _exit(Ledger::open(desk.folder).has_value() ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  fail_unless_equals_int(status, 0);
}
GST_END_TEST

GST_START_TEST(damage_that_a_read_comes_upon_is_kept_aside_by_the_next_opening) {
  Desk desk;
  writeMany(*desk.ledger);
  desk.ledger.reset();
  spoil(desk.file);
  {
    const auto ledger = Ledger::open(desk.folder);
    fail_unless(ledger.has_value());
    const auto rows = (*ledger)->rows();
    fail_if(rows.has_value());
    fail_unless_contains(rows.error().text(), "is damaged, so nothing was bought");
    fail_unless_contains(rows.error().text(), "Run again");
    const auto again = Ledger::open(desk.folder); // also while the first is in use
    fail_if(again.has_value());
    fail_unless_contains(again.error().text(), "it is kept as " + desk.file + ".damaged-");
  }
  fail_unless((*Ledger::open(desk.folder))->rows()->empty());
}
GST_END_TEST

GST_START_TEST(a_process_that_is_stopped_while_it_opens_the_ledger_holds_nobody_past_the_deadline) {
  Desk desk;
  desk.ledger.reset();
  int ready[2];
  fail_unless_equals_int(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    auto lock = LockFile::open(desk.folder + "/opening.lock");
    lock->lock(LOCK_EX);
    lock->sign();
    if (write(ready[1], "x", 1) != 1)
      _exit(1);
    for (;;)
      pause();
  }
  char byte = 0;
  fail_unless_equals_int(read(ready[0], &byte, 1), 1);
  kill(child, SIGSTOP);
  waitpid(child, nullptr, WUNTRACED);

  Cancellation cancellation;
  const auto begun = Clock::now();
  const auto late = Ledger::open(desk.folder, cancellation, Clock::now() + std::chrono::milliseconds(50));
  fail_if(late.has_value());
  fail_unless(late.error().kind == ErrorKind::TimedOut);
  fail_unless(Clock::now() - begun < std::chrono::seconds(10));
  fail_unless_contains(late.error().text(),
                       "process " + std::to_string(child) + " holds " + desk.folder + "/opening.lock");
  fail_unless_contains(late.error().text(), "nothing was bought");

  // all threads that wait, each by its own patience
  std::thread second([&] {
    const auto stopped = Ledger::open(desk.folder, cancellation, Clock::time_point::max());
    fail_unless(!stopped && stopped.error().kind == ErrorKind::Cancelled);
  });
  cancellation.cancel();
  second.join();
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  fail_unless(Ledger::open(desk.folder).has_value());
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

/// What a child of this process says.
template <typename Ask>
bool inChild(const Ask &ask) {
  const pid_t child = fork();
  if (child == 0)
    _exit(ask() ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  return status == 0;
}

GST_START_TEST(a_forked_child_does_not_keep_the_ownership_of_its_killed_parent) {
  PrivateHome home;
  int ready[2];
  int release[2];
  fail_unless(pipe(ready) == 0 && pipe(release) == 0);
  const pid_t owner = fork();
  if (owner == 0) {
    const auto mine = Ownership::take(home.state(), "name");
    if (fork() == 0) { // lives longer
      char byte = 0;
      close(release[1]);
      (void)!write(ready[1], "x", 1);
      _exit(read(release[0], &byte, 1) == 0 ? 0 : 1);
    }
    for (;;)
      pause();
  }
  char byte = 0;
  fail_unless_equals_int(read(ready[0], &byte, 1), 1);
  fail_if(Ownership::take(home.state(), "name")->has_value());
  kill(owner, SIGKILL);
  waitpid(owner, nullptr, 0);
  fail_unless(Ownership::take(home.state(), "name")->has_value());
  close(release[1]);
}
GST_END_TEST

GST_START_TEST(a_forked_child_that_cleans_up_takes_nothing_from_its_parent) {
  PrivateHome home;
  auto mine = Ownership::take(home.state(), "name");
  const bool cleaned = inChild([&] {
    const int innocent = dup(STDERR_FILENO); // takes the number of the descriptor that went
    mine->reset();
    return fcntl(innocent, F_GETFD) >= 0;
  });
  fail_unless(cleaned);
  fail_unless(inChild([&] { return !Ownership::take(home.state(), "name")->has_value(); }));
  fail_if(Ownership::take(home.state(), "name")->has_value());
}
GST_END_TEST

GST_START_TEST(a_forked_child_opens_the_ledger_for_itself) {
  Desk desk;
  fail_unless(inChild([&] {
    const auto own = Ledger::open(desk.folder);
    LedgerRow row;
    row.identity = "of the child";
    return own && *own != desk.ledger && (*own)->write(row);
  }));
  fail_unless_equals_int(desk.ledger->rows()->size(), 1);
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
  tcase_add_test(rows, an_empty_file_is_a_damaged_ledger_and_told_once);
  tcase_add_test(rows, a_log_of_writes_whose_ledger_was_removed_is_not_taken_for_a_new_ones);
  tcase_add_test(rows, a_new_ledger_has_its_name_only_when_it_is_whole);
  tcase_add_test(rows, all_of_it_is_looked_at_after_a_kill_and_not_after_a_clean_end);
  tcase_add_test(rows, what_is_open_elsewhere_is_not_looked_at_wholly);
  tcase_add_test(rows, damage_that_a_read_comes_upon_is_kept_aside_by_the_next_opening);
  tcase_add_test(rows, a_process_that_is_stopped_while_it_opens_the_ledger_holds_nobody_past_the_deadline);
  tcase_add_test(rows, a_ledger_of_a_newer_version_is_refused_and_left_alone);
  tcase_add_test(rows, a_ledger_of_the_first_version_is_taken_over_with_all_its_rows);
  tcase_add_test(rows, times_are_kept_by_service_and_model_newest_first_and_for_each_kind_sixty_four);
  tcase_add_test(rows, a_folder_that_can_not_be_made_is_an_error_that_names_it);
  tcase_add_test(rows, threads_and_processes_write_into_one_ledger);
  TCase *ownerships = tcase_create("ownerships");
  suite_add_tcase(suite, ownerships);
  tcase_add_test(ownerships, an_ownership_has_one_holder_and_names_it);
  tcase_add_test(ownerships, the_kernel_frees_the_ownership_of_a_killed_process_and_keeps_that_of_a_stopped_one);
  tcase_add_test(ownerships, a_forked_child_does_not_keep_the_ownership_of_its_killed_parent);
  tcase_add_test(ownerships, a_forked_child_that_cleans_up_takes_nothing_from_its_parent);
  tcase_add_test(ownerships, a_forked_child_opens_the_ledger_for_itself);
  tcase_add_test(ownerships, identities_differ_by_service_request_and_take);
  return suite;
}

GST_CHECK_MAIN(ledger)
