// SPDX-License-Identifier: LGPL-2.1-or-later
// What the command line does beside its main loop.
#include <atomic>
#include <random>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "background.h"
#include "clip/spool.h"
#include "save.h"
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

static Suite *command_line_suite() {
  Suite *suite = suite_create("command_line");
  TCase *tests = tcase_create("command_line");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, what_is_handed_over_is_called_in_its_order_by_the_main_loop);
  tcase_add_test(tests, nothing_is_called_for_somebody_who_is_gone);
  tcase_add_test(tests, work_in_the_background_keeps_no_main_loop_waiting);
  tcase_add_test(tests, a_clip_is_copied_whole_by_the_kernel_or_without_it);
  tcase_add_test(tests, a_disk_that_is_full_is_an_error_that_names_the_file);
  tcase_add_test(tests, a_folder_is_removed_also_while_somebody_writes_in_it);
  return suite;
}

GST_CHECK_MAIN(command_line)
