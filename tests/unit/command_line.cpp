// SPDX-License-Identifier: LGPL-2.1-or-later
// What the command line does beside its main loop.
#include <atomic>
#include <clocale>
#include <random>
#include <set>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "background.h"
#include "clip/spool.h"
#include "exit_code.h"
#include "output_name.h"
#include "progress.h"
#include "save.h"
#include "table.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::cli;
using namespace aimlvideo::test;

namespace {

void runUntil(const std::function<bool()> &done) {
  while (!done())
    g_main_context_iteration(nullptr, TRUE);
}

std::shared_ptr<Spool> clipOf(const std::string &bytes) {
  auto clip = SpoolFile::create("");
  fail_unless(clip.has_value());
  fail_unless((*clip)->setSize(bytes.size()).has_value());
  fail_unless((*clip)->write(0, bytes.data(), bytes.size()).value_or(false));
  return *clip;
}

std::string noise(size_t size) {
  std::minstd_rand random(1);
  std::string bytes(size, '\0');
  for (char &byte : bytes)
    byte = static_cast<char>(random() >> 8);
  return bytes;
}

std::string contentsOf(const std::string &file) {
  char *contents = nullptr;
  gsize size = 0;
  fail_unless(g_file_get_contents(file.c_str(), &contents, &size, nullptr));
  std::string bytes(contents, size);
  g_free(contents);
  return bytes;
}

} // namespace

GST_START_TEST(every_kind_of_error_has_its_name_in_the_list_of_codes) {
  std::set<std::string> names;
  for (size_t i = 0; i < engineErrorCodes(); ++i)
    fail_unless_equals_text(errorCodes()[i].name, aimlvideo::nameOf(static_cast<ErrorKind>(i)));
  for (const ErrorCode &code : errorCodes()) {
    fail_unless(names.insert(code.name).second, "%s is there twice", code.name);
    fail_unless(code.exitCode != ExitCode::Success);
    fail_unless(&errorCodeNamed(code.name) == &code);
  }
}
GST_END_TEST

GST_START_TEST(what_is_handed_over_is_called_in_its_order_by_the_main_loop) {
  constexpr int threads = 4;
  constexpr int each = 1000;
  const auto inbox = Inbox::create();
  const auto here = std::this_thread::get_id();
  std::vector<int> last(threads, -1);
  int calls = 0;
  std::vector<std::thread> others;
  for (int thread = 0; thread < threads; ++thread)
    others.emplace_back([&, thread] {
      for (int i = 0; i < each; ++i)
        inbox->post([&, thread, i] {
          fail_unless(std::this_thread::get_id() == here);
          fail_unless_equals_int(last[static_cast<size_t>(thread)], i - 1);
          last[static_cast<size_t>(thread)] = i;
          ++calls;
        });
    });
  runUntil([&] { return calls == threads * each; });
  for (std::thread &other : others)
    other.join();
}
GST_END_TEST

GST_START_TEST(nothing_is_called_for_somebody_who_is_gone) {
  auto inbox = Inbox::create();
  const auto held = std::make_shared<int>(0);
  int calls = 0;
  inbox->post([&calls, inbox = inbox.get()] {
    ++calls;
    inbox->close();
  });
  for (int i = 0; i < 3; ++i)
    inbox->post([&calls, held] { ++calls; });
  runUntil([&] { return calls > 0; });
  inbox->post([&calls, held] { ++calls; });
  while (g_main_context_iteration(nullptr, FALSE)) {
  }
  fail_unless_equals_int(calls, 1);
  fail_unless_equals_int(held.use_count(), 1);
  // closed before anything was called
  const auto another = Inbox::create();
  another->post([&calls, held] { ++calls; });
  another->close();
  while (g_main_context_iteration(nullptr, FALSE)) {
  }
  fail_unless_equals_int(calls, 1);
  fail_unless_equals_int(held.use_count(), 1);
}
GST_END_TEST

GST_START_TEST(work_in_the_background_keeps_no_main_loop_waiting) {
  std::atomic<bool> go = false;
  std::atomic<unsigned> done = 0;
  const auto here = std::this_thread::get_id();
  for (unsigned i = 0; i < 3 * backgroundThreads; ++i)
    runInBackground([&] {
      fail_if(std::this_thread::get_id() == here);
      while (!go)
        std::this_thread::yield();
      ++done;
    });
  fail_unless_equals_int(done, 0);
  go = true;
  while (done < 3 * backgroundThreads)
    std::this_thread::yield();
}
GST_END_TEST

GST_START_TEST(a_clip_is_copied_whole_by_the_kernel_or_without_it) {
  TemporaryFolder folder;
  const std::string bytes = noise(3'000'001);
  const auto clip = clipOf(bytes);
  // the kernel copies into no file that is appended to
  for (const int how : {0, O_APPEND}) {
    const std::string file = folder.file(how == 0 ? "kernel" : "loop");
    const int target = open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | how, 0600);
    const auto copied = copyClip(*clip, target, file);
    fail_unless(copied.has_value(), "%s", copied ? "" : copied.error().text().c_str());
    close(target);
    fail_unless(contentsOf(file) == bytes);
  }
}
GST_END_TEST

GST_START_TEST(a_disk_that_is_full_is_an_error_that_names_the_file) {
  const int target = open("/dev/full", O_WRONLY | O_CLOEXEC);
  const auto copied = copyClip(*clipOf(noise(100'000)), target, "boat.mp4");
  close(target);
  fail_if(copied.has_value());
  fail_unless(copied.error().kind == ErrorKind::NoSpace);
  fail_unless_contains(copied.error().text(), "boat.mp4");
  fail_unless_contains(copied.error().text(), g_strerror(ENOSPC));
}
GST_END_TEST

GST_START_TEST(a_folder_is_removed_also_while_somebody_writes_in_it) {
  TemporaryFolder folder;
  auto work = WorkFolder::open(folder.path() + "/boat.mp4", OutputKind::File, Overwrite::No);
  fail_unless(work.has_value());
  fail_unless(work->create("result", OutputKind::File).has_value());
  fail_unless_equals_int(folder.entries(), 1);
  work->remove();
  fail_unless_equals_int(folder.entries(), 0);
  const std::string bytes = noise(100'000);
  fail_unless(copyClip(*clipOf(bytes), work->descriptor("result"), "boat.mp4").has_value());
  fail_unless(work->settle("result").has_value());
  fail_unless_equals_int(folder.entries(), 0);
}
GST_END_TEST

GST_START_TEST(a_text_is_measured_and_cut_by_the_cells_that_it_takes) {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  fail_unless_equals_int(cellsOf("boat"), 4);
  fail_unless_equals_int(cellsOf("\xe7\xb4\x99\xe3\x81\xae\xe8\x88\x9f"), 6); // three Japanese characters
  fail_unless_equals_int(cellsOf("\xf0\x9f\x8f\xae"), 2);                     // a lantern
  fail_unless_equals_int(cellsOf("e\xcc\x81"), 1);                            // e and an acute accent
  const std::string dots = "\xe2\x80\xa6";
  const std::string boats = "\xe7\xb4\x99\xe3\x81\xae\xe8\x88\x9f";
  for (size_t cells = 0; cells < 12; ++cells)
    for (const Cut cut : {Cut::End, Cut::Middle, Cut::Start})
      for (const std::string &text :
           {std::string("a paper boat"), boats + boats, "e\xcc\x81\xcc\x82" + boats + "e\xcc\x81"}) {
        const std::string line = fitted(text, cells, cut);
        fail_unless(cellsOf(line) <= cells && cellsOf(line) + 2 > std::min(cells, cellsOf(text)), "%zu: %s", cells,
                    line.c_str());
        fail_unless(g_utf8_validate(line.c_str(), -1, nullptr));
      }
  fail_unless_equals_text(fitted("a paper boat", 8, Cut::End), ("a paper" + dots));
  fail_unless_equals_text(fitted("a paper boat", 7, Cut::Middle), ("a p" + dots + "oat"));
  fail_unless_equals_text(fitted("a paper boat", 5, Cut::Start), (dots + "boat"));
}
GST_END_TEST

static Table jobTable() {
  Table table({{.heading = "ID", .right = true},
               {.heading = "EMPTY"},
               {.heading = "PROMPT", .fit = Column::Fit::Cut},
               {.heading = "MODEL", .fit = Column::Fit::Cut, .dispensable = 1}});
  table.add({"7", "", "\xe7\xb4\x99\xe3\x81\xae\xe8\x88\x9f\xe7\xb4\x99\xe3\x81\xae\xe8\x88\x9f", "kling/pro"});
  table.add({"12", "", "a paper boat\ton a\nstream \x1b[31m", "kling/standard"});
  return table;
}

static std::string joined(const Table &table, std::optional<size_t> width) {
  std::string text;
  for (const std::string &line : table.lines(width))
    text += line + "\n";
  return text;
}

GST_START_TEST(a_table_is_whole_where_nobody_looks_and_fits_a_terminal) {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  const Table table = jobTable();
  fail_unless_equals_text(
      joined(table, {}),
      "ID  PROMPT                          MODEL\n"
      " 7  \xe7\xb4\x99\xe3\x81\xae\xe8\x88\x9f\xe7\xb4\x99\xe3\x81\xae\xe8\x88\x9f                    kling/pro\n"
      "12  a paper boat on a stream  [31m  kling/standard\n");
  fail_unless_equals_text(joined(table, 200), joined(table, {}));
  fail_unless_equals_text(joined(table, 28),
                          "ID  PROMPT       MODEL\n"
                          " 7  \xe7\xb4\x99\xe3\x81\xae\xe8\x88\x9f\xe7\xb4\x99\xe3\x81\xae\xe2\x80\xa6  kling/pro\n"
                          "12  a paper bo\xe2\x80\xa6  kling/stan\xe2\x80\xa6\n");
  fail_unless_equals_text(joined(table, 20),
                          "ID  PROMPT\n"
                          " 7  \xe7\xb4\x99\xe3\x81\xae\xe8\x88\x9f\xe7\xb4\x99\xe3\x81\xae\xe8\x88\x9f\n"
                          "12  a paper boat on\xe2\x80\xa6\n");
  for (size_t width = 1; width < 60; ++width)
    for (const std::string &line : table.lines(width))
      fail_unless(cellsOf(line) <= width, "%zu: %s", width, line.c_str());
}
GST_END_TEST

GST_START_TEST(a_table_in_which_nothing_gives_way_is_not_cut) {
  Table table({"NAME", "ALLOWED"});
  table.add({"aspect_ratio", "16:9 , (dots 9:16 , (dots 1:1"});
  fail_unless_equals_text(joined(table, 10), joined(table, {}));
}
GST_END_TEST

GST_START_TEST(a_text_takes_the_cells_of_its_letters) {
  fail_unless_equals_int(static_cast<int>(cellsOf("boat")), 4);
  fail_unless_equals_int(static_cast<int>(cellsOf("紙の船")), 6);
  fail_unless_equals_int(static_cast<int>(cellsOf("🚀.mp4")), 6);
  fail_unless_equals_int(static_cast<int>(cellsOf("e\u0301tude")), 5);
  fail_unless_equals_int(static_cast<int>(cellsOf("❤\uFE0F")), 2);
  std::setlocale(LC_CTYPE, "C.UTF-8");
  fail_unless(fitted("紙の船", 6) == "紙の船");
  fail_unless(fitted("紙の船", 5) == "紙の…");
  fail_unless(fitted("紙の船", 4) == "紙…");
  fail_unless(fitted("e\u0301tude", 3) == "e\u0301t…");
  fail_unless(fitted("boat", 0) == "");
  for (size_t columns = 0; columns < 20; ++columns)
    for (const char *text : {"", "boat", "紙の船が流れる小川", "🚀🚀 a 🎉", "❤\uFE0F❤\uFE0F❤\uFE0F"})
      fail_unless_equals_int(static_cast<int>(cellsOf(padded(text, columns))), static_cast<int>(columns));
}
GST_END_TEST

namespace {

/// A generation that was accepted as it was started.
Status waitingFor(std::chrono::milliseconds left) {
  Status status;
  status.state = State::Generating;
  status.started = Clock::time_point(std::chrono::hours(1));
  status.accepted = status.started;
  status.hasOutlook = true;
  status.outlook.left = left;
  return status;
}

} // namespace

GST_START_TEST(time_and_percent_go_on_between_two_reports_and_agree) {
  using namespace std::chrono_literals;
  ProgressClock clock;
  Status status = waitingFor(60s);
  clock.heard(status, status.started);
  int percent = -1;
  for (auto passed = 0s; passed < 60s; ++passed) {
    const Progress progress = clock.at(status.started + passed);
    fail_unless_equals_float(progress.elapsed, static_cast<double>(passed.count()));
    fail_unless(progress.left.has_value());
    fail_unless_equals_float(*progress.left, static_cast<double>((60s - passed).count()));
    // 95 of 100 is the wait, the rest is the download
    fail_unless_equals_int(progress.percent.value_or(-1), static_cast<int>(passed.count() * 95 / 60));
    fail_unless(*progress.percent >= percent);
    percent = *progress.percent;
  }
}
GST_END_TEST

GST_START_TEST(what_is_left_never_grows_and_a_passed_estimate_says_so) {
  using namespace std::chrono_literals;
  ProgressClock clock;
  Status status = waitingFor(10s);
  clock.heard(status, status.started);
  fail_unless_equals_float(*clock.at(status.started + 6s).left, 4);
  status.outlook.left = 7s; // as the service's time is less sure by now
  clock.heard(status, status.started + 6s);
  fail_unless_equals_float(*clock.at(status.started + 6s).left, 4);
  fail_unless_equals_float(*clock.at(status.started + 10s).left, 3);
  const Progress passed = clock.at(status.started + 13s);
  fail_unless(passed.longerThanUsual && !passed.left);
  fail_unless(timesText(passed) == "0:13, longer than usual");
  clock.heard(status, status.started + 14s);
  fail_unless(clock.at(status.started + 14s).longerThanUsual);
  fail_unless(*clock.at(status.started + 14s).percent >= *passed.percent);

  status = waitingFor(10s);
  status.outlook = {{}, 0.9, true};
  ProgressClock overdue;
  overdue.heard(status, status.started);
  fail_unless(overdue.at(status.started).longerThanUsual);
}
GST_END_TEST

GST_START_TEST(a_generation_that_was_bought_before_counts_from_then) {
  using namespace std::chrono_literals;
  Status status = waitingFor(30s);
  status.started += 30s;
  fail_unless_equals_float(secondsPassed(status, status.started), 30);
  status.accepted = status.started + 7s;
  status.queueTime = 5s;
  fail_unless_equals_float(secondsPassed(status, status.started + 20s), 15);
}
GST_END_TEST

GST_START_TEST(a_line_of_progress_fits_any_terminal) {
  Progress progress;
  progress.elapsed = 65.9;
  progress.left = 64.1;
  progress.percent = 50;
  fail_unless(progressText("generating", progress, 79) ==
              "[############            ]  50 %  generating  1:05, 1:05 left");
  fail_unless(progressText("generating", progress, 39) == " 50 %  generating  1:05, 1:05 left");
  fail_unless(progressText("generating", progress, 30) == " 50 %  1:05, 1:05 left");
  for (size_t columns = 1; columns < 200; ++columns)
    fail_unless(cellsOf(progressText("queued-locally", progress, columns, 20)) <= columns);
  fail_unless(timeText(3599.9) == "59:59");
  fail_unless(timeText(3661) == "1:01:01");
}
GST_END_TEST

GST_START_TEST(the_time_for_all_is_that_of_the_last_one) {
  fail_unless_equals_float(timeForAll({10, 30}, 0, {40, 40}).value_or(-1), 30);
  // 10 + 40 = 50, 30 + 40 = 70
  fail_unless_equals_float(timeForAll({10, 30}, 2, {40, 40}).value_or(-1), 70);
  fail_if(timeForAll({}, 2, {40}).has_value());
  fail_if(timeForAll({10}, 1, {}).has_value());
}
GST_END_TEST

GST_START_TEST(a_name_is_made_of_the_words_of_a_prompt) {
  fail_unless_equals_text(nameFrom("A paper boat on a stream"), "a-paper-boat-on-a-stream");
  fail_unless_equals_text(nameFrom("  ../../etc/passwd\n"), "etc-passwd");
  fail_unless_equals_text(nameFrom("-rf *; 紙の船 🚀 Ärger"), "rf-紙の船-ärger");
  for (const char *text : {"", "🚀", "...", "\xff"})
    fail_unless_equals_text(nameFrom(text), "clip");
  const std::string words = "one two three four five six seven eight nine ten eleven twelve thirteen";
  fail_unless_equals_text(nameFrom(words), "one-two-three-four-five-six-seven-eight-nine-ten-eleven");
  std::string wide;
  for (int i = 0; i < 300; ++i)
    wide += "船";
  fail_unless_equals_int(static_cast<int>(g_utf8_strlen(nameFrom(wide).c_str(), -1)), 59); // in bytes, 177
}
GST_END_TEST

GST_START_TEST(the_number_of_a_take_goes_to_each_of_its_places) {
  fail_unless(namesTake("boat-{take}.mp4") && !namesTake("boat-{Take}.mp4"));
  fail_unless_equals_text(withTake("{take}/boat-{take}.mp4", 12), "12/boat-12.mp4");
}
GST_END_TEST

static Suite *command_line_suite() {
  Suite *suite = suite_create("command_line");
  TCase *tests = tcase_create("command_line");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, every_kind_of_error_has_its_name_in_the_list_of_codes);
  tcase_add_test(tests, what_is_handed_over_is_called_in_its_order_by_the_main_loop);
  tcase_add_test(tests, nothing_is_called_for_somebody_who_is_gone);
  tcase_add_test(tests, work_in_the_background_keeps_no_main_loop_waiting);
  tcase_add_test(tests, a_clip_is_copied_whole_by_the_kernel_or_without_it);
  tcase_add_test(tests, a_disk_that_is_full_is_an_error_that_names_the_file);
  tcase_add_test(tests, a_folder_is_removed_also_while_somebody_writes_in_it);
  tcase_add_test(tests, a_text_is_measured_and_cut_by_the_cells_that_it_takes);
  tcase_add_test(tests, a_table_is_whole_where_nobody_looks_and_fits_a_terminal);
  tcase_add_test(tests, a_table_in_which_nothing_gives_way_is_not_cut);
  tcase_add_test(tests, a_text_takes_the_cells_of_its_letters);
  tcase_add_test(tests, time_and_percent_go_on_between_two_reports_and_agree);
  tcase_add_test(tests, what_is_left_never_grows_and_a_passed_estimate_says_so);
  tcase_add_test(tests, a_generation_that_was_bought_before_counts_from_then);
  tcase_add_test(tests, a_line_of_progress_fits_any_terminal);
  tcase_add_test(tests, the_time_for_all_is_that_of_the_last_one);
  tcase_add_test(tests, a_name_is_made_of_the_words_of_a_prompt);
  tcase_add_test(tests, the_number_of_a_take_goes_to_each_of_its_places);
  return suite;
}

GST_CHECK_MAIN(command_line)
