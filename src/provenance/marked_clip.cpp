// SPDX-License-Identifier: LGPL-2.1-or-later
#include "provenance/marked_clip.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace aimlvideo {

/// Nothing while it is undecided.
std::optional<MarkedClip::End> MarkedClip::end() const {
  const auto size = clip_->size();
  if (!size)
    return {};
  const Lock lock(mutex_);
  if (std::exchange(placeSize_, *size) != *size)
    place_ = MarkPlace(wish_);
  switch (place_.look(*clip_, *size)) {
  case MarkPlace::Verdict::Unclear:
    return {};
  case MarkPlace::Verdict::Free:
    return End{*size, *size + box_.size()};
  case MarkPlace::Verdict::Taken:
    break;
  }
  return End{*size, *size};
}

std::optional<uint64_t> MarkedClip::size() const {
  const auto known = end();
  return known ? std::optional(known->all) : std::nullopt;
}

std::string MarkedClip::unmarked() const {
  (void)end();
  const Lock lock(mutex_);
  return place_.why();
}

uint64_t MarkedClip::presentUntil(uint64_t offset) const {
  const auto known = end();
  const uint64_t present = clip_->presentUntil(offset);
  return known && present >= known->clip ? std::max(offset, known->all) : present;
}

/// The header that has to be there before a demand can be met; nothing where it can.
std::optional<Spool::Demand> MarkedClip::headerFor(const Demand &demand) const {
  const auto size = clip_->size();
  if (!size || end())
    return {};
  const Lock lock(mutex_);
  if (place_.amongFragments() && demand.offset < *size)
    return {};
  return Demand{place_.missing(), std::min(MarkPlace::headBytes, *size - place_.missing()), Amount::Whole};
}

Spool::Arrival MarkedClip::await(const Demand &demand, const std::function<bool()> &stop) {
  for (;;) {
    if (const auto header = headerFor(demand)) {
      if (const Arrival arrival = clip_->await(*header, stop); arrival.kind == Arrival::Kind::Stopped)
        return arrival;
      continue;
    }
    const auto known = end();
    if (known && demand.offset >= known->clip)
      return awaitMark(*known, demand, stop);
    const uint64_t limit = known ? known->clip - demand.offset : demand.length;
    const Arrival arrival = clip_->await({demand.offset, std::min(demand.length, limit), demand.amount}, stop);
    if (!known && arrival.kind != Arrival::Kind::Stopped && end())
      continue; // it ends here, or before all that was asked for, and the mark may follow
    const bool goesOn = known && arrival.kind == Arrival::Kind::There && arrival.size == limit && demand.length > limit;
    if (!goesOn || demand.amount == Amount::Any)
      return arrival;
    const Arrival behind = awaitMark(*known, {known->clip, demand.length - limit, Amount::Whole}, stop);
    return behind.kind == Arrival::Kind::Stopped ? behind : Arrival{arrival.kind, arrival.size + behind.size};
  }
}

/// Nothing can be said of what is behind the clip before it is sure where it ends.
Spool::Arrival MarkedClip::awaitMark(const End &end, const Demand &demand, const std::function<bool()> &stop) {
  const Arrival arrival = clip_->await({end.clip, 1, Amount::Any}, stop);
  if (arrival.kind != Arrival::Kind::End)
    return {arrival.kind, 0};
  if (demand.offset >= end.all)
    return arrival;
  return {Arrival::Kind::There, std::min(demand.length, end.all - demand.offset)};
}

Result<size_t> MarkedClip::read(uint64_t offset, void *buffer, size_t size) const {
  const auto known = end();
  if (!known || offset + size <= known->clip)
    return clip_->read(offset, buffer, size);
  size_t count = 0;
  if (offset < known->clip) {
    auto own = clip_->read(offset, buffer, static_cast<size_t>(known->clip - offset));
    if (!own || offset + *own < known->clip)
      return own;
    count = *own;
  }
  const uint64_t begin = offset + count - known->clip;
  const uint64_t room = known->all - known->clip;
  const auto more = static_cast<size_t>(begin < room ? std::min<uint64_t>(size - count, room - begin) : 0);
  std::memcpy(static_cast<char *>(buffer) + count, box_.data() + begin, more);
  return count + more;
}

} // namespace aimlvideo
