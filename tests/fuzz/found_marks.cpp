// SPDX-License-Identifier: LGPL-2.1-or-later
// A foreign file, of which is asked what it says of its origin, and a packet by itself.
#include "provenance/found_marks.h"

#include <aimlvideo/mark.h>

#include "clip/spool.h"
#include "fuzz.h"

using namespace aimlvideo;
using namespace aimlvideo::fuzz;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t count) {
  const std::string bytes(textOf(data, count));
  static const auto spool = *SpoolFile::create("");
  must_hold(spool->clear().value_or(false));
  must_hold(bytes.empty() || spool->write(0, bytes.data(), bytes.size()).value_or(false));
  must_hold(spool->setSize(bytes.size()).has_value());
  const FoundMarks found = marksIn(*spool);
  for (const std::string &packet : found.packets) {
    must_hold(packet.size() <= bytes.size());
    const auto facts = factsIn(packet);
    const std::string line = markLine(facts.value_or(MarkFacts()));
    must_hold(isOneLine(line) && factsInLine(line).has_value());
    if (facts)
      must_hold(factsIn(markFrom(*facts)).has_value());
  }
  factsInLine(bytes);
  const size_t offset = markOffset(bytes.data(), bytes.size());
  must_hold(offset <= bytes.size());
  return 0;
}
