// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

#include <aimlvideo/error.h>
#include <aimlvideo/mark.h>

namespace aimlvideo::cli {

/// What a file says of where it comes from.
struct Provenance {
  std::optional<MarkFacts> facts; ///< of the place that says most
  std::string place;              ///< where that is: `XMP`, `tags`, `playlist`
  std::string packet;             ///< XMP that says it, as it stands in the file; empty: none does
  bool isSigned = false;          ///< there is a C2PA manifest
  std::string aigc;               ///< the label of GB 45438-2025

  /// Whether it says that a model had a part in it.
  bool isMarked() const { return (facts && isGenerated(facts->sourceType)) || aigc.find("\"Label\"") != aigc.npos; }
};

/// Of a video, a picture, an .xmp file or the folder of a stream. From any thread; may take as long as it takes to open
/// a video.
Result<Provenance> provenanceOf(const std::string &path);

} // namespace aimlvideo::cli
