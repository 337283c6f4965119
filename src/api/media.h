// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <json-glib/json-glib.h>

#include "api/catalogue.h"

namespace aimlvideo {

/// An image, a video or a sound as a request carries it.
struct Media {
  std::string carried;  ///< http(s) URL or data URI; empty: there is none
  std::string identity; ///< what stands for it in the request's identity; empty: identityOfCarried()

  bool empty() const { return carried.empty(); }
};

enum class MediaKind { Image, Video, Audio, Any };

/// A text in the parameters that may name a local file.
struct MediaPlace {
  std::string place; ///< such as `elements[0].frontal_image_url`
  std::string text;
  MediaKind kind = MediaKind::Any;
  /// Whether the model's documentation says that this is a medium. Otherwise a text that names no file may be right.
  bool documented = false;
};

/// The places in `parameters` that may name a local file: those that hold media by the model's documentation or by
/// their names, except web addresses and data URIs, and every `file:` URI where the documentation says nothing. `known`
/// may be null.
std::vector<MediaPlace> mediaPlacesIn(JsonObject *parameters, const std::vector<Parameter> *known);

/// Whether a body may carry the text for a medium: an http(s) address with a host, or a data URI that holds something.
bool isMediaUri(std::string_view text);

/// The bytes of a data URI in base64: either alphabet, with or without padding, percent-encoded or not, as readers of
/// such URIs differ. Empty: it is in no base64, or in a broken one.
std::optional<std::string> base64In(std::string_view uri);

bool isWebAddress(std::string_view text);
bool isDataUri(std::string_view text);

} // namespace aimlvideo
