// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <json-glib/json-glib.h>

#include "api/catalogue.h"
#include "api/media.h"
#include "api/request.h"

namespace aimlvideo {

/// The property that sets a parameter of this name, where models have several names for it; empty: none does.
std::string propertyFor(std::string_view parameter);

/// Puts inputs into a body under the model's own names.
class BodyWriter {
public:
  /// `parameters` is what the model knows; null: nobody knows, and the most common names are taken.
  BodyWriter(JsonObject *body, const std::vector<Parameter> *parameters) : body_(body), parameters_(parameters) {}

  /// The parameters that are given by name. To be called before the others.
  void addParameters(JsonObject *parameters, const std::map<std::string, Media> &media);
  /// What a property of this name asks for.
  void add(const std::string &property, const InputValue &value);
  /// The body as it is sent, with the contents of media, which the object has stand-ins for: every copy of them may
  /// take 67 MB. The media have to be there still.
  std::string written() const;

  std::vector<std::string> faults;
  std::map<std::string, std::string> identities; ///< of media, by place in the body

private:
  void addMedia(const std::string &property, const Media &media);
  /// Takes the node over.
  void addNode(const std::string &property, JsonNode *value);
  std::string standInFor(const Media &media);
  JsonNode *copyWith(const std::map<std::string, Media> &media, JsonNode *node, const std::string &place);
  std::string placeFor(const std::string &property) const;
  const Parameter *parameter(std::string_view name) const;
  bool isGiven(const std::string &name) const;

  JsonObject *body_;
  const std::vector<Parameter> *parameters_;
  std::vector<std::string> given_;                      ///< names that addParameters() has set
  std::map<std::string, const std::string *> contents_; ///< by what stands for them
};

} // namespace aimlvideo
