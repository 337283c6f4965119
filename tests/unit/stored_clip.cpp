// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/stored_clip.h"

#include <cerrno>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/home.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using ClipState = StoredClip::State;
using Care = StoredClip::Care;

namespace {

int syncs = 0;       ///< of a clip as a whole
int syncFailure = 0; ///< what they fail with
int pieces = 0;
int looks = 0; ///< through a folder
Cancellation *cancelledByPiece = nullptr;

constexpr auto thisBoot = "b001";
constexpr auto nextBoot = "b002";

bool isClip(int descriptor) {
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const GCharPtr path(g_file_read_link(link.c_str(), nullptr));
  return path && contains(path.get(), "/clips/");
}

} // namespace

// These stand before the C library's.

extern "C" int fdatasync(int descriptor) {
  if (!isClip(descriptor)) // the ledger
    return static_cast<int>(syscall(SYS_fdatasync, descriptor));
  ++syncs;
  errno = syncFailure;
  return syncFailure != 0 ? -1 : 0;
}

extern "C" __attribute__((visibility("default"))) DIR *opendir(const char *path) { // which GLib calls
  ++looks;
  const int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return descriptor < 0 ? nullptr : fdopendir(descriptor);
}

extern "C" int sync_file_range(int, off_t, off_t, unsigned) {
  ++pieces;
  if (cancelledByPiece)
    cancelledByPiece->cancel();
  return 0;
}

namespace {

/// A clip that was just kept, and its row.
struct Bench {
  PrivateHome home;
  ClipStore store = *ClipStore::open(home.cache() + "/clips");
  std::shared_ptr<Ledger> ledger = *Ledger::open(home.state());
  LedgerRow row;

  explicit Bench(const std::string &bytes = std::string(300'000, 'v')) {
    syncs = 0;
    syncFailure = 0;
    pieces = 0;
    cancelledByPiece = nullptr;
    const auto spool = *SpoolFile::create(store.folder());
    fail_unless(spool->setSize(bytes.size()).has_value());
    fail_unless(spool->write(0, bytes.data(), bytes.size()).has_value());
    fail_unless(store.keep(*spool, "clip.mp4", {}).has_value());
    row.state = LedgerRow::State::Completed;
    row.clip = "clip.mp4";
    row.clipSize = static_cast<int64_t>(bytes.size());
    row.clipProof = proofOf(*store.find(row.clip, bytes.size()), thisBoot);
    fail_unless(ledger->write(row).has_value());
  }

  StoredClip look(Care care, const std::string &boot, const Cancellation &cancellation = {}) {
    row = **ledger->row(row.id);
    return storedClip(store, *ledger, row, care, cancellation, boot);
  }
  LedgerRow recorded() const { return **ledger->row(row.id); }

  /// What a power cut leaves: the file as it was, with nothing in the middle.
  void loseBytes() const {
    const std::string path = store.path(row.clip);
    struct stat facts{};
    fail_unless(stat(path.c_str(), &facts) == 0);
    const int descriptor = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    const std::string nothing(4096, '\0');
    fail_unless(pwrite(descriptor, nothing.data(), nothing.size(), 150'000) == 4096);
    const timespec times[] = {facts.st_atim, facts.st_mtim};
    fail_unless(futimens(descriptor, times) == 0);
    close(descriptor);
  }
};

} // namespace

GST_START_TEST(a_clip_is_kept_without_a_sync) {
  const Bench bench;
  fail_unless_equals_int(syncs, 0);
  fail_unless_equals_int(pieces, 0);
}
GST_END_TEST

GST_START_TEST(a_look_at_all_names_is_not_taken_for_each_clip) {
  const Bench bench;
  looks = 0;
  const ClipStore::Limits three{.size = 3000};
  for (int i = 0; i < 20; ++i) {
    const auto spool = *SpoolFile::create(bench.store.folder());
    fail_unless(spool->setSize(100).has_value());
    fail_unless(spool->write(0, std::string(100, 'v').data(), 100).has_value());
    fail_unless(bench.store.keep(*spool, "small" + std::to_string(i) + ".mp4", {}).has_value());
  }
  fail_unless(looks <= 1, "%d", looks);
  // and yet the limit holds
  const auto last = *SpoolFile::create(bench.store.folder());
  fail_unless(last->setSize(2000).has_value());
  fail_unless(last->write(0, std::string(2000, 'v').data(), 2000).has_value());
  fail_unless(bench.store.keep(*last, "last.mp4", three).has_value());
  uint64_t total = 0;
  for (const ClipStore::Entry &entry : bench.store.entries())
    total += entry.size;
  fail_unless(total <= three.size, "%" G_GUINT64_FORMAT, total);
}
GST_END_TEST

GST_START_TEST(a_clip_that_is_not_known_to_be_on_the_disk_is_played_in_the_same_boot) {
  Bench bench;
  for (int times = 0; times < 2; ++times)
    fail_unless(bench.look(Care::Quick, thisBoot).state == ClipState::Right);
  fail_unless_equals_int(syncs, 0);
}
GST_END_TEST

GST_START_TEST(a_clip_that_is_not_known_to_be_on_the_disk_is_not_trusted_in_the_next_boot) {
  for (const Care care : {Care::Quick, Care::Whole}) {
    Bench bench;
    fail_unless(bench.look(Care::Quick, thisBoot).state == ClipState::Right); // which keeps the mark
    bench.loseBytes();
    for (int times = 0; times < 2; ++times) {
      const auto found = bench.look(care, nextBoot);
      fail_unless(found.state == ClipState::Unsynced);
      fail_unless(found.clip == nullptr);
      fail_unless(found.mayBeRight()); // nothing is bought in its place
      fail_unless_contains(std::string(found.problem()), "reached the disk");
    }
    fail_unless(bench.recorded().clipChecksum.empty());
  }
}
GST_END_TEST

GST_START_TEST(where_no_boot_can_be_told_from_another_no_such_clip_is_trusted) {
  Bench bench;
  bench.row.clipProof = proofOf(*bench.store.find("clip.mp4", 300'000), "");
  fail_unless(bench.ledger->write(bench.row).has_value());
  fail_unless(bench.look(Care::Quick, "").state == ClipState::Unsynced);
}
GST_END_TEST

GST_START_TEST(a_clip_is_synced_behind_the_run_and_trusted_from_then_on) {
  Bench bench;
  fail_unless(bench.look(Care::Whole, thisBoot).state == ClipState::Right);
  fail_unless_equals_int(syncs, 1);
  fail_unless_equals_int(bench.recorded().clipChecksum.size(), 64);
  fail_unless_equals_text(bench.recorded().clipProof, looksOf(*bench.store.find("clip.mp4", 300'000)));
  fail_unless(bench.look(Care::Quick, nextBoot).state == ClipState::Right);
  fail_unless_equals_int(syncs, 1);
}
GST_END_TEST

GST_START_TEST(a_clip_that_is_not_known_to_be_on_the_disk_is_known_by_its_checksum) {
  for (const bool damaged : {false, true}) {
    Bench bench;
    fail_unless(bench.look(Care::Whole, thisBoot).state == ClipState::Right);
    bench.row.clipProof = proofOf(*bench.store.find("clip.mp4", 300'000), thisBoot);
    fail_unless(bench.ledger->write(bench.row).has_value());
    if (damaged)
      bench.loseBytes();
    fail_unless(bench.look(Care::Quick, nextBoot).state == (damaged ? ClipState::Changed : ClipState::Right));
  }
}
GST_END_TEST

GST_START_TEST(a_sync_that_is_stopped_leaves_the_mark) {
  Bench bench(std::string(80 << 20, 'v'));
  Cancellation cancellation;
  cancelledByPiece = &cancellation;
  fail_unless(bench.look(Care::Whole, thisBoot, cancellation).state == ClipState::Unknown);
  fail_unless_equals_int(syncs, 0);
  fail_unless_equals_int(pieces, 2); // what is short is synced all the same
  fail_unless(bench.look(Care::Quick, thisBoot).state == ClipState::Right);
  fail_unless(bench.look(Care::Quick, nextBoot).state == ClipState::Unsynced);
}
GST_END_TEST

GST_START_TEST(a_sync_that_was_done_counts_when_the_checksum_is_not_taken) {
  Bench bench;
  Cancellation cancellation;
  cancelledByPiece = &cancellation;
  fail_unless(bench.look(Care::Whole, thisBoot, cancellation).state == ClipState::Unknown);
  fail_unless_equals_int(syncs, 1);
  fail_unless(bench.recorded().clipChecksum.empty());
  fail_unless(bench.look(Care::Quick, nextBoot).state == ClipState::Right);
}
GST_END_TEST

GST_START_TEST(a_clip_that_the_disk_has_refused_is_not_trusted_even_in_the_same_boot) {
  Bench bench;
  syncFailure = EIO;
  fail_unless(bench.look(Care::Whole, thisBoot).state == ClipState::Unknown);
  syncFailure = 0;
  fail_unless(bench.look(Care::Quick, thisBoot).state == ClipState::Unsynced);
}
GST_END_TEST

static Suite *stored_clip_suite() {
  Suite *suite = suite_create("stored_clip");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_clip_is_kept_without_a_sync);
  tcase_add_test(tests, a_look_at_all_names_is_not_taken_for_each_clip);
  tcase_add_test(tests, a_clip_that_is_not_known_to_be_on_the_disk_is_played_in_the_same_boot);
  tcase_add_test(tests, a_clip_that_is_not_known_to_be_on_the_disk_is_not_trusted_in_the_next_boot);
  tcase_add_test(tests, where_no_boot_can_be_told_from_another_no_such_clip_is_trusted);
  tcase_add_test(tests, a_clip_is_synced_behind_the_run_and_trusted_from_then_on);
  tcase_add_test(tests, a_clip_that_is_not_known_to_be_on_the_disk_is_known_by_its_checksum);
  tcase_add_test(tests, a_sync_that_is_stopped_leaves_the_mark);
  tcase_add_test(tests, a_sync_that_was_done_counts_when_the_checksum_is_not_taken);
  tcase_add_test(tests, a_clip_that_the_disk_has_refused_is_not_trusted_even_in_the_same_boot);
  return suite;
}

GST_CHECK_MAIN(stored_clip)
