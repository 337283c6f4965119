// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include <json-glib/json-glib.h>

#include "base/glib_ptr.h"

namespace aimlvideo {

/// What a refresh found beyond the compiled-in catalogue: models, and parameters and other names of known models. It
/// was read from a file that anything may have happened to, so nothing in it is taken over that was not looked at: it
/// holds facts that checks are made by, and no path, rule or limit.
struct Overlay {
  std::map<std::string, GRefPtr<JsonNode>, std::less<>> models; ///< by id, in the form of the catalogue
  std::map<std::string, std::string, std::less<>> aliases;      ///< name -> id
  std::set<std::string, std::less<>> listed; ///< all names in the service's list; empty: it is not known
  std::string problem;                       ///< a sentence: why it is ignored, in whole or in part; empty: it is not

  bool empty() const { return models.empty(); }
};

/// The text of an overlay. An empty text holds nothing.
Overlay parseOverlay(std::string_view text);

/// `$XDG_CACHE_HOME/aimlvideo/models.json`
std::string overlayFile();

/// The overlay of this user. Where there is no file there is none, and no problem.
Overlay loadOverlay(const std::string &path);

/// A known model's facts with the names and parameters that an overlay adds to them. What was known stays as it is, and
/// what it is sent for the inputs that all models share: no parameter is added that another one stands for already, and
/// none that would have to be given.
GRefPtr<JsonNode> withAdditions(JsonObject *known, JsonObject *addition);

/// Whether a text has the form of a model's id.
bool isModelName(std::string_view name);

} // namespace aimlvideo
