// SPDX-License-Identifier: LGPL-2.1-or-later
// Out of descriptors GLib ends the process, so nobody may begin what would use the last.
#include "generation/descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

constexpr rlim_t few = 64;

void limitTo(rlim_t most) {
  const rlimit limits{most, most};
  fail_unless_equals_int(setrlimit(RLIMIT_NOFILE, &limits), 0);
}

/// Holds descriptors, as the rest of a program may.
class Hoard {
public:
  Hoard() = default;
  Hoard(const Hoard &) = delete;
  Hoard &operator=(const Hoard &) = delete;
  ~Hoard() { release(); }

  /// Opens until so many are left.
  void leave(size_t left) {
    for (int descriptor; (descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;)
      held_.push_back(descriptor);
    for (; left > 0; --left) {
      close(held_.back());
      held_.pop_back();
    }
  }
  void release() {
    for (const int descriptor : held_)
      close(descriptor);
    held_.clear();
  }

private:
  std::vector<int> held_;
};

} // namespace

GST_START_TEST(a_generation_without_room_is_refused_before_it_asks_anybody) {
  limitTo(few);
  Bench bench;
  Hoard hoard;
  hoard.leave(10);
  const Error error = bench.fault();
  fail_unless(error.kind == ErrorKind::Busy);
  fail_unless_contains(error.text(), "too few file descriptors left for another generation, so nothing was bought");
  fail_unless_contains(error.text(), " of 64 are open in this process");
  fail_unless_contains(error.text(), "ulimit -n");
  fail_unless(bench.asked().empty());
  hoard.release();
  fail_unless(bench.run().has_value());
}
GST_END_TEST

GST_START_TEST(a_clip_that_is_paid_for_waits_for_room) {
  limitTo(few);
  Bench bench;
  Hoard hoard;
  bool waited = false;
  bench.onState = [&](const Status &status) {
    if (status.state == State::Downloading)
      hoard.leave(2);
  };
  bench.onNote = [&](const std::string &note) {
    if (!contains(note, "waiting for others to close files"))
      return;
    waited = true;
    hoard.release();
  };
  fail_unless(bench.run().has_value());
  fail_unless(waited);
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(a_clip_that_is_paid_for_has_room_where_another_generation_has_none) {
  limitTo(few);
  Bench bench;
  Hoard hoard;
  bool waited = false;
  bool roomForAnother = true;
  bench.onState = [&](const Status &status) {
    if (status.state != State::Downloading)
      return;
    hoard.leave(10);
    roomForAnother = ReservedDescriptor::take().has_value();
  };
  bench.onNote = [&](const std::string &note) {
    waited = waited || contains(note, "waiting for others to close files");
    if (waited)
      hoard.release();
  };
  fail_unless(bench.run().has_value());
  fail_if(roomForAnother);
  fail_if(waited);
}
GST_END_TEST

static Suite *descriptors_suite() {
  Suite *suite = suite_create("descriptors");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_generation_without_room_is_refused_before_it_asks_anybody);
  tcase_add_test(tests, a_clip_that_is_paid_for_waits_for_room);
  tcase_add_test(tests, a_clip_that_is_paid_for_has_room_where_another_generation_has_none);
  return suite;
}

GST_CHECK_MAIN(descriptors)
