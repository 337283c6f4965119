// SPDX-License-Identifier: LGPL-2.1-or-later
// The first bytes of a clip, and a clip of which one part has come: the first four bytes say where the hole begins and
// how long it is.
#include "clip/iso_media.h"

#include "fuzz.h"
#include "provenance/mark_place.h"

using namespace aimlvideo;
using namespace aimlvideo::fuzz;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t count) {
  std::string_view bytes = textOf(data, count);
  const auto hole = cutNumber<uint16_t>(bytes);
  const auto length = cutNumber<uint16_t>(bytes);
  if (looksLikeText(bytes))
    must_hold(bytes.substr(0, bytesThatTell).find('\0') == std::string_view::npos);

  static const auto spool = *SpoolFile::create("");
  must_hold(spool->clear().value_or(false));
  const std::string_view start = bytes.substr(0, hole);
  const std::string_view rest = bytes.substr(start.size());
  must_hold(start.empty() || spool->write(0, start.data(), start.size()).value_or(false));
  must_hold(rest.empty() || spool->write(start.size() + length, rest.data(), rest.size()).value_or(false));

  const bool begins = beginsWithMovie(*spool);
  must_hold(!begins || bytes.find("moov") != std::string_view::npos);
  for (const uint64_t end : {start.size() + length + rest.size(), start.size(), size_t{0}}) {
    const auto finding = wholenessOf(*spool, end);
    must_hold((finding.wholeness == Wholeness::Cut) == !finding.why.empty());
  }
  const uint64_t size = start.size() + length + rest.size();
  for (const Mark wish : {Mark::Auto, Mark::Force}) {
    MarkPlace place(wish);
    const auto verdict = place.look(*spool, size);
    must_hold((verdict == MarkPlace::Verdict::Taken) == !place.why().empty());
    must_hold(verdict != MarkPlace::Verdict::Unclear || place.missing() < size);
    must_hold(place.look(*spool, size) == verdict);
  }
  return 0;
}
