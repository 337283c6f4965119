// SPDX-License-Identifier: LGPL-2.1-or-later
#include "settings/request_from_settings.h"

#include <aimlvideo/field.h>

#include "api/media.h"
#include "media/image_reference.h"
#include "media/media_reference.h"
#include "settings/allowance.h"
#include "settings/text_file.h"

namespace aimlvideo {

namespace {

std::string withoutFinalNewlines(std::string text) {
  while (text.ends_with('\n') || text.ends_with('\r'))
    text.pop_back();
  return text;
}

/// Stands for the contents of a local file that was not read.
constexpr auto unreadFile = "data:,unread";

/// What the settings ask for, and what the user should hear of it.
struct Gathered {
  Inputs inputs;
  Notes notes;
};

/// A local file that a URI names. It takes a permission to read it, and without its contents nobody can tell whether
/// the clip is bought already.
Failure unreadableForUri(const std::string &property, const Settings &settings) {
  return failure(ErrorKind::BadRequest,
                 property + " names a local file, which an aimlvideo:// URI alone is not allowed to read",
                 "anyone can write a URI into a playlist; and since the file is part of the request, a clip that was "
                 "bought with it can't be found without reading it either",
                 "Nothing was read and nothing was bought. " + howToAllow(settings));
}

/// What a field asks for, as it is sent.
InputValue valueOf(const Settings &settings, const Field &field) {
  return std::visit(Overload{[&](const Choices &) -> InputValue {
                               const std::string word = textOf(settings, field);
                               if (word == "true" || word == "false")
                                 return word == "true";
                               return word;
                             },
                             [](Secret Settings::*) -> InputValue { return std::string(); }, // never sent
                             [&](std::string Settings::*member) -> InputValue { return settings.*member; },
                             [&](bool Settings::*member) -> InputValue { return settings.*member; },
                             [&](double Settings::*member) -> InputValue { return settings.*member; },
                             [&](auto member) -> InputValue {
                               return static_cast<int64_t>(settings.*member);
                             }},
                    field.member);
}

/// Fills in what the fields say, images and the files that the parameters name.
class MediaGatherer {
public:
  MediaGatherer(Gathered &gathered, const Settings &settings, Files files, bool mayRead)
      : gathered_(gathered), settings_(settings), files_(files), mayRead_(mayRead) {}

  Result<void> gather() {
    Inputs &inputs = gathered_.inputs;
    // which model it is depends on whether there is an image, and the limits of the image on the model
    const Model *model =
        Catalogue::instance().find(chosenModel(inputs.model, settings_.imageSource || !settings_.image.empty()));
    if (model)
      limits_ = &model->imageLimits;
    for (const Field &field : fields()) {
      if (!field.is(Field::SentToModel))
        continue;
      if (field.is(Field::IsMedium)) {
        auto media = mediumOf(field);
        if (!media)
          return tl::unexpected(std::move(media.error()));
        if (!media->empty())
          inputs.set(field.name, std::move(*media));
      } else if (isSet(settings_, field)) {
        inputs.set(field.name, valueOf(settings_, field));
      }
    }
    return gatherParameters(model);
  }

private:
  static bool namesFile(const std::string &text) {
    return text.starts_with("file:/") || g_file_test(text.c_str(), G_FILE_TEST_EXISTS);
  }

  Result<void> gatherParameters(const Model *model) {
    Inputs &inputs = gathered_.inputs;
    const auto *known = model ? &model->parametersOn(inputs.family) : nullptr;
    for (const MediaPlace &place : mediaPlacesIn(inputs.parameters.get(), known)) {
      if (!mayRead_)
        return unreadableForUri(place.place, settings_);
      if (files_ == Files::Read && !place.documented && !namesFile(place.text))
        continue;
      auto media = files_ == Files::Leave ? Result<Media>(Media{unreadFile, ""})
                                          : resolveMedia(place, *limits_, &gathered_.notes);
      if (!media)
        return tl::unexpected(std::move(media.error()));
      inputs.media[place.place] = std::move(*media);
    }
    return {};
  }

  Result<Media> mediumOf(const Field &field) {
    const bool isFirst = std::get<std::string Settings::*>(field.member) == &Settings::image;
    return isFirst && settings_.imageSource ? givenFrame() : reference(textOf(settings_, field), field.name);
  }

  Result<Media> givenFrame() {
    if (!settings_.image.empty())
      return failure(ErrorKind::BadRequest, "image and image-sample are both set", "only one of them can be sent",
                     "Unset one");
    if (files_ == Files::Leave)
      return Media{unreadFile, ""};
    auto given = settings_.imageSource();
    if (!given)
      return tl::unexpected(std::move(given.error()));
    return imageFromBytes(std::move(given->bytes), std::move(given->identity), "image-sample", *limits_,
                          &gathered_.notes);
  }

  Result<Media> reference(const std::string &text, const char *property) {
    if (!mayRead_ && isLocalFile(text))
      return unreadableForUri(property, settings_);
    if (!mayRead_ && isDataUri(text))
      return Media{text, ""}; // it is only looked up, which takes no decoder of images
    if (text.empty() || (files_ == Files::Leave && isLocalFile(text)))
      return Media{text.empty() ? "" : unreadFile, ""};
    return resolveImage(text, property, *limits_, &gathered_.notes);
  }

  static inline const ImageLimits noLimits_;

  Gathered &gathered_;
  const Settings &settings_;
  const Files files_;
  const bool mayRead_;
  const ImageLimits *limits_ = &noLimits_;
};

Result<void> gatherTexts(Settings &settings, Inputs &inputs, bool mayRead) {
  if (!settings.promptFile.empty()) {
    if (!settings.prompt.empty())
      return failure(ErrorKind::BadRequest, "prompt and prompt-file are both set", "only one of them can be sent",
                     "Unset one");
    auto text = readTextFile(settings.promptFile, "prompt-file");
    if (!text)
      return tl::unexpected(std::move(text.error()));
    settings.prompt = withoutFinalNewlines(std::move(*text));
  }
  if (settings.parameters.empty())
    return {};
  if (auto allowed = checkParametersFile(settings, mayRead); !allowed)
    return allowed;
  Result<std::string> text = settings.parameters;
  if (settings.parameters.starts_with('@'))
    text = readTextFile(settings.parameters.substr(1), "parameters");
  if (!text)
    return tl::unexpected(std::move(text.error()));
  auto object = parseParameters(*text);
  if (!object)
    return tl::unexpected(std::move(object.error()));
  inputs.parameters = std::move(*object);
  return {};
}

Result<Gathered> gather(Settings settings, Files files, bool mayRead) {
  Gathered gathered;
  Inputs &inputs = gathered.inputs;
  inputs.family = settings.endpoint == EndpointChoice::Legacy ? EndpointFamily::Legacy : EndpointFamily::Universal;
  inputs.model = settings.model;
  inputs.strict = settings.strict;
  if (const auto texts = gatherTexts(settings, inputs, mayRead); !texts)
    return tl::unexpected(texts.error());
  if (const auto media = MediaGatherer(gathered, settings, files, mayRead).gather(); !media)
    return tl::unexpected(media.error());
  return gathered;
}

} // namespace

bool namesTextFile(const Settings &settings) {
  return !settings.promptFile.empty() || settings.parameters.starts_with('@');
}

Result<void> checkParametersFile(const Settings &settings, bool mayRead) {
  if (!mayRead && settings.parameters.starts_with('@'))
    return unreadableForUri("parameters", settings);
  return {};
}

Result<Request> requestFrom(const Settings &settings, Files files, bool mayRead) {
  auto gathered = gather(settings, files, mayRead);
  if (!gathered)
    return tl::unexpected(std::move(gathered.error()));
  auto request = composeRequest(gathered->inputs);
  if (request)
    request->notes = std::move(gathered->notes);
  return request;
}

} // namespace aimlvideo
