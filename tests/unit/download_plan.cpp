// SPDX-License-Identifier: LGPL-2.1-or-later
#include "clip/download_plan.h"

#include <algorithm>
#include <random>

#include "support/check.h"

using namespace aimlvideo;

namespace {

constexpr uint64_t kibi = 1024;
constexpr uint64_t mebi = 1024 * kibi;
constexpr uint64_t size = 18 * mebi;

/// A downloader without a network: every request is granted, every read brings some bytes.
struct Simulation {
  PresentRanges present;
  Situation now;
  unsigned heads = 0;
  unsigned jumps = 0;
  uint64_t received = 0;
  uint64_t most = UINT64_MAX; ///< that the host sends for one request

  Simulation() { now.size = size; }

  static void read(std::optional<Line> &line, PresentRanges &present, uint64_t amount, uint64_t &received) {
    const uint64_t end = std::min(line->end, line->position + amount);
    present.add(line->position, end);
    received += end - line->position;
    line->position = end;
    if (line->position == line->end)
      line.reset();
  }

  /// One step; false: all is there.
  bool step(uint64_t amount = 64 * kibi) {
    const Step next = nextStep(present, now);
    switch (next.kind) {
    case Step::Kind::Done:
      return false;
    case Step::Kind::OpenHead:
      fail_unless(next.first < next.end && next.first < size);
      fail_if(present.contains(next.first, next.first + 1)); // never for what is there
      now.head = Line{next.first, std::min({next.end, size, most < size ? next.first + most : size})};
      ++heads;
      return true;
    case Step::Kind::OpenJump:
      fail_unless(next.first < next.end && next.end <= size);
      fail_if(present.contains(next.first, next.first + 1));
      now.jump = Line{next.first, std::min(next.end, most < size ? next.first + most : size)};
      now.lastJumpEnd = now.jump->end;
      ++jumps;
      return true;
    case Step::Kind::ReadHead:
      fail_unless(now.head.has_value());
      read(now.head, present, amount, received);
      return true;
    case Step::Kind::ReadJump:
      fail_unless(now.jump.has_value());
      read(now.jump, present, amount, received);
      return true;
    }
    return false;
  }

  bool satisfied() const {
    const uint64_t end = std::min(size, now.demand->offset + now.demand->length);
    const uint64_t wanted = now.demand->amount == Spool::Amount::Any ? now.demand->offset + 1 : end;
    return present.presentUntil(now.demand->offset) >= wanted;
  }

  /// Steps until a reader has what it waits for.
  void demand(uint64_t offset, uint64_t length, Spool::Amount amount = Spool::Amount::Whole) {
    now.demand = Spool::Demand{offset, length, amount};
    now.lastAsked = offset;
    for (int steps = 0; !satisfied(); ++steps) {
      fail_unless(steps < 1000, "a reader starves");
      fail_unless(step());
    }
    now.demand.reset();
  }
  void finish() {
    now.demand.reset();
    for (int steps = 0; step(); ++steps)
      fail_unless(steps < 5000, "the download does not end");
  }
};

} // namespace

GST_START_TEST(a_clip_that_nobody_reads_is_one_request) {
  Simulation download;
  download.finish();
  fail_unless_equals_int(download.heads, 1);
  fail_unless_equals_int(download.jumps, 0);
  fail_unless_equals_uint64(download.received, size);
}
GST_END_TEST

GST_START_TEST(a_moov_at_the_end_is_one_jump_and_the_head_goes_on) {
  Simulation download;
  download.demand(0, 4096);
  download.demand(size - 4000, 8);
  download.demand(size - 4000, 3992);
  download.demand(size - 16, 16);
  for (uint64_t at = 40; at < size - 4000; at += 100 * kibi)
    download.demand(at, 100 * kibi);
  download.finish();
  fail_unless_equals_int(download.heads, 1);
  fail_unless_equals_int(download.jumps, 1);
  fail_unless(download.received <= size + 32 * kibi);
}
GST_END_TEST

GST_START_TEST(what_the_head_brings_soon_is_waited_for) {
  Simulation download;
  download.demand(0, 4096);
  download.demand(150 * kibi, 4096);
  fail_unless_equals_int(download.jumps, 0);
  download.now.near = 2 * mebi; // a fast line with a slow answer
  download.demand(2 * mebi, 4096);
  fail_unless_equals_int(download.jumps, 0);
  download.now.near = 128 * kibi;
  download.demand(3 * mebi, 4096);
  fail_unless_equals_int(download.jumps, 1);
}
GST_END_TEST

GST_START_TEST(a_host_without_parts_is_never_asked_for_one) {
  Simulation download;
  download.now.parts = false;
  download.demand(size - 4000, 4000);
  download.demand(0, 100);
  download.finish();
  fail_unless_equals_int(download.heads, 1);
  fail_unless_equals_int(download.jumps, 0);
}
GST_END_TEST

GST_START_TEST(a_stream_that_seeks_far_moves_the_head_and_the_hole_is_filled_later) {
  Simulation download;
  download.demand(0, 4096, Spool::Amount::Any);
  download.demand(10 * mebi, mebi, Spool::Amount::Any);
  fail_unless_equals_int(download.jumps, 0);
  fail_unless_equals_int(download.heads, 2);
  for (uint64_t at = 10 * mebi; at < size; at = download.present.presentUntil(at))
    download.demand(at, mebi, Spool::Amount::Any);
  download.finish();
  fail_unless_equals_int(download.heads, 3);
  fail_unless_equals_uint64(download.received, size); // no byte twice
}
GST_END_TEST

GST_START_TEST(a_reader_that_goes_on_behind_a_jump_gets_the_head) {
  Simulation download;
  download.demand(0, 4096);
  download.demand(8 * mebi, 64 * kibi);
  fail_unless_equals_int(download.jumps, 1);
  download.demand(8 * mebi + 128 * kibi, 4096);
  fail_unless_equals_int(download.jumps, 1);
  fail_unless_equals_int(download.heads, 2);
}
GST_END_TEST

GST_START_TEST(no_second_connection_is_made_while_it_is_not_allowed) {
  Simulation download;
  download.demand(0, 4096);
  download.now.jumps = false;
  download.demand(8 * mebi, 4096);
  fail_unless_equals_int(download.jumps, 0);
  fail_unless_equals_int(download.heads, 1);
}
GST_END_TEST

GST_START_TEST(a_reader_near_the_end_of_a_host_that_sends_less_than_it_was_asked_for_gets_it) {
  for (const uint64_t most : {4 * kibi, 14 * kibi}) {
    Simulation download;
    download.demand(0, 4096);
    download.most = most;
    download.demand(size - 8 * kibi, 8 * kibi);
    download.demand(size - 20 * kibi, 4 * kibi);
  }
}
GST_END_TEST

GST_START_TEST(any_order_of_reads_ends_with_the_whole_clip_and_few_requests) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::minstd_rand random(seed);
    Simulation download;
    unsigned demands = 0;
    while (demands < 60) {
      const uint64_t offset = random() % size;
      const uint64_t length = 1 + random() % (seed % 3 ? 200 * kibi : 3 * mebi);
      download.demand(offset, length, random() % 3 ? Spool::Amount::Whole : Spool::Amount::Any);
      ++demands;
      for (unsigned idle = random() % 4; idle > 0; --idle)
        (void)download.step();
      if (random() % 10 == 0) {
        // a flush: the reader goes in the middle of its wait
        download.now.demand = Spool::Demand{random() % size, 4096, Spool::Amount::Whole};
        (void)download.step();
        download.now.demand.reset();
        ++demands;
      }
    }
    download.finish();
    fail_unless(download.present.contains(0, size));
    fail_unless(download.heads + download.jumps <= 3 * demands);
    fail_unless(download.received < 3 * size);
  }
}
GST_END_TEST

static Suite *download_plan_suite() {
  Suite *suite = suite_create("download_plan");
  TCase *tests = tcase_create("plan");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_clip_that_nobody_reads_is_one_request);
  tcase_add_test(tests, a_moov_at_the_end_is_one_jump_and_the_head_goes_on);
  tcase_add_test(tests, what_the_head_brings_soon_is_waited_for);
  tcase_add_test(tests, a_host_without_parts_is_never_asked_for_one);
  tcase_add_test(tests, a_stream_that_seeks_far_moves_the_head_and_the_hole_is_filled_later);
  tcase_add_test(tests, a_reader_that_goes_on_behind_a_jump_gets_the_head);
  tcase_add_test(tests, no_second_connection_is_made_while_it_is_not_allowed);
  tcase_add_test(tests, a_reader_near_the_end_of_a_host_that_sends_less_than_it_was_asked_for_gets_it);
  tcase_add_test(tests, any_order_of_reads_ends_with_the_whole_clip_and_few_requests);
  return suite;
}

GST_CHECK_MAIN(download_plan)
