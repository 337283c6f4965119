// SPDX-License-Identifier: LGPL-2.1-or-later
// No memory that C++ code gives back still holds the key.
#include <atomic>
#include <cstdlib>
#include <new>

#include <malloc.h>

#include "bench.h"

namespace {

thread_local bool watched = false; // the test's own server hears the key, in a thread of its own
std::atomic<unsigned> found = 0;

constexpr std::string_view key = "memory-key-6f1c9a27b3";

void giveBack(void *memory) {
  const size_t size = memory ? malloc_usable_size(memory) : 0;
  if (watched && memory &&
      std::string_view(static_cast<const char *>(memory), size).find(key) != std::string_view::npos)
    ++found;
  std::free(memory);
}

} // namespace

void *operator new(size_t size) {
  if (void *memory = std::malloc(size ? size : 1))
    return memory;
  throw std::bad_alloc();
}

void operator delete(void *memory) noexcept {
  giveBack(memory);
}

void operator delete(void *memory, size_t) noexcept {
  giveBack(memory);
}

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

/// How often the key was left behind while `step` ran.
template <typename Step>
unsigned leftBehind(const Step &step) {
  found = 0;
  watched = true;
  step();
  watched = false;
  return found;
}

} // namespace

GST_START_TEST(the_watch_sees_a_text_that_is_left_behind) {
  fail_unless_equals_int(leftBehind([] { const std::string copy(key); }), 1);
}
GST_END_TEST

GST_START_TEST(a_key_is_wiped_when_its_last_copy_goes) {
  fail_unless_equals_int(leftBehind([] {
                           const Secret one(key);
                           const Secret two = one; // NOLINT(performance-unnecessary-copy-initialization)
                         }),
                         0);
}
GST_END_TEST

GST_START_TEST(a_generation_leaves_no_key_behind) {
  TemporaryFolder folder;
  Bench bench;
  bench.settings.apiKey = Secret();
  bench.settings.apiKeyFile = folder.file("key", std::string(key) + "\n");
  fail_unless_equals_int(leftBehind([&] { fail_unless(bench.run().has_value()); }), 0);
  fail_unless_contains(bench.service.server.requests()[0].header("Authorization"), key);
}
GST_END_TEST

static Suite *key_memory_suite() {
  Suite *suite = suite_create("key_memory");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, the_watch_sees_a_text_that_is_left_behind);
  tcase_add_test(tests, a_key_is_wiped_when_its_last_copy_goes);
  tcase_add_test(tests, a_generation_leaves_no_key_behind);
  return suite;
}

GST_CHECK_MAIN(key_memory)
