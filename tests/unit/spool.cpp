// SPDX-License-Identifier: LGPL-2.1-or-later
#include "clip/spool.h"

#include <atomic>
#include <random>
#include <thread>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

std::string noise(size_t size, unsigned seed) {
  std::minstd_rand random(seed);
  std::string bytes(size, '\0');
  for (char &byte : bytes)
    byte = static_cast<char>(random() >> 8);
  return bytes;
}

std::shared_ptr<SpoolFile> emptySpool(const std::string &folder = "") {
  auto spool = SpoolFile::create(folder);
  fail_unless(spool.has_value());
  return *spool;
}

constexpr auto never = [] {
  return false;
};

/// Waits until a reader is in await(), as a downloader sees it.
void waitForDemand(const SpoolFile &spool) {
  while (!spool.facts().demand)
    std::this_thread::yield();
}

} // namespace

GST_START_TEST(a_spool_has_no_name_and_one_mode) {
  TemporaryFolder folder;
  const auto spool = emptySpool(folder.path());
  fail_unless_equals_int(folder.entries(), 0);
  const auto written = spool->write(0, "abc", 3);
  fail_unless(written.has_value() && *written);
  fail_unless_equals_int(folder.entries(), 0);
  fail_unless(fcntl(spool->descriptor(), F_GETFD) & FD_CLOEXEC);
}
GST_END_TEST

GST_START_TEST(a_folder_that_is_not_there_is_an_error_with_its_cause) {
  const auto spool = SpoolFile::create("/no/such/folder");
  fail_if(spool.has_value());
  fail_unless(spool.error().kind == ErrorKind::NoSpace);
  fail_unless_contains(spool.error().text(), "No such file");
}
GST_END_TEST

GST_START_TEST(a_whole_file_is_a_complete_spool) {
  TemporaryFolder folder;
  const std::string path = folder.file("clip.mp4", "0123456789");
  const auto spool = SpoolFile::open(::open(path.c_str(), O_RDONLY | O_CLOEXEC), 10);
  fail_unless(spool->complete());
  fail_unless(spool->size() == 10U);
  const auto arrival = spool->await({4, 100, Spool::Amount::Whole}, never);
  fail_unless(arrival.kind == Spool::Arrival::Kind::There);
  fail_unless_equals_uint64(arrival.size, 6);
  char bytes[6];
  fail_unless(spool->read(4, bytes, 6) == 6U);
  fail_unless(std::string(bytes, 6) == "456789");
}
GST_END_TEST

GST_START_TEST(what_is_wanted_whole_is_waited_for_and_any_of_it_is_not) {
  const auto spool = emptySpool();
  fail_unless(spool->setSize(100).has_value());
  (void)spool->write(10, "0123456789", 10);
  fail_unless_equals_uint64(spool->await({12, 50, Spool::Amount::Any}, never).size, 8);

  Spool::Arrival arrival;
  std::thread reader([&] { arrival = spool->await({12, 50, Spool::Amount::Whole}, never); });
  waitForDemand(*spool);
  fail_unless_equals_uint64(spool->facts().demand->offset, 12);
  const std::string rest = noise(60, 1);
  (void)spool->write(20, rest.data(), 41);
  fail_unless(spool->facts().demand.has_value()); // one byte is missing
  (void)spool->write(61, rest.data(), 1);
  reader.join();
  fail_unless(arrival.kind == Spool::Arrival::Kind::There);
  fail_unless_equals_uint64(arrival.size, 50);
  fail_if(spool->facts().demand.has_value());
}
GST_END_TEST

GST_START_TEST(behind_the_end_there_is_nothing_to_wait_for) {
  const auto spool = emptySpool();
  Spool::Arrival arrival;
  std::thread reader([&] { arrival = spool->await({100, 16, Spool::Amount::Whole}, never); });
  waitForDemand(*spool);
  fail_unless(spool->setSize(100).has_value()); // only now is it known where the end is
  reader.join();
  fail_unless(arrival.kind == Spool::Arrival::Kind::End);
  // an offset near the largest number must not wrap around
  fail_unless(spool->await({UINT64_MAX - 17, 100, Spool::Amount::Whole}, never).kind == Spool::Arrival::Kind::End);
}
GST_END_TEST

GST_START_TEST(a_wait_ends_when_its_reader_is_told_to_stop) {
  const auto spool = emptySpool();
  fail_unless(spool->setSize(100).has_value());
  std::atomic<bool> stop = false;
  Spool::Arrival arrival;
  std::thread reader([&] { arrival = spool->await({0, 10, Spool::Amount::Any}, [&] { return stop.load(); }); });
  waitForDemand(*spool);
  stop = true;
  spool->wake();
  reader.join();
  fail_unless(arrival.kind == Spool::Arrival::Kind::Stopped);
}
GST_END_TEST

GST_START_TEST(bytes_that_are_there_are_compared_and_never_changed) {
  const auto spool = emptySpool();
  (void)spool->write(10, "abcdef", 6);
  const auto same = spool->write(8, "..abcdef..", 10);
  fail_unless(same.has_value() && *same);
  fail_unless(spool->present().contains(8, 18));
  const auto different = spool->write(12, "cXef", 4);
  fail_unless(different.has_value() && !*different);
  char bytes[10];
  (void)spool->read(8, bytes, 10);
  fail_unless(std::string(bytes, 10) == "..abcdef..");
}
GST_END_TEST

GST_START_TEST(it_is_not_cleared_once_a_reader_has_bytes) {
  const auto spool = emptySpool();
  (void)spool->write(0, "abc", 3);
  fail_unless(*spool->clear());
  fail_unless_equals_uint64(spool->present().bytes(), 0);
  (void)spool->write(0, "xyz", 3);
  (void)spool->await({0, 3, Spool::Amount::Any}, never);
  fail_if(*spool->clear());
  fail_unless(spool->present().contains(0, 3));
}
GST_END_TEST

GST_START_TEST(a_full_disk_is_an_error_and_no_signal) {
  // the kernel's own limit stands for a full disk; it would kill the process without SIGXFSZ ignored
  signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{64 * 1024, 64 * 1024};
  const auto spool = emptySpool();
  fail_unless(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  const std::string bytes = noise(100'000, 3);
  const auto written = spool->write(0, bytes.data(), bytes.size());
  fail_if(written.has_value());
  fail_unless(written.error().kind == ErrorKind::NoSpace);
  fail_unless_contains(written.error().text(), "temp-dir");
}
GST_END_TEST

GST_START_TEST(who_asks_for_the_end_waits_until_it_is_sure) {
  const auto spool = emptySpool();
  spool->holdEnd();
  (void)spool->write(0, "0123456789", 10);
  fail_unless(spool->setSize(10).has_value());
  fail_if(spool->facts().endWanted);
  fail_unless_equals_uint64(spool->await({0, 10, Spool::Amount::Whole}, never).size, 10);
  fail_unless_equals_uint64(spool->await({5, 100, Spool::Amount::Any}, never).size, 5);

  Spool::Arrival arrival;
  std::thread first([&] { arrival = spool->await({8, 4, Spool::Amount::Whole}, never); });
  waitForDemand(*spool);
  fail_unless(spool->facts().endWanted);
  // it is elsewhere: the reader has not been told
  fail_unless(spool->forgetSize());
  fail_if(spool->facts().endWanted);
  (void)spool->write(10, "ab", 2);
  first.join();
  fail_unless_equals_uint64(arrival.size, 4);

  fail_unless(spool->setSize(12).has_value());
  std::thread second([&] { arrival = spool->await({12, 1, Spool::Amount::Any}, never); });
  waitForDemand(*spool);
  spool->tellEnd();
  second.join();
  fail_unless(arrival.kind == Spool::Arrival::Kind::End);
  fail_if(spool->forgetSize());

  std::thread third([&] { arrival = spool->await({100, 1, Spool::Amount::Whole}, never); });
  waitForDemand(*spool); // it is told to those alone who waited
  spool->releaseEnd();
  third.join();
  fail_unless(spool->await({12, 1, Spool::Amount::Any}, never).kind == Spool::Arrival::Kind::End);
}
GST_END_TEST

GST_START_TEST(a_spool_that_moves_keeps_its_bytes_and_its_readers) {
  TemporaryFolder one;
  TemporaryFolder other;
  const auto spool = emptySpool(one.path());
  const std::string bytes = noise(300'000, 3);
  (void)spool->write(0, bytes.data(), 100'000);
  (void)spool->write(200'000, bytes.data() + 200'000, 100'000); // with a hole
  std::atomic<bool> end = false;
  std::atomic<int> wrong = 0;
  std::thread reader([&] {
    std::string got(10'000, '\0');
    for (uint64_t offset = 0; !end; offset = (offset + 10'000) % 100'000) {
      wrong += spool->read(offset, got.data(), got.size()).value_or(0) != got.size();
      wrong += bytes.compare(offset, got.size(), got) != 0;
    }
  });
  const int descriptor = spool->descriptor();
  for (int i = 0; i < 20; ++i)
    fail_unless(spool->moveTo(i % 2 ? one.path() : other.path()).has_value());
  end = true;
  reader.join();
  fail_unless_equals_int(wrong, 0);
  fail_unless_equals_int(spool->descriptor(), descriptor);
  fail_unless(fcntl(descriptor, F_GETFD) & FD_CLOEXEC);
  std::string got(100'000, '\0');
  fail_unless(spool->read(200'000, got.data(), got.size()) == got.size());
  fail_unless(bytes.compare(200'000, got.size(), got) == 0);
  fail_if(spool->moveTo("/no/such/folder").has_value());
  fail_unless(spool->read(0, got.data(), got.size()) == got.size());
}
GST_END_TEST

GST_START_TEST(readers_and_a_writer_in_any_order_agree_on_every_byte) {
  constexpr size_t size = 500'000;
  const std::string bytes = noise(size, 4);
  for (unsigned seed = 0; seed < 4; ++seed) {
    const auto spool = emptySpool();
    fail_unless(spool->setSize(size).has_value());
    std::atomic<int> wrong = 0;
    std::vector<std::thread> readers;
    for (unsigned r = 0; r < 3; ++r)
      readers.emplace_back([&, r] {
        std::minstd_rand random(seed * 10 + r);
        for (int i = 0; i < 60; ++i) {
          const uint64_t offset = random() % (size + 1000);
          const auto amount = random() % 2 ? Spool::Amount::Any : Spool::Amount::Whole;
          const auto arrival = spool->await({offset, 1 + random() % 9000, amount}, never);
          if (arrival.kind == Spool::Arrival::Kind::End) {
            wrong += offset < size;
            continue;
          }
          std::string got(arrival.size, '\0');
          wrong += spool->read(offset, got.data(), got.size()).value_or(0) != got.size();
          wrong += bytes.compare(offset, got.size(), got) != 0;
        }
      });
    std::minstd_rand random(seed);
    while (!spool->present().contains(0, size)) {
      const uint64_t offset = random() % 3 ? spool->present().presentUntil(0) : random() % size;
      const uint64_t piece = std::min<uint64_t>(size - offset, 1 + random() % 20'000);
      const auto written = spool->write(offset, bytes.data() + offset, piece);
      fail_unless(written.has_value() && *written);
    }
    for (std::thread &reader : readers)
      reader.join();
    fail_unless_equals_int(wrong, 0);
    fail_unless(spool->complete());
  }
}
GST_END_TEST

GST_START_TEST(who_waits_for_what_comes_anyway_is_not_told_of) {
  const auto spool = emptySpool();
  fail_unless(spool->setSize(1000).has_value());
  spool->holdEnd();
  (void)spool->write(0, noise(100, 1).data(), 100);
  std::atomic<unsigned> told = 0;
  const auto listener = [&] {
    ++told;
  };
  std::atomic<bool> stop = false;
  const auto waits = [&](uint64_t offset, uint64_t length) {
    const uint64_t before = spool->facts().waits;
    std::thread reader(
        [&] { (void)spool->await({offset, length, Spool::Amount::Whole}, [&] { return stop.load(); }); });
    while (spool->facts().waits == before)
      std::this_thread::yield();
    return reader;
  };
  std::vector<std::thread> readers;
  auto seen = spool->facts();
  fail_unless(spool->tellOfReaders(100, 200, seen, listener));
  readers.push_back(waits(50, 100)); // misses the byte at 100
  readers.push_back(waits(199, 1));
  fail_unless_equals_int(told, 0);
  readers.push_back(waits(200, 1));
  fail_unless_equals_int(told, 1);
  fail_unless(spool->tellOfReaders(100, 1000, seen, listener)); // each of them waits for what comes
  readers.push_back(waits(900, 200));                           // no byte of the clip could keep it waiting for long
  fail_unless_equals_int(told, 2);
  fail_unless(spool->facts().endWanted);
  // it is said once, of who has come since
  fail_if(spool->tellOfReaders(100, 1000, seen, listener));
  seen = spool->facts();
  fail_unless(spool->tellOfReaders(100, 200, seen, listener));
  spool->tellNobody();
  readers.push_back(waits(500, 1));
  fail_unless_equals_int(told, 2);
  stop = true;
  spool->wake();
  for (std::thread &reader : readers)
    reader.join();
}
GST_END_TEST

static Suite *spool_suite() {
  Suite *suite = suite_create("spool");
  TCase *tests = tcase_create("spool");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_spool_has_no_name_and_one_mode);
  tcase_add_test(tests, a_folder_that_is_not_there_is_an_error_with_its_cause);
  tcase_add_test(tests, a_whole_file_is_a_complete_spool);
  tcase_add_test(tests, what_is_wanted_whole_is_waited_for_and_any_of_it_is_not);
  tcase_add_test(tests, behind_the_end_there_is_nothing_to_wait_for);
  tcase_add_test(tests, a_wait_ends_when_its_reader_is_told_to_stop);
  tcase_add_test(tests, bytes_that_are_there_are_compared_and_never_changed);
  tcase_add_test(tests, it_is_not_cleared_once_a_reader_has_bytes);
  tcase_add_test(tests, a_full_disk_is_an_error_and_no_signal);
  tcase_add_test(tests, who_asks_for_the_end_waits_until_it_is_sure);
  tcase_add_test(tests, a_spool_that_moves_keeps_its_bytes_and_its_readers);
  tcase_add_test(tests, readers_and_a_writer_in_any_order_agree_on_every_byte);
  tcase_add_test(tests, who_waits_for_what_comes_anyway_is_not_told_of);
  return suite;
}

GST_CHECK_MAIN(spool)
