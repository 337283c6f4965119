// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger/group_commit.h"

#include <atomic>
#include <future>
#include <set>
#include <thread>

#include <unistd.h>

#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using sqlite::Database;
using sqlite::Done;

namespace {

/// A database with the table `note (text)`, unique texts, and a second connection that sees what is committed.
struct Desk {
  TemporaryFolder folder;
  std::string file = folder.file("notes.sqlite3");
  Database database = std::move(*Database::open(file));
  Mutex use;
  sqlite::GroupCommit writes{database, use};
  std::mutex order;

  Desk() {
    folder.file("notes.sqlite3-wal");
    folder.file("notes.sqlite3-shm");
    fail_unless(database.execute("PRAGMA journal_mode=WAL; CREATE TABLE note (text TEXT UNIQUE)").has_value());
  }

  /// What others can see: the number of notes that are committed.
  int committed() const {
    auto other = std::move(*Database::open(file));
    return std::atoi(other.value("SELECT count(*) FROM note")->value_or("?").c_str());
  }
};

Done<void> note(Database &database, const std::string &text) {
  return database.run("INSERT INTO note VALUES (?)", text);
}

/// Works that come while the disk is busy: `works` on a thread each, behind one that writes "first" and lets go when
/// all of them stand in line.
std::vector<Done<void>> whileBusy(Desk &desk, const std::vector<sqlite::GroupCommit::Work> &works) {
  std::promise<void> busy;
  std::promise<void> go;
  auto first = std::async(std::launch::async, [&] {
    return desk.writes.run([&](Database &database) {
      busy.set_value();
      go.get_future().wait();
      return note(database, "first");
    });
  });
  busy.get_future().wait();
  std::atomic<size_t> standing = 0;
  std::vector<std::future<Done<void>>> results;
  for (const auto &work : works)
    results.push_back(std::async(std::launch::async, [&] {
      ++standing;
      return desk.writes.run(work);
    }));
  while (standing < works.size())
    std::this_thread::yield();
  g_usleep(20'000); // a thread that has not got into the line by now only makes a group of its own
  go.set_value();
  fail_unless(first.get().has_value());
  std::vector<Done<void>> all;
  for (auto &result : results)
    all.push_back(result.get());
  return all;
}

} // namespace

GST_START_TEST(a_statement_is_compiled_once_and_again_only_while_it_is_in_use) {
  Desk desk;
  Database &database = desk.database;
  const unsigned before = database.compiled();
  fail_unless(note(database, "a").has_value());
  fail_if(note(database, "a").has_value()); // it is there already
  fail_unless(note(database, "b").has_value());
  fail_unless_equals_int(database.compiled() - before, 1);
  {
    auto all = std::move(*database.prepare("SELECT text FROM note WHERE text >= ? ORDER BY text"));
    auto some = std::move(*database.prepare("SELECT text FROM note WHERE text >= ? ORDER BY text"));
    fail_unless_equals_int(database.compiled() - before, 3);
    all.bind("a");
    some.bind("b");
    fail_unless(*all.step() && *some.step());
    fail_unless_equals_text(all.text(0), "a");
    fail_unless_equals_text(some.text(0), "b");
  } // and the rest is not read
  auto again = std::move(*database.prepare("SELECT text FROM note WHERE text >= ? ORDER BY text"));
  fail_unless_equals_int(database.compiled() - before, 3);
  fail_if(*again.step()); // nothing is left of what was bound
}
GST_END_TEST

GST_START_TEST(what_is_submitted_bit_by_bit_takes_one_thread) {
  Desk desk;
  std::set<pid_t> threads;
  for (unsigned i = 0; i < 20; ++i) {
    g_usleep(5000); // the thread has nothing to do meanwhile
    std::promise<void> reported;
    desk.writes.submit([i](Database &database) { return note(database, std::to_string(i)); },
                       [&](const Done<void> &done) {
                         fail_unless(done.has_value());
                         threads.insert(gettid());
                         reported.set_value();
                       },
                       nullptr);
    reported.get_future().wait();
  }
  fail_unless(threads.size() < 10, "%zu threads for 20 writes", threads.size()); // two, unless the machine stands still
}
GST_END_TEST

GST_START_TEST(what_comes_while_the_disk_is_busy_shares_one_transaction) {
  Desk desk;
  std::atomic<int> seen = 0; // notes that were committed before the last of a group was written, at most
  std::vector<sqlite::GroupCommit::Work> works;
  for (int i = 0; i < 10; ++i)
    works.emplace_back([&desk, &seen, i](Database &database) {
      auto done = note(database, std::to_string(i));
      seen = std::max(seen.load(), desk.committed());
      return done;
    });
  for (const auto &result : whileBusy(desk, works))
    fail_unless(result.has_value());
  fail_unless_equals_int(desk.committed(), 11);
  fail_unless_equals_int(seen, 1);
}
GST_END_TEST

GST_START_TEST(one_that_fails_takes_no_other_with_it) {
  Desk desk;
  std::vector<sqlite::GroupCommit::Work> works;
  for (const char *text : {"a", "b", "first", "c"}) // the third is there already
    works.emplace_back([text](Database &database) { return note(database, text); });
  const auto results = whileBusy(desk, works);
  fail_unless(results[0] && results[1] && results[3]);
  fail_if(results[2].has_value());
  fail_unless_equals_int(desk.committed(), 4);
}
GST_END_TEST

GST_START_TEST(those_that_find_the_file_locked_wait_for_it_together) {
  Desk desk;
  fail_unless(desk.database.execute("PRAGMA busy_timeout=50").has_value());
  auto other = std::move(*Database::open(desk.file));
  std::atomic<unsigned> tried = 0;
  std::promise<void> busy;
  std::promise<void> go;
  auto first = std::async(std::launch::async, [&] {
    return desk.writes.run([&](Database &) {
      busy.set_value();
      go.get_future().wait();
      return other.execute("BEGIN IMMEDIATE");
    });
  });
  busy.get_future().wait();
  std::promise<void> all;
  std::atomic<unsigned> failed = 0;
  const auto owner = std::make_shared<int>();
  for (unsigned i = 0; i < 10; ++i)
    desk.writes.submit(
        [&](Database &database) {
          ++tried;
          return note(database, "x");
        },
        [&](const Done<void> &done) {
          failed += done ? 0 : 1;
          if (failed == 10)
            all.set_value();
        },
        owner);
  go.set_value();
  fail_unless(first.get().has_value());
  fail_unless(all.get_future().wait_for(std::chrono::seconds(20)) == std::future_status::ready);
  fail_unless_equals_int(tried, 0);
}
GST_END_TEST

GST_START_TEST(what_run_returned_for_is_committed) {
  Desk desk;
  std::vector<std::thread> threads;
  std::atomic<int> done = 0;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      for (int round = 0; round < 20; ++round) {
        const std::string text = std::to_string(i) + "." + std::to_string(round);
        fail_unless(desk.writes.run([&](Database &database) { return note(database, text); }).has_value());
        const int before = ++done;
        fail_unless(desk.committed() >= before);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  fail_unless_equals_int(desk.committed(), 160);
}
GST_END_TEST

static Suite *group_commit_suite() {
  Suite *suite = suite_create("group_commit");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_statement_is_compiled_once_and_again_only_while_it_is_in_use);
  tcase_add_test(tests, what_is_submitted_bit_by_bit_takes_one_thread);
  tcase_add_test(tests, what_comes_while_the_disk_is_busy_shares_one_transaction);
  tcase_add_test(tests, one_that_fails_takes_no_other_with_it);
  tcase_add_test(tests, those_that_find_the_file_locked_wait_for_it_together);
  tcase_add_test(tests, what_run_returned_for_is_committed);
  return suite;
}

GST_CHECK_MAIN(group_commit)
