// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger/ledger.h"

#include <atomic>
#include <future>
#include <thread>
#include <utility>

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
  struct stat facts{};
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
  row.output = "/clips/mona.mp4";
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
  fail_unless_equals_text(read.output, row.output);
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

GST_START_TEST(a_changed_row_writes_to_no_index_that_holds_nothing_new) {
  constexpr off_t frame = 24 + 4096;
  Desk desk;
  LedgerRow row = written(*desk.ledger, RowState::Intent, "one");
  const auto size = [&] {
    struct stat facts{};
    fail_unless_equals_int(stat((desk.file + "-wal").c_str(), &facts), 0);
    return facts.st_size;
  };
  const off_t before = size();
  row.state = RowState::Sent;
  fail_unless(desk.ledger->write(row).has_value());
  fail_unless_equals_int((size() - before) / frame, 2); // the row, and the index of generations' ids
  fail_unless((*desk.ledger->row(row.id))->state == RowState::Sent);
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
  struct stat facts{};
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
  // what later versions have changed is as it was again
  const auto undone = sqlite::Database::open(desk.file)->execute(
      "DROP TABLE spending; DROP TABLE spending_limit; DROP INDEX purchase_by_time; ALTER TABLE purchase RENAME TO "
      "generation; DROP TABLE mark; DROP TABLE forgotten; DROP TABLE observed_time; ALTER TABLE generation "
      "DROP COLUMN "
      "output; ALTER TABLE generation DROP COLUMN submitted; ALTER TABLE generation DROP COLUMN "
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

/// The database as schema 5 left it.
static void leaveAsSchema5(const std::string &file) {
  fail_unless(sqlite::Database::open(file)
                  ->execute("DROP TABLE spending; DROP TABLE spending_limit; DROP INDEX purchase_by_time; DROP TABLE "
                            "forgotten; DROP TABLE "
                            "mark; ALTER TABLE purchase DROP COLUMN output; PRAGMA user_version = 5")
                  .has_value());
}

GST_START_TEST(who_bought_before_prompts_were_kept_is_told_once) {
  Desk desk;
  fail_if(desk.ledger->noticeDue());
  fail_if(desk.ledger->takeNotice());
  desk.ledger.reset();
  leaveAsSchema5(desk.file); // without a row nothing changes for anybody
  desk.ledger = *Ledger::open(desk.folder);
  fail_if(desk.ledger->noticeDue());
  written(*desk.ledger, RowState::Running, "identity");
  desk.ledger.reset();
  leaveAsSchema5(desk.file);
  for (const bool first : {true, false}) {
    desk.ledger = *Ledger::open(desk.folder);
    fail_unless(desk.ledger->noticeDue() == first);
    fail_unless(desk.ledger->takeNotice() == first);
    fail_if(desk.ledger->noticeDue() || desk.ledger->takeNotice());
    desk.ledger.reset();
  }
}
GST_END_TEST

GST_START_TEST(a_program_of_schema_5_that_has_the_ledger_open_goes_on_and_loses_nothing_that_it_does_not_know) {
  Desk desk;
  desk.ledger.reset();
  leaveAsSchema5(desk.file);
  auto older = std::move(*sqlite::Database::open(desk.file));
  constexpr auto state = "UPDATE purchase SET state = ?, cause = ? WHERE id = ?";
  constexpr auto insert =
      "INSERT INTO purchase (id, state, identity, owner, validators, replayable, base_url, model, family, "
      "client_request_id, key_fingerprint, generation_id, created, changed, credits, usd, clip_url, clip, clip_size, "
      "clip_checksum, prompt, cause, submitted, duration, resolution, request_id, clip_proof) VALUES (NULLIF(?, 0), "
      "'sent', 'older', '', '', 1, '', '', 'universal', '', '', '', 1, 1, NULL, NULL, '', '', 0, '', '', '', 0, '', "
      "'', '', '') ON CONFLICT (id) DO UPDATE SET state = excluded.state";
  fail_unless(older.run(insert, int64_t{0}).has_value()); // both are compiled before
  fail_unless(older.run(state, "sent", "", int64_t{1}).has_value());
  desk.ledger = *Ledger::open(desk.folder);
  fail_unless(desk.ledger->describe(1, "a boat", "/clips/boat.mp4").has_value());
  fail_unless(older.run(state, "running", "", int64_t{1}).has_value());
  fail_unless(older.run(insert, int64_t{1}).has_value());
  fail_unless(older.run(insert, int64_t{0}).has_value());
  const auto rows = *desk.ledger->rows();
  fail_unless_equals_int(rows.size(), 2);
  fail_unless(rows[1].state == RowState::Sent);
  fail_unless_equals_text(rows[1].output, "/clips/boat.mp4");
}
GST_END_TEST

GST_START_TEST(what_a_row_was_bought_for_is_noted_and_an_empty_text_changes_nothing) {
  Desk desk;
  const int64_t id = written(*desk.ledger, RowState::Completed, "identity").id;
  const auto told = [&] {
    const LedgerRow row = **desk.ledger->row(id);
    return row.prompt + "|" + row.output;
  };
  fail_unless(desk.ledger->describe(id, "a boat", "").has_value());
  fail_unless_equals_text(told(), "a boat|");
  fail_unless(desk.ledger->describe(id, "", "/clips/boat.mp4").has_value());
  fail_unless_equals_text(told(), "a boat|/clips/boat.mp4");
  fail_unless(desk.ledger->describe(id, "", "").has_value());
  fail_unless_equals_text(told(), "a boat|/clips/boat.mp4");
  fail_unless(desk.ledger->describe(id + 1, "another", "/another").has_value());
  fail_unless_equals_int(desk.ledger->rows()->size(), 1);
}
GST_END_TEST

GST_START_TEST(prompts_are_kept_unless_the_user_or_the_modes_of_the_files_say_no) {
  Desk desk;
  const auto kept = [&](StorePrompt choice) {
    return desk.ledger->keepsPrompts(choice);
  };
  fail_unless(kept(StorePrompt::Default) && kept(StorePrompt::Yes) && !kept(StorePrompt::No));
  chmod(desk.file.c_str(), 0644); // behind a folder that is closed
  fail_unless(kept(StorePrompt::Default));
  chmod(desk.folder.c_str(), 0750);
  fail_unless(!kept(StorePrompt::Default) && kept(StorePrompt::Yes) && !kept(StorePrompt::No));
  chmod(desk.file.c_str(), 0600);
  fail_unless(kept(StorePrompt::Default));
}
GST_END_TEST

/// What version e4b7c30 does, the last one of schema 4 with a lock file for each name.
namespace old {

constexpr int schema = 4; ///< it refuses a ledger whose user_version is higher

/// The database of this version as that one left it.
void leave(const std::string &file) {
  fail_unless(sqlite::Database::open(file)
                  ->execute("DROP TABLE spending; DROP TABLE spending_limit; DROP INDEX purchase_by_time; DROP TABLE "
                            "forgotten; DROP TABLE "
                            "mark; DROP TABLE IF EXISTS generation; ALTER TABLE purchase RENAME TO "
                            "generation; ALTER TABLE generation DROP "
                            "COLUMN output; PRAGMA user_version = 4")
                  .has_value());
}

sqlite::Done<void> write(sqlite::Database &database, const char *state, const char *identity) {
  constexpr auto columns = "id, state, identity, owner, validators, replayable, base_url, model, family, "
                           "client_request_id, key_fingerprint, generation_id, created, changed, credits, usd, "
                           "clip_url, clip, clip_size, clip_checksum, prompt, cause, submitted, duration, resolution, "
                           "request_id, clip_proof";
  return database.run(std::string("INSERT OR REPLACE INTO generation (") + columns +
                          ") VALUES (NULLIF(?, 0), ?, ?, ?, '', 1, '', '', 'universal', '', '', '', 1, 1, NULL, NULL, "
                          "'', '', 0, '', '', '', 0, '', '', '', '')",
                      int64_t{0}, state, identity, identity);
}

/// The lock of a name; the caller closes it. It is removed by its owner, and stays after a kill.
int own(const std::string &folder, const std::string &name) {
  fail_unless_equals_int(g_mkdir_with_parents((folder + "/locks").c_str(), 0700), 0);
  const int descriptor = open((folder + "/locks/" + name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  fail_unless_equals_int(flock(descriptor, LOCK_EX | LOCK_NB), 0);
  fail_unless(::write(descriptor, "42\n", 3) == 3);
  return descriptor;
}

} // namespace old

GST_START_TEST(an_older_program_that_has_the_ledger_open_can_record_nothing_beside_a_new_one) {
  Desk desk;
  desk.ledger.reset();
  old::leave(desk.file);
  auto older = std::move(*sqlite::Database::open(desk.file));
  fail_unless(old::write(older, "running", "bought").has_value());
  const auto ledger = Ledger::open(desk.folder);
  fail_unless(ledger.has_value(), "%s", ledger ? "" : ledger.error().text().c_str());
  for (const char *state : {"intent", "sent"})
    fail_if(old::write(older, state, "another").has_value());
  fail_unless_equals_int((*ledger)->rows()->size(), 1);
  fail_unless((*(*ledger)->find("bought", ""))->state == RowState::Running);
}
GST_END_TEST

GST_START_TEST(an_older_program_that_starts_refuses_the_ledger) {
  Desk desk;
  const auto version = sqlite::Database::open(desk.file)->value("PRAGMA user_version");
  fail_unless(version && std::atoi((*version)->c_str()) > old::schema);
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

namespace {

/// Counts the transactions of all databases that are opened while there is one of it.
class Commits {
public:
  Commits() {
    count = 0;
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(watch));
  }
  Commits(const Commits &) = delete;
  Commits &operator=(const Commits &) = delete;
  ~Commits() { sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(watch)); }

  int sinceLast() { return count.exchange(0); }

private:
  static int watch(sqlite3 *database, const char **, const void *) {
    const auto counts = [](void *) {
      ++count;
      return 0;
    };
    sqlite3_commit_hook(database, counts, nullptr);
    return SQLITE_OK;
  }

  static std::atomic<int> count;
};

std::atomic<int> Commits::count;

/// An executor that runs nothing by itself.
struct Shelf {
  std::vector<std::function<void()>> jobs;

  void workOff() {
    for (const auto &job : std::exchange(jobs, {}))
      job();
  }
};

LedgerRow rowOf(const std::string &identity) {
  LedgerRow row;
  row.identity = row.owner = identity;
  return row;
}

} // namespace

GST_START_TEST(what_is_submitted_at_once_is_one_transaction_and_reported_from_the_worker) {
  Commits commits;
  Desk desk;
  Shelf shelf;
  desk.ledger->workOn([&](std::function<void()> job) { shelf.jobs.push_back(std::move(job)); });
  commits.sinceLast();
  std::vector<LedgerRow> rows;
  int times = 0;
  for (int i = 0; i < 1000; ++i)
    desk.ledger->submitWrite(rowOf(std::to_string(i)), [&](Result<LedgerRow> row) {
      fail_unless(row.has_value());
      rows.push_back(std::move(*row));
    });
  desk.ledger->submitTime({"https://a", {"model", "5", ""}, 100, 0}, [&](const Result<void> &added) {
    fail_unless(added.has_value());
    ++times;
  });
  fail_unless_equals_int(shelf.jobs.size(), 1);
  fail_unless_equals_int(commits.sinceLast(), 0);
  fail_unless(rows.empty());
  shelf.workOff();
  fail_unless_equals_int(commits.sinceLast(), 1);
  fail_unless_equals_int(rows.size(), 1000);
  fail_unless_equals_int(times, 1);
  for (int i = 0; i < 1000; ++i) {
    fail_unless_equals_text(rows[i].identity, std::to_string(i));
    const auto read = desk.ledger->row(rows[i].id);
    fail_unless(read && *read && (*read)->identity == rows[i].identity && (*read)->created == rows[i].created);
  }
}
GST_END_TEST

GST_START_TEST(a_thread_that_writes_takes_along_what_is_submitted_and_leaves_the_report_to_the_worker) {
  Commits commits;
  Desk desk;
  Shelf shelf;
  desk.ledger->workOn([&](std::function<void()> job) { shelf.jobs.push_back(std::move(job)); });
  commits.sinceLast();
  LedgerRow reported;
  desk.ledger->submitWrite(rowOf("submitted"), [&](Result<LedgerRow> row) { reported = std::move(*row); });
  written(*desk.ledger, RowState::Intent, "written");
  fail_unless_equals_int(commits.sinceLast(), 1);
  fail_unless_equals_int(desk.ledger->rows()->size(), 2);
  fail_unless_equals_text(reported.identity, "");
  shelf.workOff();
  fail_unless_equals_text(reported.identity, "submitted");
  fail_unless_equals_int(commits.sinceLast(), 0);
}
GST_END_TEST

GST_START_TEST(a_report_may_submit_more_and_the_ledger_lives_until_the_last) {
  Desk desk;
  std::promise<Result<LedgerRow>> last;
  Ledger &ledger = *desk.ledger;
  ledger.submitWrite(rowOf("first"), [&](Result<LedgerRow> row) {
    row->state = RowState::Sent;
    ledger.submitWrite(std::move(*row), [&](Result<LedgerRow> again) { last.set_value(std::move(again)); });
  });
  desk.ledger.reset();
  const auto row = last.get_future().get();
  fail_unless(row.has_value() && row->id != 0);
  const auto rows = (*Ledger::open(desk.folder))->rows();
  fail_unless_equals_int(rows->size(), 1);
  fail_unless(rows->front().state == RowState::Sent);
}
GST_END_TEST

GST_START_TEST(a_write_that_was_submitted_in_vain_is_an_error_of_its_own) {
  Desk desk;
  fail_unless(
      sqlite::Database::open(desk.file)->execute("CREATE UNIQUE INDEX strict ON purchase (identity)").has_value());
  Shelf shelf;
  desk.ledger->workOn([&](std::function<void()> job) { shelf.jobs.push_back(std::move(job)); });
  LedgerRow twice = written(*desk.ledger, RowState::Intent, "twice");
  // the row that stands against it goes away, unless it has another id
  fail_unless(sqlite::Database::open(desk.file)
                  ->execute("CREATE TABLE child (id INTEGER REFERENCES purchase (id)); INSERT INTO child VALUES (" +
                            std::to_string(twice.id) + ")")
                  .has_value());
  std::vector<std::string> outcomes;
  for (const char *identity : {"one", "twice", "two"})
    desk.ledger->submitWrite(rowOf(identity), [&](const Result<LedgerRow> &row) {
      outcomes.push_back(row ? row->identity : row.error().text());
    });
  shelf.workOff();
  fail_unless_equals_int(outcomes.size(), 3);
  fail_unless_equals_text(outcomes[0], "one");
  fail_unless_contains(outcomes[1], "can't be used, so nothing was bought");
  fail_unless_equals_text(outcomes[2], "two");
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

namespace {

size_t openDescriptors() {
  GDir *folder = g_dir_open("/proc/self/fd", 0, nullptr);
  size_t count = 0;
  while (g_dir_read_name(folder))
    ++count;
  g_dir_close(folder);
  return count;
}

/// Waits until a child has come so far, or has ended without.
class Signal {
public:
  Signal() { fail_unless_equals_int(pipe(ends_), 0); }
  Signal(const Signal &) = delete;
  Signal &operator=(const Signal &) = delete;
  ~Signal() {
    for (const int end : ends_)
      close(end);
  }
  void give() const { (void)!write(ends_[1], "x", 1); }
  void wait() const {
    char byte = 0;
    fail_unless_equals_int(read(ends_[0], &byte, 1), 1);
  }

private:
  int ends_[2];
};

/// A child that takes a name, says so, and is killed at the end.
class Rival {
public:
  Rival(const std::string &folder, const std::string &name) {
    const Signal ready;
    process = fork();
    if (process == 0) {
      const auto mine = Ownership::take(folder, name);
      if (mine && *mine)
        ready.give();
      for (;;)
        pause();
    }
    ready.wait();
  }
  Rival(const Rival &) = delete;
  Rival &operator=(const Rival &) = delete;
  ~Rival() {
    kill(process, SIGKILL);
    waitpid(process, nullptr, 0);
  }

  pid_t process = 0;
};

// SHA-256 of both begins with 3a79806834, so that they have the same bytes to lock
constexpr auto oneName = "name1727092";
constexpr auto alikeName = "name2452902";

} // namespace

GST_START_TEST(another_process_is_named_whichever_it_is) {
  PrivateHome home;
  {
    const Rival rival(home.state(), "name");
    fail_if(Ownership::take(home.state(), "name")->has_value());
    fail_unless_equals_text(Ownership::holder(home.state(), "name"), "process " + std::to_string(rival.process));
    const auto other = Ownership::take(home.state(), "other"); // and with the file open
    fail_unless_equals_text(Ownership::holder(home.state(), "name"), "process " + std::to_string(rival.process));
  }
  fail_unless_equals_text(Ownership::holder(home.state(), "name"), "");
  fail_unless(inChild([&] { return Ownership::holder(home.state(), "name").empty(); }));
}
GST_END_TEST

GST_START_TEST(a_thousand_ownerships_are_one_open_file) {
  PrivateHome home;
  const size_t before = openDescriptors();
  {
    std::vector<Ownership> owned;
    for (int i = 0; i < 1000; ++i)
      owned.push_back(std::move(**Ownership::take(home.state(), "name" + std::to_string(i))));
    fail_unless(openDescriptors() <= before + 2);
    fail_unless(inChild([&] {
      for (int i = 0; i < 1000; ++i)
        if (Ownership::take(home.state(), "name" + std::to_string(i))->has_value())
          return false;
      return Ownership::take(home.state(), "name1000")->has_value();
    }));
    owned.erase(owned.begin() + 500, owned.end());
    fail_unless(inChild([&] {
      return Ownership::take(home.state(), "name500")->has_value() &&
             !Ownership::take(home.state(), "name499")->has_value();
    }));
  }
  fail_unless_equals_int(openDescriptors(), before);
}
GST_END_TEST

GST_START_TEST(one_process_holds_two_names_that_share_their_bytes_and_others_wait_for_both) {
  PrivateHome home;
  const auto freeForOthers = [&](const char *name) {
    return inChild([&] { return Ownership::take(home.state(), name)->has_value(); });
  };
  auto one = *Ownership::take(home.state(), oneName);
  fail_unless(one.has_value());
  fail_if(freeForOthers(alikeName)); // or they are no such names
  auto alike = *Ownership::take(home.state(), alikeName);
  fail_unless(alike.has_value());
  fail_if(Ownership::take(home.state(), oneName)->has_value());
  fail_if(Ownership::take(home.state(), alikeName)->has_value());
  one.reset();
  fail_if(freeForOthers(oneName));
  fail_if(Ownership::take(home.state(), alikeName)->has_value());
  alike.reset();
  fail_unless(freeForOthers(oneName) && freeForOthers(alikeName));
}
GST_END_TEST

GST_START_TEST(a_lock_file_that_was_removed_is_not_locked_any_more) {
  PrivateHome home;
  const auto kept = *Ownership::take(home.state(), "kept");
  fail_unless_equals_int(g_remove((home.state() + "/ownership.lock").c_str()), 0);
  fail_if(Ownership::take(home.state(), "kept")->has_value());
  const auto mine = *Ownership::take(home.state(), "name");
  fail_unless(mine.has_value());
  fail_unless(inChild([&] { return !Ownership::take(home.state(), "name")->has_value(); }));
}
GST_END_TEST

GST_START_TEST(an_older_program_is_waited_for_until_it_ends) {
  PrivateHome home;
  for (const bool killed : {true, false}) {
    const int lock = old::own(home.state(), "name");
    fail_if(Ownership::take(home.state(), "name")->has_value());
    fail_unless_equals_text(Ownership::holder(home.state(), "name"), "process 42");
    fail_unless(Ownership::take(home.state(), "other")->has_value());
    if (!killed)
      g_remove((home.state() + "/locks/name").c_str());
    close(lock);
    fail_unless_equals_text(Ownership::holder(home.state(), "name"), "");
    fail_unless(Ownership::take(home.state(), "name")->has_value());
    fail_if(g_file_test((home.state() + "/locks/name").c_str(), G_FILE_TEST_EXISTS));
  }
}
GST_END_TEST

GST_START_TEST(a_release_in_this_process_is_told_to_those_who_watch_the_name) {
  PrivateHome home;
  int others = 0;
  int calls = 0;
  std::optional<Ownership> next;
  std::unique_ptr<OwnershipWatch> watch;
  const OwnershipWatch other(home.state(), "other", [&] { ++others; });
  watch = std::make_unique<OwnershipWatch>(home.state(), "name", [&] {
    ++calls;
    next = std::move(*Ownership::take(home.state(), "name")); // nothing is locked
    watch.reset();
  });
  auto mine = *Ownership::take(home.state(), "name");
  fail_if(Ownership::take(home.state(), "name")->has_value());
  fail_unless_equals_int(calls, 0);
  mine.reset();
  fail_unless(next.has_value());
  fail_unless(watch == nullptr);
  next.reset();
  fail_unless_equals_int(calls, 1);
  fail_unless_equals_int(others, 0);
}
GST_END_TEST

GST_START_TEST(a_watch_that_has_ended_is_called_no_more_also_while_others_release) {
  PrivateHome home;
  std::atomic<bool> going = true;
  std::thread releasing([&] {
    while (going)
      Ownership::take(home.state(), "name")->reset();
  });
  for (int i = 0; i < 200; ++i) {
    auto alive = std::make_unique<std::atomic<int>>(0);
    {
      const OwnershipWatch watch(home.state(), "name", [&called = *alive] { ++called; });
      while (*alive == 0)
        std::this_thread::yield();
    }
    alive.reset(); // a call after this is seen by the sanitizers
  }
  going = false;
  releasing.join();
}
GST_END_TEST

GST_START_TEST(the_end_of_a_watch_waits_for_the_call_that_another_thread_is_in) {
  PrivateHome home;
  std::promise<void> called;
  std::promise<void> ending;
  std::atomic<bool> ended = false;
  std::atomic<bool> endedMeanwhile = false;
  auto watch = std::make_unique<OwnershipWatch>(home.state(), "name", [&] {
    called.set_value();
    ending.get_future().wait();
    g_usleep(20'000); // it must not end, however long this takes
    endedMeanwhile = ended.load();
  });
  std::thread releasing([&] { Ownership::take(home.state(), "name")->reset(); });
  called.get_future().wait();
  ending.set_value();
  watch.reset();
  ended = true;
  releasing.join();
  fail_if(endedMeanwhile);
}
GST_END_TEST

GST_START_TEST(a_forked_child_has_its_own_ownerships_and_leaves_its_parents_alone) {
  PrivateHome home;
  auto mine = *Ownership::take(home.state(), "name");
  int calls = 0;
  const auto watch = std::make_unique<OwnershipWatch>(home.state(), "name", [&] { ++calls; });
  const Signal ready;
  const Signal released;
  const pid_t child = fork();
  if (child == 0) {
    mine.reset(); // the copies
    const bool left = calls == 0 && !Ownership::take(home.state(), "name")->has_value();
    const auto own = Ownership::take(home.state(), "own");
    ready.give();
    released.wait(); // its parent's release counts also while it lives
    _exit(left && own->has_value() && Ownership::take(home.state(), "name")->has_value() ? 0 : 1);
  }
  ready.wait();
  fail_if(Ownership::take(home.state(), "own")->has_value());
  fail_unless_equals_text(Ownership::holder(home.state(), "own"), "process " + std::to_string(child));
  mine.reset();
  fail_unless_equals_int(calls, 1);
  released.give();
  int status = 0;
  waitpid(child, &status, 0);
  fail_unless_equals_int(status, 0);
  fail_unless(Ownership::take(home.state(), "own")->has_value());
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
  tcase_add_test(rows, a_changed_row_writes_to_no_index_that_holds_nothing_new);
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
  tcase_add_test(rows, who_bought_before_prompts_were_kept_is_told_once);
  tcase_add_test(rows, a_program_of_schema_5_that_has_the_ledger_open_goes_on_and_loses_nothing_that_it_does_not_know);
  tcase_add_test(rows, what_a_row_was_bought_for_is_noted_and_an_empty_text_changes_nothing);
  tcase_add_test(rows, prompts_are_kept_unless_the_user_or_the_modes_of_the_files_say_no);
  tcase_add_test(rows, an_older_program_that_has_the_ledger_open_can_record_nothing_beside_a_new_one);
  tcase_add_test(rows, an_older_program_that_starts_refuses_the_ledger);
  tcase_add_test(rows, times_are_kept_by_service_and_model_newest_first_and_for_each_kind_sixty_four);
  tcase_add_test(rows, what_is_submitted_at_once_is_one_transaction_and_reported_from_the_worker);
  tcase_add_test(rows, a_thread_that_writes_takes_along_what_is_submitted_and_leaves_the_report_to_the_worker);
  tcase_add_test(rows, a_report_may_submit_more_and_the_ledger_lives_until_the_last);
  tcase_add_test(rows, a_write_that_was_submitted_in_vain_is_an_error_of_its_own);
  tcase_add_test(rows, a_folder_that_can_not_be_made_is_an_error_that_names_it);
  tcase_add_test(rows, threads_and_processes_write_into_one_ledger);
  TCase *ownerships = tcase_create("ownerships");
  suite_add_tcase(suite, ownerships);
  tcase_add_test(ownerships, an_ownership_has_one_holder_and_names_it);
  tcase_add_test(ownerships, the_kernel_frees_the_ownership_of_a_killed_process_and_keeps_that_of_a_stopped_one);
  tcase_add_test(ownerships, a_forked_child_does_not_keep_the_ownership_of_its_killed_parent);
  tcase_add_test(ownerships, a_forked_child_that_cleans_up_takes_nothing_from_its_parent);
  tcase_add_test(ownerships, another_process_is_named_whichever_it_is);
  tcase_add_test(ownerships, a_thousand_ownerships_are_one_open_file);
  tcase_add_test(ownerships, one_process_holds_two_names_that_share_their_bytes_and_others_wait_for_both);
  tcase_add_test(ownerships, a_lock_file_that_was_removed_is_not_locked_any_more);
  tcase_add_test(ownerships, an_older_program_is_waited_for_until_it_ends);
  tcase_add_test(ownerships, a_release_in_this_process_is_told_to_those_who_watch_the_name);
  tcase_add_test(ownerships, a_watch_that_has_ended_is_called_no_more_also_while_others_release);
  tcase_add_test(ownerships, the_end_of_a_watch_waits_for_the_call_that_another_thread_is_in);
  tcase_add_test(ownerships, a_forked_child_has_its_own_ownerships_and_leaves_its_parents_alone);
  tcase_add_test(ownerships, a_forked_child_opens_the_ledger_for_itself);
  tcase_add_test(ownerships, identities_differ_by_service_request_and_take);
  return suite;
}

GST_CHECK_MAIN(ledger)
