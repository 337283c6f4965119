// SPDX-License-Identifier: LGPL-2.1-or-later
#include "provenance/mark_place.h"

#include <algorithm>
#include <array>

#include "clip/iso_box.h"
#include "provenance/xmp_box.h"

namespace aimlvideo {

namespace {

/// Bytes of the box `mfro`, the last in an index of fragments (ISO/IEC 14496-12, 8.8.11).
constexpr uint64_t indexTail = 16;

} // namespace

MarkPlace::Verdict MarkPlace::taken(const char *why) {
  why_ = why;
  return verdict_ = Verdict::Taken;
}

/// Whether what is to be read at an offset is there.
bool MarkPlace::isThere(const Spool &clip, uint64_t offset, uint64_t size) {
  missing_ = offset;
  return clip.presentUntil(offset) - offset >= std::min(headBytes, size - offset);
}

MarkPlace::Verdict MarkPlace::look(const Spool &clip, uint64_t size) {
  if (wish_ == Mark::None)
    return taken("none is wanted");
  while (verdict_ == Verdict::Unclear) {
    if (endsInIndex_ && wish_ != Mark::Force)
      return taken("the clip ends in an index of its fragments, where players look for it");
    if (at_ == size && size > 0)
      return verdict_ = Verdict::Free;
    if (!isThere(clip, at_, size))
      return verdict_;
    const auto box = isoBoxAt(clip, at_);
    if (!box || (at_ == 0 && !box->is("ftyp")))
      return taken(at_ == 0 ? "the clip is no MP4" : "the clip's boxes do not end where it does");
    if (box->size == 0)
      return taken("the clip's last box reaches to the end of the file, wherever that is");
    if (box->size > size - at_)
      return taken("the clip's boxes do not end where it does");
    std::array<char, 16> userType{};
    if (box->is("uuid") && wish_ != Mark::Force &&
        clip.read(at_ + box->head, userType.data(), userType.size()).value_or(0) == userType.size()) {
      const std::string_view user(userType.data(), userType.size());
      if (user == c2paUserType)
        return taken("the clip is signed with C2PA, whose hash is of the whole file");
      if (user == xmpUserType)
        return taken("the clip has XMP of its own");
    }
    if (!inFragments_ && box->is("moof") && size >= indexTail) {
      // the end tells by itself whether there is an index, which is soon there
      if (!isThere(clip, size - indexTail, size))
        return verdict_;
      const auto tail = isoBoxAt(clip, size - indexTail);
      inFragments_ = true;
      endsInIndex_ = tail && tail->is("mfro");
    }
    at_ += box->size;
  }
  return verdict_;
}

} // namespace aimlvideo
