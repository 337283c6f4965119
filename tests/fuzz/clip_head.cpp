// SPDX-License-Identifier: LGPL-2.1-or-later
// What a clip's host answers: the first line says what was asked for as `FIRST END`, the second is the status, the
// others are headers.
#include "clip/clip_head.h"

#include "fuzz.h"

using namespace aimlvideo;
using namespace aimlvideo::fuzz;

namespace {

ClipWanted wantedFrom(const std::string &line) {
  ClipWanted wanted;
  char *rest = nullptr;
  wanted.first = g_ascii_strtoull(line.c_str(), &rest, 10) & G_MAXINT64;
  const uint64_t end = g_ascii_strtoull(rest, nullptr, 10);
  if (end > wanted.first)
    wanted.end = end;
  return wanted;
}

void check(const ClipHead &part, const ClipWanted &wanted) {
  must_hold(part.first == (part.isPart ? wanted.first : 0));
  must_hold(!part.isPart || part.end > part.first);
  must_hold(!part.isPart || part.mayDoParts);
  must_hold(!part.total || part.end <= *part.total);
  must_hold(part.end == UINT64_MAX || part.end <= uint64_t{1} << 63);
  must_hold(part.validator.empty() || part.validator.front() == '"');
  const std::string &hex = part.checksum.hex;
  must_hold(hex.empty() || hex.size() == (part.checksum.type == G_CHECKSUM_MD5 ? 32 : 64));
  must_hold(hex.find_first_not_of("0123456789abcdef") == std::string::npos);
}

} // namespace

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string_view text = textOf(data, size);
  const ClipWanted wanted = wantedFrom(std::string(cutLine(text)));
  HttpResponse head;
  head.status = static_cast<unsigned>(g_ascii_strtoull(std::string(cutLine(text)).c_str(), nullptr, 10) % 1000);
  while (!text.empty()) {
    const std::string_view line = cutLine(text);
    const size_t colon = line.find(": ");
    // libsoup lets no other through
    if (colon != std::string_view::npos && line.find('\0') == std::string_view::npos &&
        line.find('\r') == std::string_view::npos)
      head.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
  }
  const auto part = readClipHead(head, wanted);
  if (part)
    check(*part, wanted);
  else
    must_hold(!part.error().cause.empty() && part.error().status == head.status);
  return 0;
}
