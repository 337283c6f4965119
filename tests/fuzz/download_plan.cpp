// SPDX-License-Identifier: LGPL-2.1-or-later
// A download whose readers and whose host do what the bytes say: every request is for bytes of the clip that are not
// there, a reader is served, and the download ends.
#include "clip/download_plan.h"

#include <algorithm>

#include "fuzz.h"

using namespace aimlvideo;
using namespace aimlvideo::fuzz;

namespace {

class Download {
public:
  explicit Download(std::string_view bytes) : script_(bytes) {
    size_ = 1 + cutNumber<uint32_t>(script_) % (8U << 20);
    const auto manners = cutNumber<uint8_t>(script_);
    now_.size = size_;
    now_.parts = manners & 1;
    now_.jumps = manners & 2;
    now_.near = manners & 4 ? 128 * 1024 : 4096 * (manners >> 4);
  }

  void run() {
    while (!script_.empty()) {
      demand();
      for (int steps = 0; now_.demand && !served(); ++steps) {
        must_hold(steps < 4096);
        must_hold(step());
      }
      now_.demand.reset();
      drop();
    }
    for (int steps = 0; step(); ++steps)
      must_hold(steps < 8192);
    must_hold(present_.contains(0, size_));
  }

private:
  void demand() {
    const auto offset = cutNumber<uint32_t>(script_) % (size_ + size_ / 8 + 1);
    const auto length = 1 + cutNumber<uint32_t>(script_) % (1U << 20);
    const auto amount = cutNumber<uint8_t>(script_) & 1 ? Spool::Amount::Any : Spool::Amount::Whole;
    now_.lastAsked = offset;
    now_.demand = Spool::Demand{offset, length, amount};
  }

  /// Connections break.
  void drop() {
    const auto what = cutNumber<uint8_t>(script_);
    if ((what & 7) == 1)
      now_.head.reset();
    if ((what & 7) == 2)
      now_.jump.reset();
    now_.jumps = what & 8;
  }

  bool served() const {
    const Spool::Demand &demand = *now_.demand;
    if (demand.offset >= size_)
      return true;
    const uint64_t end = std::min(size_, demand.offset + demand.length);
    const uint64_t wanted = demand.amount == Spool::Amount::Any ? demand.offset + 1 : end;
    return present_.presentUntil(demand.offset) >= wanted;
  }

  bool step() {
    const Step next = nextStep(present_, now_);
    if (next.kind == Step::Kind::OpenHead || next.kind == Step::Kind::OpenJump) {
      must_hold(next.first < next.end && next.end <= size_);
      must_hold(!present_.contains(next.first, next.first + 1));
      if (next.kind == Step::Kind::OpenHead)
        now_.head = Line{next.first, next.end};
      else
        now_.jump = Line{next.first, next.end};
      if (next.kind == Step::Kind::OpenJump)
        now_.lastJumpEnd = next.end;
      return true;
    }
    if (next.kind == Step::Kind::Done)
      return false;
    auto &line = next.kind == Step::Kind::ReadHead ? now_.head : now_.jump;
    must_hold(line.has_value());
    const uint64_t end = std::min(line->end, line->position + 64 * 1024);
    must_hold(end > line->position);
    present_.add(line->position, end);
    line->position = end;
    if (line->position == line->end)
      line.reset();
    return true;
  }

  std::string_view script_;
  PresentRanges present_;
  Situation now_;
  uint64_t size_ = 0;
};

} // namespace

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Download(textOf(data, size)).run();
  return 0;
}
