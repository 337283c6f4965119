// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <aimlvideo/error.h>
#include <aimlvideo/export.h>
#include <aimlvideo/settings.h>

namespace aimlvideo {

constexpr auto generationUriScheme = "aimlvideo";

/// What a URI says is to be made: `aimlvideo://MODEL?prompt=A%20cat&duration=5`. What it does not say is empty.
///
/// It says nothing else: no key, no address of a service, no file with a prompt. A member has the meaning of the
/// setting of its name, see Settings.
struct GenerationUri {
  std::string model; ///< host and path together, byte for byte; empty: the flagship for the inputs
  std::string prompt;
  std::string negativePrompt;
  std::string image;
  std::string tailImage;
  unsigned duration = 0;
  std::string aspectRatio;
  std::optional<double> cfgScale;
  std::optional<bool> generateAudio;
  std::string parameters;
  unsigned take = 0;

  bool operator==(const GenerationUri &) const = default;
};

/// Reads a URI. Values are percent-decoded, and `+` stays `+`. BadRequest says what is wrong and what is allowed; it
/// repeats nothing that may be a secret in the wrong place.
AIMLVIDEO_API Result<GenerationUri> parseGenerationUri(std::string_view uri);

/// The URI that reads as this, in one spelling: it needs no other quotes in a shell than single ones. The texts are
/// UTF-8 without control characters other than line breaks and tabs.
AIMLVIDEO_API std::string writeGenerationUri(const GenerationUri &wanted);

/// Makes the settings ask for what a URI asks for: what it does not say is unset, the way to the service stays. From
/// then on they count as a URI's, which buys nothing unless a cap on its cost is set.
AIMLVIDEO_API void takeOver(const GenerationUri &wanted, Settings &settings);

} // namespace aimlvideo
