// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include <aimlvideo/catalogue.h>
#include <aimlvideo/error.h>
#include <aimlvideo/export.h>
#include <aimlvideo/settings.h>

namespace aimlvideo {

/// What a generation with some settings would ask for.
struct RequestPreview {
  std::string model;            ///< as it is sent
  const Model *known = nullptr; ///< its facts; null: the model is not in the catalogue
  std::string prompt;           ///< as it is sent
  /// What is sent, as one line of JSON in the one spelling that all equal requests share, with `sha256:...` in place
  /// of each local file.
  std::string json;
  std::string baseUrl;               ///< of the service
  std::string identity;              ///< what makes two requests the same purchase, see LedgerRow
  std::vector<std::string> notes;    ///< sentences about images that were changed before sending
  std::vector<std::string> warnings; ///< sentences for the user about a request that is sent anyway
};

/// Reads the files that the settings name, checks the request against the documentation of the model, and sends
/// nothing. It needs no key. May take a second or so for large images. BadRequest names every problem.
AIMLVIDEO_API Result<RequestPreview> previewRequest(Settings settings);

} // namespace aimlvideo
