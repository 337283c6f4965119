// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include <aimlvideo/spool.h>

namespace aimlvideo {

/// What a file carries that says where it comes from.
struct FoundMarks {
  std::vector<std::string> packets; ///< XMP, as they stand in the file; the last few
  bool isSigned = false;            ///< there is a C2PA manifest; whether it is valid is not looked at
  std::string aigc;                 ///< the label of GB 45438-2025, a JSON object
};

/// Of a complete MP4, QuickTime, JPEG, PNG or WebP file, or a file that is an XMP packet; nothing of any other. Reads
/// the heads of boxes and what is named above, and gives up where that is larger than any is.
FoundMarks marksIn(const Spool &file);

} // namespace aimlvideo
