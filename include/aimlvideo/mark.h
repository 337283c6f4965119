// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <aimlvideo/export.h>

namespace aimlvideo {

// What a file says of the model that made it: a mark is an XMP packet, in UTF-8, with properties of IPTC and Dublin
// Core. All functions may be called from any thread.

/// Of a clip that a model has made of words alone: IPTC's digital source type,
/// https://cv.iptc.org/newscodes/digitalsourcetype/
constexpr auto generatedMedia = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";
/// The same for one that it has made of somebody's picture, video or sound.
constexpr auto generatedFromMedia =
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia";

/// Any may be empty, which says nothing.
struct AIMLVIDEO_API MarkFacts {
  std::string sourceType;   ///< of IPTC's digital source types, a URI
  std::string description;  ///< never the prompt, which is its author's to publish
  std::string system;       ///< vendor and id of the model
  std::string generationId; ///< at the service
  std::string created;      ///< when it was ordered: ISO 8601, as in 2026-11-27T20:00:00Z
  std::string tool;         ///< the program that has ordered it, with its version
  std::string prompt;
  std::string aigc; ///< the label of China's GB 45438-2025, a JSON object; services write it
};

/// What is no valid UTF-8, or no character of XML, is replaced. Empty: it can't be made.
AIMLVIDEO_API std::string markFrom(const MarkFacts &facts);

/// What a packet says, whoever wrote it; empty: it is no XMP in UTF-8, or one of more than 256 KiB, 64 levels or 4000
/// elements and attributes.
AIMLVIDEO_API std::optional<MarkFacts> factsIn(const std::string &mark);

/// The last word of a source type: `trainedAlgorithmicMedia`.
AIMLVIDEO_API std::string sourceTypeName(const std::string &sourceType);

/// Whether a source type is that of something a model had a part in.
AIMLVIDEO_API bool isGenerated(const std::string &sourceType);

/// The facts of something that was made of several clips; those that differ are joined by a comma.
AIMLVIDEO_API MarkFacts together(const std::vector<MarkFacts> &parts);

/// The same in one line, for where there is no place for XMP, such as a comment:
/// `AI generated; digitalSourceType=http://...; system=...; generation=...`.
AIMLVIDEO_API std::string markLine(const MarkFacts &facts);
/// What such a line says; empty: it is none.
AIMLVIDEO_API std::optional<MarkFacts> factsInLine(const std::string &line);

/// A mark as a box of an ISO media file, to follow the last one or to stand before an index at the end (`mfra`).
AIMLVIDEO_API std::string markBox(const std::string &mark);

/// A mark as a segment of a JPEG file; without the prompt where it would be too large. Empty: it is too large without.
AIMLVIDEO_API std::string markSegment(const std::string &mark);
/// Where such a segment belongs in a JPEG: behind its first header. 0: this is no JPEG, or one with XMP of its own.
AIMLVIDEO_API size_t markOffset(const void *jpeg, size_t size);

} // namespace aimlvideo
