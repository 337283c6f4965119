// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string_view>

namespace aimlvideo {

using namespace std::string_view_literals;

/// What the segment APP1 of a JPEG begins with that holds a packet: XMP specification, part 3, section on JPEG.
constexpr auto xmpSegmentName = "http://ns.adobe.com/xap/1.0/\0"sv;

// User types of boxes `uuid`.

/// An XMP packet: XMP specification, part 3, section on MPEG-4.
constexpr auto xmpUserType = "\xBE\x7A\xCF\xCB\x97\xA9\x42\xE8\x9C\x71\x99\x94\x91\xE3\xAF\xAC"sv;
/// A C2PA manifest: C2PA specification, appendix on BMFF.
constexpr auto c2paUserType = "\xD8\xFE\xC3\xD6\x1B\x0E\x48\x3C\x92\x97\x58\x28\x87\x7E\xC4\x81"sv;

} // namespace aimlvideo
