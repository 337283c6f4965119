// SPDX-License-Identifier: LGPL-2.1-or-later
#include "request_options.h"

#include "config.h"
#include "output.h"

namespace aimlvideo::cli {

void ServiceOptions::addTo(Options &options) {
  const GOptionEntry entries[] = {
      {"base-url", 0, 0, G_OPTION_ARG_STRING, baseUrl_.slot(), "address of the service", "URL"},
      {"api-key-file", 0, 0, G_OPTION_ARG_FILENAME, keyFile_.slot(), "file with the API key in its first line", "FILE"},
      {"proxy", 0, 0, G_OPTION_ARG_STRING, proxy_.slot(), "proxy to use", "URL"},
      {},
  };
  options.add(entries);
}

void ServiceOptions::fill(Settings &settings) const {
  settings.baseUrl = baseUrl_.text();
  trustTypedBaseUrl(settings.baseUrl);
  settings.apiKeyFile = keyFile_.text();
  settings.proxy = proxy_.text();
  settings.userAgent = PACKAGE "/" PACKAGE_VERSION;
}

void RequestOptions::addTo(Options &options) {
  const GOptionEntry entries[] = {
      {"model", 'm', 0, G_OPTION_ARG_STRING, model_.slot(), "id of the model", "ID"},
      {"prompt", 'p', 0, G_OPTION_ARG_STRING, prompt_.slot(), "what should happen in the clip", "TEXT"},
      {"prompt-file", 0, 0, G_OPTION_ARG_FILENAME, promptFile_.slot(), "file with the prompt", "FILE"},
      {"negative-prompt", 0, 0, G_OPTION_ARG_STRING, negativePrompt_.slot(), "what to keep out of it", "TEXT"},
      {"image", 'i', 0, G_OPTION_ARG_STRING, image_.slot(), "first frame: path or URI", "IMAGE"},
      {"tail-image", 0, 0, G_OPTION_ARG_STRING, tailImage_.slot(), "last frame: path or URI", "IMAGE"},
      {"duration", 'd', 0, G_OPTION_ARG_INT, &duration_, "length of the clip", "SECONDS"},
      {"aspect-ratio", 0, 0, G_OPTION_ARG_STRING, aspectRatio_.slot(), "shape of the frame", "W:H"},
      {"cfg-scale", 0, 0, G_OPTION_ARG_STRING, cfgScale_.slot(), "how strictly to follow the prompt", "NUMBER"},
      {"generate-audio", 0, 0, G_OPTION_ARG_STRING, generateAudio_.slot(), "whether to make sound too", "true|false"},
      {"parameters", 0, 0, G_OPTION_ARG_STRING, parameters_.slot(), "other parameters of the model", "JSON|@FILE"},
      {"strict", 0, 0, G_OPTION_ARG_NONE, &strict_, "refuse parameters that the documentation does not have", nullptr},
      {"endpoint", 0, 0, G_OPTION_ARG_STRING, endpoint_.slot(), "paths to use", "auto|universal|legacy"},
      {},
  };
  options.add(entries);
}

bool RequestOptions::fill(Settings &settings) const {
  const auto refuse = [](const std::string &what) {
    printUsageError(what);
    return false;
  };
  settings.model = model_.text();
  settings.prompt = prompt_.text();
  settings.promptFile = promptFile_.text();
  settings.negativePrompt = negativePrompt_.text();
  settings.image = image_.text();
  settings.tailImage = tailImage_.text();
  settings.aspectRatio = aspectRatio_.text();
  settings.parameters = parameters_.text();
  settings.strict = strict_;
  if (duration_ < 0)
    return refuse("--duration must not be negative");
  settings.duration = static_cast<unsigned>(duration_);
  if (cfgScale_.given()) {
    char *end = nullptr;
    const std::string text = cfgScale_.text();
    settings.cfgScale = g_ascii_strtod(text.c_str(), &end);
    if (text.empty() || *end || settings.cfgScale < 0)
      return refuse("--cfg-scale must be a number, at least 0");
  }
  if (const std::string audio = generateAudio_.text(); audio == "true" || audio == "false")
    settings.generateAudio = audio == "true" ? GenerateAudio::Yes : GenerateAudio::No;
  else if (!audio.empty() && audio != "default")
    return refuse("--generate-audio must be true or false");
  if (const std::string endpoint = endpoint_.text(); endpoint == "universal")
    settings.endpoint = EndpointChoice::Universal;
  else if (endpoint == "legacy")
    settings.endpoint = EndpointChoice::Legacy;
  else if (!endpoint.empty() && endpoint != "auto")
    return refuse("--endpoint must be auto, universal or legacy");
  return true;
}

} // namespace aimlvideo::cli
