// SPDX-License-Identifier: LGPL-2.1-or-later
// Readers who wait for other places than the next one, and ends that come at any time.
#include <future>
#include <random>

#include "download.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

constexpr uint64_t mebi = 1024 * 1024;
constexpr ClipLine slowLine{0ms, 8.0 * mebi};
/// Leaves a reader on a busy machine the time to ask before what it wants has come by itself.
constexpr ClipLine slowestLine{0ms, 2.0 * mebi};

/// A download on a thread of its own.
struct Running {
  Download &download;
  std::future<Result<void>> result;

  explicit Running(Download &which)
      : download(which), result(std::async(std::launch::async, [&which] { return which.fetch(); })) {
    while (download.arrivals == 0)
      std::this_thread::yield();
  }
  ~Running() {
    download.cancellation.cancel();
    if (result.valid())
      result.wait();
  }
  void succeeds() {
    const auto end = result.get();
    fail_unless(end.has_value(), "%s", end ? "" : end.error().text().c_str());
    fail_unless(download.spool->complete());
    fail_unless(download.read(0, download.clip.size()) == download.clip);
  }
};

/// Reads on the test's thread, and says whether it was right.
bool reads(Download &download, uint64_t offset, uint64_t length) {
  return download.read(offset, length) == download.clip.substr(offset, length);
}

bool isJump(const ClipRequest &request) {
  return request.number > 1 && request.first > 0;
}

} // namespace

GST_START_TEST(the_end_of_a_clip_comes_in_one_jump_while_the_head_goes_on) {
  Download download(boxedNoise(4 * mebi, MoovPlace::Last), {}, slowestLine);
  Running running(download);
  const uint64_t size = download.clip.size();
  fail_unless(reads(download, size - 2008, 8));
  fail_unless(download.spool->presentUntil(0) < size / 2);
  fail_unless(reads(download, size - 2008, 2008));
  fail_unless(reads(download, 40, 100'000));
  running.succeeds();
  const auto requests = download.host.requests();
  fail_unless_equals_int(requests.size(), 2);
  fail_unless_equals_uint64(requests[1].first, size - 32 * 1024);
  fail_unless_equals_text(requests[1].header("If-Range"), "\"the-clip\"");
  fail_unless(download.host.bytesSent() <= size + 32 * 1024);
}
GST_END_TEST

GST_START_TEST(what_a_refused_jump_leaves_at_the_deadline_is_told_to_be_incomplete) {
  Download download(
      boxedNoise(4 * mebi, MoovPlace::Last),
      [](const ClipRequest &request, ClipAnswer &answer) {
        if (!isJump(request))
          return;
        answer.status = 403;
        answer.text = "expired";
        answer.contentRange.clear();
      },
      slowestLine);
  download.limits.incomplete = true;
  download.linkFault = failure(ErrorKind::TimedOut, "the generation had not completed").value();
  Running running(download);
  auto reader = std::async(std::launch::async, [&] { return download.read(download.clip.size() - 2008, 8); });
  fail_unless(running.result.get().has_value());
  reader.wait();
  fail_unless(download.spool->size().value_or(0) < download.clip.size());
  fail_if(download.incomplete.empty());
}
GST_END_TEST

GST_START_TEST(a_jump_may_come_in_chunks) {
  Download download(
      boxedNoise(4 * mebi, MoovPlace::Last),
      [](const ClipRequest &request, ClipAnswer &answer) { answer.tellsLength = !isJump(request); }, slowestLine);
  Running running(download);
  fail_unless(reads(download, download.clip.size() - 2008, 2008));
  running.succeeds();
  fail_unless_equals_int(download.host.requests().size(), 2);
}
GST_END_TEST

GST_START_TEST(a_jump_is_bounded) {
  Download download(boxedNoise(4 * mebi, MoovPlace::First), {}, slowestLine);
  Running running(download);
  fail_unless(reads(download, 3 * mebi, 4096));
  running.succeeds();
  const auto requests = download.host.requests();
  fail_unless_equals_int(requests.size(), 2);
  fail_unless(requests[1].last.has_value() && *requests[1].last - requests[1].first < mebi);
}
GST_END_TEST

GST_START_TEST(a_host_that_sends_all_for_a_jump_is_not_asked_for_another) {
  Download download(boxedNoise(2 * mebi, MoovPlace::Last), {}, slowLine);
  download.host.setManners([&](const ClipRequest &request, ClipAnswer &answer) {
    if (!isJump(request))
      return;
    answer.status = 200;
    answer.contentRange.clear();
    answer.first = 0;
    answer.end = download.clip.size();
  });
  Running running(download);
  fail_unless(reads(download, download.clip.size() - 2000, 2000));
  running.succeeds();
  fail_unless_equals_int(download.host.requests().size(), 2);
}
GST_END_TEST

GST_START_TEST(a_jump_into_another_file_is_not_taken) {
  const std::string other = boxedNoise(2 * mebi, MoovPlace::Last, 9);
  Download download(boxedNoise(2 * mebi, MoovPlace::Last), {}, slowLine);
  download.host.setManners([&](const ClipRequest &request, ClipAnswer &answer) {
    if (!isJump(request))
      return;
    answer.text = other.substr(answer.first, answer.end - answer.first);
    if (__i__ == 0)
      answer.headers = {{"ETag", "\"another\""}};
    else
      answer.contentRange += "0"; // ten times as long
  });
  Running running(download);
  fail_unless(reads(download, download.clip.size() - 2000, 2000));
  running.succeeds();
}
GST_END_TEST

GST_START_TEST(a_jump_that_stalls_is_given_up_for_the_head) {
  Download download(
      boxedNoise(4 * mebi, MoovPlace::Last),
      [](const ClipRequest &request, ClipAnswer &answer) {
        if (isJump(request))
          answer.stallAfter = 100;
      },
      slowLine);
  download.limits.jump = 100ms;
  Running running(download);
  fail_unless(reads(download, download.clip.size() - 2000, 2000));
  running.succeeds();
  fail_unless(download.host.requests().size() >= 2);
}
GST_END_TEST

GST_START_TEST(a_silent_connection_keeps_no_other_reader_waiting) {
  const uint64_t size = 4 * mebi;
  Download download(boxedNoise(size, MoovPlace::Last), [](const ClipRequest &request, ClipAnswer &answer) {
    answer.stallAfter = request.number == 1 ? mebi : 200'000; // then each is silent for ever
  });
  Running running(download);
  download.host.waitForStall();
  fail_unless(reads(download, size - 2000, 2000));
  fail_unless(reads(download, 2 * mebi, 100'000));
  fail_unless(reads(download, 3 * mebi, 100'000));
  fail_unless(reads(download, 0, mebi));
}
GST_END_TEST

GST_START_TEST(a_link_that_expires_between_head_and_jump_is_renewed) {
  Download download(
      boxedNoise(4 * mebi, MoovPlace::Last),
      [](const ClipRequest &request, ClipAnswer &answer) {
        if (isJump(request) && !request.target.starts_with("/fresh")) {
          answer.status = 403;
          answer.text = "expired";
          answer.contentRange.clear();
        }
      },
      slowLine);
  Running running(download);
  fail_unless(reads(download, download.clip.size() - 2000, 2000));
  fail_unless(download.spool->presentUntil(0) < download.clip.size());
  running.succeeds();
  fail_unless_equals_int(download.renewals, 1);
}
GST_END_TEST

GST_START_TEST(a_jump_does_not_wait_behind_other_clips_of_its_host) {
  allowUsualDescriptors();
  const uint64_t size = 4 * mebi;
  Download download(boxedNoise(size, MoovPlace::Last), [](const ClipRequest &request, ClipAnswer &answer) {
    if (request.first == 0)
      answer.stallAfter = mebi;
  });
  Running running(download);
  Crowd crowd(download, 3 * mostAtOnce);
  download.host.waitForStall(mostAtOnce);
  fail_unless(reads(download, size - 2000, 2000));
  fail_unless(reads(download, 2 * mebi, 100'000));
}
GST_END_TEST

/// Its end comes first, out of order: the reader must not take it for the end.
GST_START_TEST(a_reader_is_never_told_the_end_of_a_clip_that_is_cut) {
  const std::string whole = boxedNoise(2 * mebi, MoovPlace::Last);
  const uint64_t moov = whole.size() - 2008;
  Download download(whole.substr(0, moov + 1000), {}, slowLine);
  Running running(download);
  const auto ended = [&] {
    return download.cancellation.cancelled();
  };
  fail_unless_equals_uint64(download.spool->await({moov, 8, Spool::Amount::Whole}, ended).size, 8);
  auto moovRead =
      std::async(std::launch::async, [&] { return download.spool->await({moov, 2008, Spool::Amount::Whole}, ended); });
  auto behindRead = std::async(std::launch::async,
                               [&] { return download.spool->await({moov + 1000, 8, Spool::Amount::Any}, ended); });
  const auto result = running.result.get();
  fail_if(result.has_value());
  fail_unless_contains(result.error().text(), "not whole");
  download.cancellation.cancel(); // what the element does then
  download.spool->wake();
  fail_unless(moovRead.get().kind == Spool::Arrival::Kind::Stopped);
  fail_unless(behindRead.get().kind == Spool::Arrival::Kind::Stopped);
}
GST_END_TEST

namespace {

enum class Where { HeaderWait, Body, Jump };
constexpr Where places[] = {Where::HeaderWait, Where::Body, Where::Jump};

} // namespace

GST_START_TEST(it_stops_at_once_wherever_the_host_stalls) {
  const Where where = places[__i__];
  Download download(
      boxedNoise(2 * mebi, MoovPlace::Last),
      [where](const ClipRequest &request, ClipAnswer &answer) {
        answer.stallFirst = where == Where::HeaderWait;
        if (where == Where::Body || isJump(request))
          answer.stallAfter = 100;
      },
      where == Where::Jump ? slowLine : ClipLine{});
  auto result = std::async(std::launch::async, [&] { return download.fetch(); });
  std::thread reader;
  if (where == Where::Jump) {
    while (download.arrivals == 0)
      std::this_thread::yield();
    reader = std::thread([&] {
      (void)download.spool->await({2 * mebi, 100, Spool::Amount::Whole},
                                  [&] { return download.cancellation.cancelled(); });
    });
  }
  download.host.waitForStall();
  download.cancellation.cancel();
  download.spool->wake();
  const auto end = result.get();
  fail_if(end.has_value());
  fail_unless(end.error().kind == ErrorKind::Cancelled);
  fail_unless_equals_int(download.host.stalled(), 1); // the host still holds its answer
  if (reader.joinable())
    reader.join();
}
GST_END_TEST

GST_START_TEST(whatever_the_host_does_and_readers_want_every_byte_is_right) {
  for (unsigned seed = 0; seed < 12; ++seed) {
    std::mutex guard;
    std::minstd_rand dice(seed);
    Download download(boxedNoise(3 * mebi, seed % 2 ? MoovPlace::First : MoovPlace::Last, seed + 1), {},
                      ClipLine{0ms, 40.0 * mebi});
    download.host.setManners([&](const ClipRequest &, ClipAnswer &answer) {
      const std::lock_guard lock(guard);
      switch (dice() % 8) {
      case 0:
        answer.status = 503;
        answer.text = "later";
        answer.contentRange.clear();
        break;
      case 1:
        answer.keepAlive = false;
        break;
      case 2:
        answer.cutAfter = dice() % 20'000;
        break;
      default:
        answer.cutAfter = 300'000 + dice() % 2'000'000;
      }
      if (seed % 3 == 0)
        std::erase_if(answer.headers, [](const auto &header) { return header.first == "ETag"; });
    });
    Running running(download);
    std::atomic<int> wrong = 0;
    std::vector<std::thread> readers;
    for (unsigned r = 0; r < 2; ++r)
      readers.emplace_back([&, r] {
        std::minstd_rand random(seed * 7 + r);
        for (int i = 0; i < 12; ++i) {
          const uint64_t offset = random() % (download.clip.size() - 1);
          wrong += !reads(download, offset, std::min<uint64_t>(1 + random() % 80'000, download.clip.size() - offset));
        }
      });
    for (std::thread &reader : readers)
      reader.join();
    fail_unless_equals_int(wrong, 0);
    running.succeeds();
  }
}
GST_END_TEST

static Suite *jumps_suite() {
  Suite *suite = suite_create("jumps");
  TCase *tests = tcase_create("jumps");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, the_end_of_a_clip_comes_in_one_jump_while_the_head_goes_on);
  tcase_add_test(tests, what_a_refused_jump_leaves_at_the_deadline_is_told_to_be_incomplete);
  tcase_add_test(tests, a_jump_may_come_in_chunks);
  tcase_add_test(tests, a_jump_is_bounded);
  tcase_add_test(tests, a_host_that_sends_all_for_a_jump_is_not_asked_for_another);
  tcase_add_loop_test(tests, a_jump_into_another_file_is_not_taken, 0, 2);
  tcase_add_test(tests, a_jump_that_stalls_is_given_up_for_the_head);
  tcase_add_test(tests, a_silent_connection_keeps_no_other_reader_waiting);
  tcase_add_test(tests, a_link_that_expires_between_head_and_jump_is_renewed);
  tcase_add_test(tests, a_jump_does_not_wait_behind_other_clips_of_its_host);
  tcase_add_test(tests, a_reader_is_never_told_the_end_of_a_clip_that_is_cut);
  tcase_add_loop_test(tests, it_stops_at_once_wherever_the_host_stalls, 0, G_N_ELEMENTS(places));
  tcase_add_test(tests, whatever_the_host_does_and_readers_want_every_byte_is_right);
  return suite;
}

GST_CHECK_MAIN(jumps)
