// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/stored_clip.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <sys/stat.h>

#include "base/glib_ptr.h"
#include "clip/iso_media.h"

namespace aimlvideo {

namespace {

/// LedgerRow::clipProof in its parts. Such a text is distinguished from what earlier versions wrote, which have synced
/// first and wrote what the clip looks like and nothing else.
struct Proof {
  bool synced = true;
  std::string
      boot; ///< where it is not synced: when it was written; empty: then it is not trusted, whatever boot this is
  std::string looks;

  static constexpr std::string_view mark = "unsynced-";

  static Proof from(const std::string &text) {
    if (!text.starts_with(mark))
      return {true, "", text};
    const size_t end = std::min(text.find('-', mark.size()), text.size());
    return {false, text.substr(mark.size(), end - mark.size()), text.substr(std::min(end + 1, text.size()))};
  }
  std::string text() const { return synced || looks.empty() ? looks : std::string(mark) + boot + "-" + looks; }
  /// The machine has ended since.
  bool mayHaveHoles(const std::string &now) const { return !synced && (boot.empty() || boot != now); }
};

/// Whether two looks differ in the file's number alone: it was moved to another disk, or is back from a backup.
bool isCopy(const std::string &looks, const std::string &other) {
  const auto withoutNumber = [](const std::string &text) {
    return text.substr(std::min(text.find('-'), text.size()));
  };
  return !looks.empty() && withoutNumber(looks) == withoutNumber(other);
}

/// A file that looks as it did has the bytes that it had, unless the machine ended before they were on the disk. One
/// that was touched, or copied from elsewhere, is known by its checksum. Where none was taken before, which is so
/// behind a pipeline that ended with its clip, a copy that has kept its time is taken for the file, and nothing vouches
/// for any other. Rows of earlier versions have no proof.
StoredClip::State stateOf(const Spool &clip, const std::string &looks, StoredClip::Care care, const std::string &boot,
                          LedgerRow &row, Proof &proof, const Cancellation &cancellation) {
  using State = StoredClip::State;
  const bool touched = proof.looks.empty() || looks != proof.looks;
  const bool holes = proof.mayHaveHoles(boot);
  if (!touched && !holes && care == StoredClip::Care::Quick)
    return State::Right;
  if (holes && row.clipChecksum.empty())
    return State::Unsynced;
  if (touched && row.clipChecksum.empty() && !proof.looks.empty() && !isCopy(proof.looks, looks))
    return State::Touched;
  if (care == StoredClip::Care::Whole || !row.clipChecksum.empty()) {
    if (!proof.synced) {
      const auto synced = syncToDisk(clip, cancellation);
      proof.synced = synced && *synced;
      if (!synced)
        proof.boot.clear(); // what the memory has of it, the disk may not have
      if (!proof.synced)
        return State::Unknown;
    }
    const auto checksum = checksumOf(clip, cancellation);
    if (!checksum)
      return State::Unknown;
    if (!row.clipChecksum.empty() && *checksum != row.clipChecksum)
      return State::Changed;
    row.clipChecksum = *checksum;
  }
  return wholenessOf(clip, clip.size().value_or(0)).wholeness == Wholeness::Cut ? State::Cut : State::Right;
}

/// When it was last written to or used, in nanoseconds; 0: nobody knows.
int64_t timeOf(const Spool &clip) {
  struct stat facts{};
  return fstat(clip.descriptor(), &facts) == 0 ? facts.st_mtim.tv_sec * 1'000'000'000 + facts.st_mtim.tv_nsec : 0;
}

std::string readBootId() {
  gchar *text = nullptr;
  g_file_get_contents("/proc/sys/kernel/random/boot_id", &text, nullptr, nullptr);
  const GCharPtr owned(text);
  std::string id = text ? text : "";
  std::erase_if(id, [](char c) { return !g_ascii_isxdigit(c); });
  return id;
}

} // namespace

const char *StoredClip::problem() const {
  switch (state) {
  case State::Gone:
    return "does not have its recorded length";
  case State::Changed:
    return "does not have its recorded contents";
  case State::Touched:
    return "was modified, and there is no checksum to check it against";
  case State::Unsynced:
    return "may not have reached the disk before the machine stopped";
  case State::Cut:
    return "is not whole";
  case State::Unknown:
    return "can't be read";
  case State::Right:
    break;
  }
  return "is right";
}

std::string bootId() {
  static const auto *id = new std::string(readBootId()); // outlives every worker, also those still running at exit
  return *id;
}

std::string proofOf(const Spool &clip, const std::string &boot) {
  return Proof{false, boot, looksOf(clip)}.text();
}

StoredClip storedClip(const ClipStore &store, Ledger &ledger, LedgerRow &row, StoredClip::Care care,
                      const Cancellation &cancellation, const std::string &boot) {
  auto clip = row.clip.empty() ? nullptr : store.find(row.clip, static_cast<uint64_t>(row.clipSize));
  if (!clip)
    return {StoredClip::State::Gone, nullptr};
  const std::string checksum = row.clipChecksum;
  Proof proof = Proof::from(row.clipProof);
  const int64_t time = timeOf(*clip);
  const std::string looks = looksOf(*clip);
  const auto state = stateOf(*clip, looks, care, boot, row, proof, cancellation);
  if (state == StoredClip::State::Right) {
    store.markUsed(row.clip); // which touches it, now and then
    proof.looks = timeOf(*clip) == time ? looks : looksOf(*clip);
  }
  // where this can't be written, more is read the next time
  const std::string text = proof.text();
  if (std::exchange(row.clipProof, text) != text || row.clipChecksum != checksum)
    (void)ledger.setStored(row.id, row.clip, row.clipChecksum, row.clipProof);
  return {state, state == StoredClip::State::Right ? std::move(clip) : nullptr};
}

} // namespace aimlvideo
