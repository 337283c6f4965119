// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <aimlvideo/error.h>

#include "api/catalogue.h"
#include "api/endpoint.h"
#include "api/media.h"
#include "base/glib_ptr.h"

namespace aimlvideo {

/// What a property asks for: a text, a number, a truth value or a medium.
using InputValue = std::variant<std::string, int64_t, double, bool, Media>;

/// What is to be made, in the words that every model shares.
struct Inputs {
  std::string model;                                      ///< id or alias; empty: the flagship for these inputs
  std::vector<std::pair<std::string, InputValue>> values; ///< by the name of the property, in the order in the body
  GRefPtr<JsonObject> parameters;                         ///< any other parameter of the model by its own name
  /// What to send instead of the text at a place inside `parameters`, such as `elements[0].frontal_image_url`.
  std::map<std::string, Media> media;
  EndpointFamily family = EndpointFamily::Universal; ///< whose parameters to check against
  bool strict = false;                               ///< refuse parameters that the documentation does not have

  /// Says it in the place of what was said of it before.
  void set(const std::string &property, InputValue value);
  void unset(std::string_view property);
  /// Null: nothing is said of it.
  const InputValue *find(std::string_view property) const;
};

/// A checked request, ready to be sent.
struct Request {
  std::string model;            ///< as the body names it
  const Model *known = nullptr; ///< its facts; null: the catalogue does not know the model
  std::string prompt;           ///< as the body holds it
  std::string body;             ///< JSON
  /// What the body says, in the one spelling that all equal bodies share and with `sha256:...` of the original bytes in
  /// the place of each local file and data URI. http(s) addresses stay as they are. See canonicalJson().
  std::string canonical;
  bool withMedia = false;            ///< a picture, video or sound of the user's goes with it
  std::vector<std::string> notes;    ///< sentences about media that were changed on their way
  std::vector<std::string> warnings; ///< sentences for the user about a request that is sent anyway
};

/// The model that is asked for: the one that is named, else the flagship.
std::string chosenModel(const std::string &named, bool withImage);

/// Translates the inputs into the model's own parameters and checks them. Pure; safe to call from any thread.
/// BadRequest names every problem.
Result<Request> composeRequest(const Inputs &inputs);

/// The JSON object in the text of the property `parameters`.
Result<GRefPtr<JsonObject>> parseParameters(std::string_view text);

} // namespace aimlvideo
