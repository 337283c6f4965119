// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace aimlvideo {

/// What a mark says of a clip that a model has made. All texts may be empty, which says nothing.
struct MarkFacts {
  bool fromPicture = false; ///< a picture was given that the model has animated
  std::string model;        ///< its id
  std::string vendor;       ///< of the model
  std::string generationId;
  std::string created; ///< when it was ordered: ISO 8601, as in 2026-11-27T20:00:00Z
  std::string tool;    ///< the program that has ordered it, with its version
  std::string prompt;
};

/// An XMP packet with IPTC's DigitalSourceType, in UTF-8. What is no valid UTF-8, or no character of XML, is replaced.
/// Empty: it can't be made.
std::string markFrom(const MarkFacts &facts);

/// The packet as a box of an ISO media file, to follow the last one of a clip.
std::string markBox(const std::string &packet);

} // namespace aimlvideo
