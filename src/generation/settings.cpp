// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/settings.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "api/endpoint.h"
#include "api/media.h"
#include "generation/api_key.h"
#include "generation/text_file.h"
#include "image/image_reference.h"
#include "image/media_reference.h"

namespace aimlvideo {

namespace {

/// Headers that decide what a request means, which is not for the user of `extra-headers` to say.
constexpr std::array reservedHeaders{"Authorization",  "X-Client-Request-Id", "Host",
                                     "Content-Length", "Content-Type",        "Transfer-Encoding"};

std::string withoutFinalNewlines(std::string text) {
  while (text.ends_with('\n') || text.ends_with('\r'))
    text.pop_back();
  return text;
}

/// The text is not quoted: it may hold a password.
Result<void> checkProxy(const std::string &proxy) {
  if (proxy.empty() || g_uri_is_valid(proxy.c_str(), G_URI_FLAGS_NONE, nullptr))
    return {};
  return failure(ErrorKind::BadRequest, "proxy can't be used", "it is no URI",
                 "Write it as http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT with percent signs for what a URI "
                 "can't hold");
}

Result<void> checkHeaders(const Headers &headers) {
  for (const auto &[name, value] : headers) {
    const std::string what = "extra-headers: \"" + name + "\" can't be sent";
    const auto isToken = [](unsigned char c) {
      return g_ascii_isalnum(c) || std::strchr("!#$%&'*+-.^_`|~", c);
    };
    if (name.empty() || !std::all_of(name.begin(), name.end(), isToken))
      return failure(ErrorKind::BadRequest, what, "it is no name for a header", "Use letters, digits and dashes");
    if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
      return failure(ErrorKind::BadRequest, what, "its value holds a line break", "Remove it");
    for (const char *reserved : reservedHeaders)
      if (g_ascii_strcasecmp(name.c_str(), reserved) == 0)
        return failure(ErrorKind::BadRequest, what, "this header is set by the element itself",
                       "For the key use api-key, api-key-file or $AIMLAPI_KEY");
  }
  return {};
}

enum class Files { Read, Leave };

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
                 property + " names a local file, which an aimlvideo:// URI alone may not have read",
                 "anyone can write a URI into a playlist; and since the file is part of the request, a clip that was "
                 "bought with it can't be found without reading it either",
                 "Nothing was read and nothing was bought. " + howToAllow(settings));
}

/// Fills in images and the files that the parameters name.
class MediaGatherer {
public:
  MediaGatherer(Gathered &gathered, const Settings &settings, Files files, bool mayRead)
      : gathered_(gathered), settings_(settings), files_(files), mayRead_(mayRead) {}

  Result<void> gather() {
    Inputs &inputs = gathered_.inputs;
    // which model it is depends on whether there is an image, and the limits of the image on the model
    if (settings_.imageSource || !settings_.image.empty())
      inputs.image.carried = unreadFile;
    const Model *model = Catalogue::instance().find(chosenModel(inputs));
    if (model)
      limits_ = &model->imageLimits;
    if (const auto taken = take(inputs.image, firstFrame()); !taken)
      return taken;
    if (const auto taken = take(inputs.tailImage, reference(settings_.tailImage, "tail-image")); !taken)
      return taken;
    const auto *known = model ? &model->parametersOn(inputs.family) : nullptr;
    for (const MediaPlace &place : mediaPlacesIn(inputs.parameters.get(), known)) {
      if (!mayRead_)
        return unreadableForUri(place.place, settings_);
      if (files_ == Files::Read && !place.documented && !namesFile(place.text))
        continue;
      auto media = files_ == Files::Leave ? Result<Media>(Media{unreadFile, ""})
                                          : resolveMedia(place, *limits_, &gathered_.notes);
      if (const auto taken = take(inputs.media[place.place], std::move(media)); !taken)
        return taken;
    }
    return {};
  }

private:
  static bool namesFile(const std::string &text) {
    return text.starts_with("file:/") || g_file_test(text.c_str(), G_FILE_TEST_EXISTS);
  }

  static Result<void> take(Media &target, Result<Media> media) {
    if (!media)
      return tl::unexpected(std::move(media.error()));
    target = std::move(*media);
    return {};
  }

  Result<Media> firstFrame() {
    if (!settings_.imageSource)
      return reference(settings_.image, "image");
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

bool namesTextFile(const Settings &settings) {
  return !settings.promptFile.empty() || settings.parameters.starts_with('@');
}

Result<void> checkParametersFile(const Settings &settings, bool mayRead) {
  if (!mayRead && settings.parameters.starts_with('@'))
    return unreadableForUri("parameters", settings);
  return {};
}

Result<Gathered> gather(const Settings &settings, Files files, bool mayRead) {
  Gathered gathered;
  Inputs &inputs = gathered.inputs;
  inputs.family = settings.endpoint == EndpointChoice::Legacy ? EndpointFamily::Legacy : EndpointFamily::Universal;
  inputs.model = settings.model;
  inputs.prompt = settings.prompt;
  if (!settings.promptFile.empty()) {
    if (!settings.prompt.empty())
      return failure(ErrorKind::BadRequest, "prompt and prompt-file are both set", "only one of them can be sent",
                     "Unset one");
    auto text = readTextFile(settings.promptFile, "prompt-file");
    if (!text)
      return tl::unexpected(std::move(text.error()));
    inputs.prompt = withoutFinalNewlines(std::move(*text));
  }
  inputs.strict = settings.strict;
  inputs.negativePrompt = settings.negativePrompt;
  inputs.duration = settings.duration;
  inputs.aspectRatio = settings.aspectRatio;
  if (settings.cfgScale >= 0)
    inputs.cfgScale = settings.cfgScale;
  if (settings.generateAudio != GenerateAudio::Default)
    inputs.generateAudio = settings.generateAudio == GenerateAudio::Yes;
  if (!settings.parameters.empty()) {
    if (const auto allowed = checkParametersFile(settings, mayRead); !allowed)
      return tl::unexpected(allowed.error());
    Result<std::string> text = settings.parameters;
    if (settings.parameters.starts_with('@'))
      text = readTextFile(settings.parameters.substr(1), "parameters");
    if (!text)
      return tl::unexpected(std::move(text.error()));
    auto object = parseParameters(*text);
    if (!object)
      return tl::unexpected(std::move(object.error()));
    inputs.parameters = std::move(*object);
  }
  if (const auto media = MediaGatherer(gathered, settings, files, mayRead).gather(); !media)
    return tl::unexpected(media.error());
  return gathered;
}

Result<Request> requestOf(const Settings &settings, Files files, bool mayRead) {
  auto gathered = gather(settings, files, mayRead);
  if (!gathered)
    return tl::unexpected(std::move(gathered.error()));
  auto request = composeRequest(gathered->inputs);
  if (request)
    request->notes = std::move(gathered->notes);
  return request;
}

Result<void> fillWay(Plan &plan, const Settings &settings) {
  auto url = checkedBaseUrl(effectiveBaseUrl(settings));
  if (!url)
    return tl::unexpected(std::move(url.error()));
  plan.baseUrl = std::move(*url);
  const auto uri = adopt(g_uri_parse(plan.baseUrl.c_str(), G_URI_FLAGS_ENCODED, nullptr));
  plan.loopback = isLoopbackHost(g_uri_get_host(uri.get()));
  if (const auto proxy = checkProxy(settings.proxy); !proxy)
    return proxy;
  return checkHeaders(settings.extraHeaders);
}

/// Where requests go that name no base URL, and where the key belongs that is not named beside one.
std::string environmentsBaseUrl() {
  const char *text = g_getenv("AIMLAPI_BASE_URL");
  return text && *text ? text : defaultBaseUrl;
}

/// Whoever can set `base-url`, such as a project file of an editor, must not get the key that the user keeps for the
/// service: that goes to the environment's base URL only.
Result<void> checkKeyMayGo(const Settings &settings) {
  if (settings.baseUrl.empty() || !settings.apiKey.empty() || !settings.apiKeyFile.empty())
    return {};
  const std::string own = environmentsBaseUrl();
  if (normalizedBaseUrl(settings.baseUrl) == normalizedBaseUrl(own))
    return {};
  return failure(
      ErrorKind::NotAuthorized, "there is no API key for base-url \"" + settings.baseUrl + "\"",
      "a key from the environment, such as $AIMLAPI_KEY, or a credential goes to " + own + " only",
      "Set api-key or api-key-file beside base-url, or the environment variable AIMLAPI_BASE_URL instead of it");
}

Result<void> checkKeyIsThere(const Settings &settings) {
  if (auto may = checkKeyMayGo(settings); !may)
    return may;
  return checkKeyIsNamed(settings.apiKey, settings.apiKeyFile);
}

Result<void> fillKey(Plan &plan, const Settings &settings) {
  if (auto may = checkKeyMayGo(settings); !may)
    return may;
  auto found = findKey(settings.apiKey, settings.apiKeyFile);
  if (!found)
    return tl::unexpected(std::move(found.error()));
  plan.key = std::move(found->key);
  if (!found->warning.empty())
    plan.request.warnings.push_back(std::move(found->warning));
  return {};
}

} // namespace

std::string effectiveBaseUrl(const Settings &settings) {
  return settings.baseUrl.empty() ? environmentsBaseUrl() : settings.baseUrl;
}

Result<void> checkSettings(const Settings &settings) {
  if (const auto url = checkedBaseUrl(effectiveBaseUrl(settings)); !url)
    return tl::unexpected(url.error());
  if (const auto proxy = checkProxy(settings.proxy); !proxy)
    return proxy;
  if (const auto headers = checkHeaders(settings.extraHeaders); !headers)
    return headers;
  if (!settings.dryRun) {
    if (const auto there = checkKeyIsThere(settings); !there)
      return there;
  }
  const auto allowance = allowanceOf(settings);
  if (!allowance)
    return tl::unexpected(allowance.error());
  if (settings.fetchesOnly())
    return {};
  if (const auto allowed = checkParametersFile(settings, allowance->mayBuy); !allowed)
    return allowed;
  if (!namesTextFile(settings)) {
    if (const auto request = requestOf(settings, Files::Leave, allowance->mayBuy); !request)
      return tl::unexpected(request.error());
  }
  return {};
}

Result<Plan> prepareAccount(const Settings &settings) {
  Plan plan;
  if (const auto way = fillWay(plan, settings); !way)
    return tl::unexpected(way.error());
  if (const auto key = fillKey(plan, settings); !key)
    return tl::unexpected(key.error());
  return plan;
}

Result<Plan> prepare(const Settings &settings) {
  Plan plan;
  if (const auto way = fillWay(plan, settings); !way)
    return tl::unexpected(way.error());
  auto allowance = allowanceOf(settings);
  if (!allowance)
    return tl::unexpected(std::move(allowance.error()));
  plan.allowance = *allowance;
  if (!settings.fetchesOnly()) {
    auto request = requestOf(settings, Files::Read, plan.allowance.mayBuy);
    if (!request)
      return tl::unexpected(std::move(request.error()));
    plan.request = std::move(*request);
  } else {
    plan.request.model = settings.model;
    plan.request.known = Catalogue::instance().find(settings.model);
  }
  if (settings.dryRun)
    return plan; // nothing that it asks needs a key
  if (const auto key = fillKey(plan, settings); !key)
    return tl::unexpected(key.error());
  return plan;
}

} // namespace aimlvideo
