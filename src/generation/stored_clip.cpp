// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/stored_clip.h"

#include <algorithm>

#include "clip/iso_media.h"

namespace aimlvideo {

namespace {

/// Whether two proofs differ in the file's number alone: it was moved to another disk, or is back from a backup.
bool isCopy(const std::string &proof, const std::string &other) {
  const auto withoutNumber = [](const std::string &text) {
    return text.substr(std::min(text.find('-'), text.size()));
  };
  return !proof.empty() && withoutNumber(proof) == withoutNumber(other);
}

/// A file that looks as it did has the bytes that it had. One that was touched, or copied from elsewhere, is known by
/// its checksum. Where none was taken before, which is so behind a pipeline that ended with its clip, a copy that has
/// kept its time is taken for the file, and nothing vouches for any other. Rows of earlier versions have no proof.
StoredClip::State stateOf(const Spool &clip, StoredClip::Care care, LedgerRow &row, const Cancellation &cancellation) {
  using State = StoredClip::State;
  const std::string proof = proofOf(clip);
  const bool touched = row.clipProof.empty() || proof != row.clipProof;
  if (!touched && care == StoredClip::Care::Quick)
    return State::Right;
  if (touched && row.clipChecksum.empty() && !row.clipProof.empty() && !isCopy(row.clipProof, proof))
    return State::Touched;
  if (care == StoredClip::Care::Whole || !row.clipChecksum.empty()) {
    const auto checksum = checksumOf(clip, cancellation);
    if (!checksum)
      return State::Unknown;
    if (!row.clipChecksum.empty() && *checksum != row.clipChecksum)
      return State::Changed;
    row.clipChecksum = *checksum;
  }
  return wholenessOf(clip, clip.size().value_or(0)).wholeness == Wholeness::Cut ? State::Cut : State::Right;
}

} // namespace

const char *StoredClip::problem() const {
  switch (state) {
  case State::Gone:
    return "has not the length that it had";
  case State::Changed:
    return "has other contents than it had";
  case State::Touched:
    return "was touched, and no checksum tells what it had";
  case State::Cut:
    return "is not whole";
  case State::Unknown:
    return "can't be read";
  case State::Right:
    break;
  }
  return "is right";
}

StoredClip storedClip(const ClipStore &store, Ledger &ledger, LedgerRow &row, StoredClip::Care care,
                      const Cancellation &cancellation) {
  auto clip = row.clip.empty() ? nullptr : store.find(row.clip, static_cast<uint64_t>(row.clipSize));
  if (!clip)
    return {StoredClip::State::Gone, nullptr};
  const std::string checksum = row.clipChecksum;
  const std::string proof = row.clipProof;
  const auto state = stateOf(*clip, care, row, cancellation);
  if (state != StoredClip::State::Right)
    return {state, nullptr};
  store.markUsed(row.clip); // which touches it
  row.clipProof = proofOf(*clip);
  // where this can't be written, more is read the next time
  if (row.clipProof != proof || row.clipChecksum != checksum)
    (void)ledger.setStored(row.id, row.clip, row.clipChecksum, row.clipProof);
  return {state, std::move(clip)};
}

} // namespace aimlvideo
