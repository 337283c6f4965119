// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <json-glib/json-glib.h>

#include "api/catalogue.h"
#include "api/media.h"

namespace aimlvideo {

/// A property that every model shares, and where models want its value, the most common place first.
struct TypedInput {
  const char *property;
  /// `name`; `name[]`, a list of one; `name{}` or `name.member`, an object `{"type":"image","url":...}`.
  std::initializer_list<const char *> places; ///< constants; read by workers that are still running at exit
};

extern const TypedInput promptInput;
extern const TypedInput negativePromptInput;
extern const TypedInput imageInput;
extern const TypedInput tailImageInput;
extern const TypedInput durationInput;
extern const TypedInput aspectRatioInput;
extern const TypedInput cfgScaleInput;
extern const TypedInput generateAudioInput;

/// The property that sets a parameter of this name; empty: only `parameters` does.
std::string propertyFor(std::string_view parameter);

/// Puts inputs into a body under the model's own names.
class BodyWriter {
public:
  /// `parameters` is what the model knows; null: nobody knows, and the most common names are taken.
  BodyWriter(JsonObject *body, const std::vector<Parameter> *parameters) : body_(body), parameters_(parameters) {}

  /// The parameters that are given by name. To be called before the others.
  void addParameters(JsonObject *parameters, const std::map<std::string, Media> &media);
  void addText(const TypedInput &input, const std::string &text);
  void addMedia(const TypedInput &input, const Media &media);
  /// A number of seconds, which a few models want as a string.
  void addDuration(unsigned seconds);
  /// Takes the node over.
  void add(const TypedInput &input, JsonNode *value);
  /// The body as it is sent, with the contents of media, which the object has stand-ins for: every copy of them may
  /// take 67 MB. The media have to be there still.
  std::string written() const;

  std::vector<std::string> faults;
  std::map<std::string, std::string> identities; ///< of media, by place in the body

private:
  std::string standInFor(const Media &media);
  JsonNode *copyWith(const std::map<std::string, Media> &media, JsonNode *node, const std::string &place);
  const char *placeFor(const TypedInput &input) const;
  const Parameter *parameter(std::string_view name) const;
  bool isGiven(const std::string &name) const;

  JsonObject *body_;
  const std::vector<Parameter> *parameters_;
  std::vector<std::string> given_;                      ///< names that addParameters() has set
  std::map<std::string, const std::string *> contents_; ///< by what stands for them
};

} // namespace aimlvideo
