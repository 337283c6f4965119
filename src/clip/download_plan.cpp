// SPDX-License-Identifier: LGPL-2.1-or-later
#include "clip/download_plan.h"

#include <algorithm>

namespace aimlvideo {

namespace {

constexpr uint64_t kibibyte = 1024;
/// A demuxer that reads here reads all of it: an index or a moov of a short clip.
constexpr uint64_t tailWindow = 32 * kibibyte;
/// A reader here wants the rest and then comes back, so the head keeps its place.
constexpr uint64_t tail = 256 * kibibyte;
constexpr uint64_t smallestJump = 64 * kibibyte;
/// A longer demand far away is played from there, not peeked at.
constexpr uint64_t longDemand = 256 * kibibyte;
constexpr uint64_t farAway = 1024 * kibibyte;
/// What is present is received again up to so much, rather than making another connection.
constexpr uint64_t worthSkipping = 1024 * kibibyte;

class Planner {
public:
  Planner(const PresentRanges &present, const Situation &now)
      : present_(present), now_(now), end_(now.size.value_or(UINT64_MAX)), selective_(now.parts && now.size) {}

  Step step() const {
    if (now_.size && present_.contains(0, *now_.size))
      return {};
    if (now_.demand && now_.demand->offset < end_) {
      const uint64_t wantedEnd = now_.demand->offset + std::min(now_.demand->length, end_ - now_.demand->offset);
      const uint64_t missing = present_.presentUntil(now_.demand->offset);
      if (missing < wantedEnd)
        return forReader(missing, wantedEnd);
    }
    return ahead();
  }

private:
  uint64_t runAfter(uint64_t missing) const { return std::min(present_.nextRun(missing).value_or(end_), end_); }
  Step openHead(uint64_t missing) const { return {Step::Kind::OpenHead, missing, runAfter(missing)}; }

  Step onlyHead() const { return now_.head ? Step{Step::Kind::ReadHead, 0, 0} : openHead(present_.presentUntil(0)); }

  Step forReader(uint64_t missing, uint64_t wantedEnd) const {
    if (now_.jump && now_.jump->position <= missing && missing < now_.jump->end)
      return {Step::Kind::ReadJump, 0, 0};
    const bool headComes = now_.head && now_.head->position <= missing && missing < now_.head->end;
    if (headComes && missing - now_.head->position <= now_.near)
      return {Step::Kind::ReadHead, 0, 0};
    if (!selective_)
      return onlyHead();
    if (!now_.head)
      return openHead(missing);
    if (!now_.jumps)
      return {Step::Kind::ReadHead, 0, 0};
    if (end_ - missing <= tail)
      return jumpToTail(missing);
    const bool distant = !headComes || missing - now_.head->position > farAway;
    const bool streams = now_.demand->amount == Spool::Amount::Any || missing == now_.lastJumpEnd;
    if (distant && (streams || wantedEnd - missing > longDemand))
      return openHead(missing);
    const uint64_t length = std::max({wantedEnd - missing, smallestJump, now_.near});
    return {Step::Kind::OpenJump, missing, std::min(runAfter(missing), missing + length)};
  }

  Step jumpToTail(uint64_t missing) const {
    uint64_t first = missing;
    if (end_ - missing <= tailWindow)
      first = present_.presentUntil(end_ - std::min(tailWindow, end_));
    // of a host that sends less than it was asked for, which does not reach what is missing
    if (now_.jump && now_.jump->position <= first && first < now_.jump->end)
      return {Step::Kind::ReadJump, 0, 0};
    // what the head has passed but not yet brought is not asked for twice
    return {Step::Kind::OpenJump, first, runAfter(missing)};
  }

  /// Nobody waits: what is open goes on, then the reader's place comes first.
  Step ahead() const {
    if (now_.jump)
      return {Step::Kind::ReadJump, 0, 0};
    if (!selective_)
      return onlyHead();
    if (now_.head) {
      const uint64_t run = present_.presentUntil(now_.head->position);
      if (run < now_.head->end && run - now_.head->position <= worthSkipping)
        return {Step::Kind::ReadHead, 0, 0};
    }
    const uint64_t missing = present_.presentUntil(std::min(now_.lastAsked, end_));
    return openHead(missing < end_ ? missing : present_.presentUntil(0));
  }

  const PresentRanges &present_;
  const Situation &now_;
  const uint64_t end_;
  const bool selective_;
};

} // namespace

Step nextStep(const PresentRanges &present, const Situation &now) {
  return Planner(present, now).step();
}

} // namespace aimlvideo
