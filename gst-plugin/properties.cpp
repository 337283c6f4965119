// SPDX-License-Identifier: LGPL-2.1-or-later
#include "properties.h"

#include <gio/gio.h>

#include <aimlvideo/glib_ptr.h>
#include <aimlvideo/settings.h>
#include <aimlvideo/status.h>

#include "config.h"
#include "image_sample.h"

namespace aimlvideo {

namespace {

constexpr auto configurable =
    static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
constexpr auto writeOnly =
    static_cast<GParamFlags>(G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
constexpr auto readOnly = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
constexpr auto environmental = static_cast<GParamFlags>(configurable | GST_PARAM_DOC_SHOW_DEFAULT);

constexpr auto defaultUserAgent = PACKAGE "/" PACKAGE_VERSION;
const ElementSettings &defaults() {
  static const auto *settings = new ElementSettings;
  return *settings;
}

template <size_t Size>
GType registerEnum(const char *name, const GEnumValue (&values)[Size]) {
  return g_enum_register_static(name, values);
}

std::string textOf(const GValue *value) {
  const char *text = g_value_get_string(value);
  return text ? text : "";
}

void setText(GValue *value, const std::string &text) {
  g_value_set_string(value, text.empty() ? nullptr : text.c_str());
}

/// A URI that may stand in a drawing of the pipeline.
std::string withoutUser(const std::string &text) {
  if (text.find('@') == std::string::npos)
    return text;
  // one that is none may hold a password all the same
  const auto uri = adopt(g_uri_parse(text.c_str(), G_URI_FLAGS_ENCODED, nullptr));
  const GCharPtr shown(uri ? g_uri_to_string_partial(uri.get(), G_URI_HIDE_USERINFO) : g_strdup("***"));
  return shown.get();
}

/// `extra-headers` as souphttpsrc has them: each field a string or a list of strings.
Headers headersFrom(const GstStructure *structure) {
  Headers headers;
  if (!structure)
    return headers;
  const auto add = [&](const char *name, const GValue *value) {
    GValue text = G_VALUE_INIT;
    g_value_init(&text, G_TYPE_STRING);
    if (g_value_transform(value, &text) && g_value_get_string(&text))
      headers.emplace_back(name, g_value_get_string(&text));
    g_value_unset(&text);
  };
  for (gint i = 0; i < gst_structure_n_fields(structure); ++i) {
    const char *name = gst_structure_nth_field_name(structure, static_cast<guint>(i));
    const GValue *value = gst_structure_get_value(structure, name);
    if (GST_VALUE_HOLDS_ARRAY(value)) {
      for (guint k = 0; k < gst_value_array_get_size(value); ++k)
        add(name, gst_value_array_get_value(value, k));
    } else if (GST_VALUE_HOLDS_LIST(value)) {
      for (guint k = 0; k < gst_value_list_get_size(value); ++k)
        add(name, gst_value_list_get_value(value, k));
    } else {
      add(name, value);
    }
  }
  return headers;
}

void install(GObjectClass *objectClass, Property property, GParamSpec *spec) {
  g_object_class_install_property(objectClass, static_cast<guint>(property), spec);
}

void installRequestProperties(GObjectClass *c) {
  install(
      c, Property::Prompt,
      g_param_spec_string("prompt", "Prompt", "What should happen in the clip (default: none)", nullptr, configurable));
  install(c, Property::NegativePrompt,
          g_param_spec_string("negative-prompt", "Negative prompt", "What to keep out of the clip (default: none)",
                              nullptr, configurable));
  install(c, Property::PromptFile,
          g_param_spec_string("prompt-file", "Prompt file",
                              "UTF-8 text file that holds the prompt, instead of the property prompt (default: none)",
                              nullptr, configurable));
  install(c, Property::Image,
          g_param_spec_string("image", "First frame",
                              "First frame of the clip: path, file:, http(s): or data: URI of a PNG, JPEG or WebP "
                              "image, at most 50 MB (default: none)",
                              nullptr, configurable));
  install(c, Property::ImageSample,
          g_param_spec_boxed("image-sample", "First frame as sample",
                             "First frame of the clip from the application, instead of image: a sample of image/jpeg, "
                             "image/png, image/webp or raw video; can't be read back (default: none)",
                             GST_TYPE_SAMPLE, writeOnly));
  install(c, Property::TailImage,
          g_param_spec_string("tail-image", "Last frame",
                              "Last frame of the clip, given like image, for models that take one (default: none)",
                              nullptr, configurable));
  install(c, Property::Model,
          g_param_spec_string("model", "Model",
                              "Id of the model; unset: klingai/video-v2-6-pro-image-to-video with an image, "
                              "klingai/video-v2-6-pro-text-to-video without",
                              nullptr, configurable));
  install(c, Property::Duration,
          g_param_spec_uint("duration", "Duration",
                            "Length of the clip in seconds, as far as the model lets choose; 0: the model's default", 0,
                            G_MAXINT, 0, configurable));
  install(c, Property::AspectRatio,
          g_param_spec_string("aspect-ratio", "Aspect ratio",
                              "Shape of the frame such as 16:9, 9:16 or 1:1, for models that take it; with an image "
                              "most follow the image (default: the model's)",
                              nullptr, configurable));
  install(c, Property::CfgScale,
          g_param_spec_double("cfg-scale", "CFG scale",
                              "How strictly to follow the prompt, 0 (loose) to 1 (strict) with most models; -1: the "
                              "model's default",
                              -1, 100, -1, configurable));
  install(c, Property::GenerateAudio,
          g_param_spec_enum("generate-audio", "Generate audio",
                            "Whether to make a sound track too, for models that can (this changes the price)",
                            generateAudioGetType(), static_cast<gint>(GenerateAudio::Default), configurable));
  install(c, Property::Parameters,
          g_param_spec_string("parameters", "Parameters",
                              "Any other parameters of the model: a JSON object, or @FILE with one in a file; what "
                              "another property sets must not be in it (default: none)",
                              nullptr, configurable));
  install(c, Property::Strict,
          g_param_spec_boolean("strict", "Strict",
                               "Refuse a parameter that the model's documentation does not have, which is otherwise "
                               "sent with a warning; a misspelt one is refused in any case",
                               FALSE, configurable));
}

void installServiceProperties(GObjectClass *c) {
  install(c, Property::ApiKey,
          g_param_spec_string("api-key", "API key",
                              "Key of the AI/ML API; can't be read back. Unset: api-key-file, else the environment's "
                              "AIMLAPI_KEY, AIMLAPI_API_KEY or AIML_API_KEY, else the systemd credential aimlapi-key",
                              nullptr, writeOnly));
  install(c, Property::ApiKeyFile,
          g_param_spec_string("api-key-file", "API key file", "File with the API key in its first line (default: none)",
                              nullptr, configurable));
  install(c, Property::BaseUrl,
          g_param_spec_string("base-url", "Base URL",
                              "Address of the service; https, or http on loopback. Unset: the environment's "
                              "AIMLAPI_BASE_URL, else https://api.aimlapi.com",
                              defaultBaseUrl, environmental));
  install(c, Property::Endpoint,
          g_param_spec_enum("endpoint", "Endpoint", "Which of the service's two families of paths to use",
                            endpointGetType(), static_cast<gint>(EndpointChoice::Auto), configurable));
  install(c, Property::Timeout,
          g_param_spec_uint("timeout", "Timeout",
                            "Longest time in seconds from the start, or from the end of the wait that max-in-flight "
                            "demands, to the complete clip; afterwards the generation "
                            "can still be fetched by its id",
                            1, 7 * 24 * 3600, defaults().timeout, configurable));
  install(c, Property::PollInterval,
          g_param_spec_uint("poll-interval", "Poll interval",
                            "Time in milliseconds between two questions for the state, at least 100; 0: adaptive, from "
                            "0.3 s at the start to 15 s",
                            0, G_MAXINT, 0, configurable));
  install(c, Property::MaxInFlight,
          g_param_spec_uint("max-in-flight", "Maximum in flight",
                            "Submit only while fewer generations than this are in flight, submitted and not yet "
                            "completed, in all elements of the process at this base-url; the others wait in line; 0: "
                            "no limit",
                            0, G_MAXUINT, defaults().maximumInFlight, configurable));
  install(c, Property::GenerationId,
          g_param_spec_string("generation-id", "Generation id",
                              "Fetch this generation, submit and buy nothing; with endpoint=auto both families of "
                              "paths are tried (default: none)",
                              nullptr, writeOnly));
}

void installPurchaseProperties(GObjectClass *c) {
  install(c, Property::Reuse,
          g_param_spec_enum("reuse", "Reuse",
                            "Which earlier purchases of the same request, of any process of this user, to go on with "
                            "instead of buying",
                            reuseGetType(), static_cast<gint>(Reuse::All), configurable));
  install(c, Property::Take,
          g_param_spec_uint("take", "Take",
                            "Number of the variation: the same request with another take is another purchase", 0,
                            G_MAXUINT, 0, configurable));
  install(c, Property::OnUnknown,
          g_param_spec_enum("on-unknown", "On unknown",
                            "What to do when it stays unknown whether the service accepted a submission, after looking "
                            "it up until timeout",
                            onUnknownGetType(), static_cast<gint>(OnUnknown::Fail), configurable));
  install(c, Property::OnLost,
          g_param_spec_enum("on-lost", "On lost",
                            "What to do when the service, asked over minutes with the key that bought it, no longer "
                            "knows what an earlier run had bought",
                            onLostGetType(), static_cast<gint>(OnLost::Fail), configurable));
  install(c, Property::StorePrompt,
          g_param_spec_boolean("store-prompt", "Store prompt",
                               "Keep the prompt in the ledger of purchases on this machine, for `aimlvideo jobs`",
                               FALSE, configurable));
}

void installPriceProperties(GObjectClass *c) {
  // GObject would only warn of what is no amount and leave the cap as it is, which is none: it reaches the element (any
  // negative number as -1), which then buys nothing
  install(c, Property::MaxCost,
          g_param_spec_double("max-cost", "Maximum cost",
                              "Buy nothing whose estimated price in USD is above this, or not known; 0: no cap; with "
                              "what is no amount, such as -1, nothing is bought at all",
                              -1, G_MAXDOUBLE, defaults().maximumCost,
                              static_cast<GParamFlags>(configurable | G_PARAM_LAX_VALIDATION)));
  install(c, Property::DryRun,
          g_param_spec_boolean("dry-run", "Dry run",
                               "Check the request, estimate its price, report both and end with EOS; buy nothing",
                               FALSE, configurable));
}

void installTransportProperties(GObjectClass *c) {
  install(c, Property::MaxClipSize,
          g_param_spec_uint64("max-clip-size", "Maximum clip size",
                              "Largest clip in bytes that is downloaded; a larger one is an error", 1, G_MAXINT64,
                              defaults().maximumClipSize, configurable));
  install(c, Property::TempDir,
          g_param_spec_string("temp-dir", "Temporary folder",
                              "Folder for the clip while it is played, as an unnamed file, where the clip store in "
                              "$XDG_CACHE_HOME can't be used; unset: /var/tmp",
                              nullptr, configurable));
  install(c, Property::PromptTag,
          g_param_spec_boolean("prompt-tag", "Prompt tag", "Send the prompt downstream as the title tag", FALSE,
                               configurable));
  install(c, Property::Proxy,
          g_param_spec_string("proxy", "Proxy",
                              "URI of the HTTP proxy, which reads back without user and password; unset: the "
                              "environment's https_proxy and no_proxy, else the system's",
                              nullptr, configurable));
  install(c, Property::TlsDatabase,
          g_param_spec_object("tls-database", "TLS database",
                              "Certificate authorities to trust instead of the system's (default: the system's)",
                              G_TYPE_TLS_DATABASE, configurable));
  install(c, Property::UserAgent,
          g_param_spec_string("user-agent", "User agent", "Value of the User-Agent header", defaultUserAgent,
                              environmental));
  install(c, Property::ExtraHeaders,
          g_param_spec_boxed("extra-headers", "Extra headers",
                             "Headers to add to requests to the service, never to the clip's host; can't be read back "
                             "(default: none)",
                             GST_TYPE_STRUCTURE, writeOnly));
}

void installReadOnlyProperties(GObjectClass *c) {
  install(c, Property::CurrentGenerationId,
          g_param_spec_string("current-generation-id", "Current generation id",
                              "Id of the generation that is waited for or played; unset before the service accepted it",
                              nullptr, readOnly));
  install(c, Property::Status,
          g_param_spec_enum("status", "Status", "What the generation is doing", statusGetType(),
                            static_cast<gint>(State::Idle), readOnly));
  install(c, Property::Statistics,
          g_param_spec_boxed("statistics", "Statistics",
                             "Times in nanoseconds, polls, retries, bytes, cost and whether the generation was reused",
                             GST_TYPE_STRUCTURE, readOnly));
}

} // namespace

ElementSettings::ElementSettings() {
  userAgent = defaultUserAgent;
}

GType endpointGetType() {
  static const GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<gint>(EndpointChoice::Auto),
         "Universal, and legacy where the service does not know the universal path", "auto"},
        {static_cast<gint>(EndpointChoice::Universal), "/v2/video/generations", "universal"},
        {static_cast<gint>(EndpointChoice::Legacy), "/v2/generate/video/VENDOR/generation", "legacy"},
        {0, nullptr, nullptr}};
    return registerEnum("GstAimlVideoSrcEndpoint", values);
  }();
  return type;
}

GType generateAudioGetType() {
  static const GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<gint>(GenerateAudio::No), "No sound track", "false"},
        {static_cast<gint>(GenerateAudio::Yes), "With a sound track", "true"},
        {static_cast<gint>(GenerateAudio::Default), "Not sent: the model's default", "default"},
        {0, nullptr, nullptr}};
    return registerEnum("GstAimlVideoSrcGenerateAudio", values);
  }();
  return type;
}

GType reuseGetType() {
  static const GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<gint>(Reuse::None), "None: buy anew", "none"},
        {static_cast<gint>(Reuse::Unfinished), "Go on with a generation that has not ended", "unfinished"},
        {static_cast<gint>(Reuse::All), "Replay a finished clip as well", "all"},
        {0, nullptr, nullptr}};
    return registerEnum("GstAimlVideoSrcReuse", values);
  }();
  return type;
}

GType onUnknownGetType() {
  static const GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<gint>(OnUnknown::Fail), "An error that says how to settle it", "fail"},
        {static_cast<gint>(OnUnknown::Resubmit), "Submit again, which may buy twice", "resubmit"},
        {0, nullptr, nullptr}};
    return registerEnum("GstAimlVideoSrcOnUnknown", values);
  }();
  return type;
}

GType onLostGetType() {
  static const GType type = [] {
    static const GEnumValue values[] = {{static_cast<gint>(OnLost::Fail), "An error that says what it cost", "fail"},
                                        {static_cast<gint>(OnLost::Buy), "Buy another one, once a run", "buy"},
                                        {0, nullptr, nullptr}};
    return registerEnum("GstAimlVideoSrcOnLost", values);
  }();
  return type;
}

GType statusGetType() {
  static const GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<gint>(State::Idle), "Nothing was started", nameOf(State::Idle)},
        {static_cast<gint>(State::QueuedLocally), "Waiting for its turn, or for another owner of the same generation",
         nameOf(State::QueuedLocally)},
        {static_cast<gint>(State::Submitting), "Being sent to the service", nameOf(State::Submitting)},
        {static_cast<gint>(State::LookingUp), "Finding out whether the service accepted it", nameOf(State::LookingUp)},
        {static_cast<gint>(State::Queued), "Accepted by the service, not begun", nameOf(State::Queued)},
        {static_cast<gint>(State::Generating), "Being made by the service", nameOf(State::Generating)},
        {static_cast<gint>(State::Downloading), "The clip is being fetched", nameOf(State::Downloading)},
        {static_cast<gint>(State::Completed), "The clip is there", nameOf(State::Completed)},
        {static_cast<gint>(State::Failed), "An error was posted", nameOf(State::Failed)},
        {static_cast<gint>(State::Cancelled), "Stopped by the application", nameOf(State::Cancelled)},
        {0, nullptr, nullptr}};
    return registerEnum("GstAimlVideoSrcStatus", values);
  }();
  return type;
}

void installProperties(GObjectClass *objectClass) {
  installRequestProperties(objectClass);
  installServiceProperties(objectClass);
  installPurchaseProperties(objectClass);
  installPriceProperties(objectClass);
  installTransportProperties(objectClass);
  installReadOnlyProperties(objectClass);
  for (const GType type : {endpointGetType(), generateAudioGetType(), reuseGetType(), onUnknownGetType(),
                           onLostGetType(), statusGetType()})
    gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
}

bool setProperty(ElementSettings &settings, Property property, const GValue *value) {
  switch (property) {
  case Property::Prompt:
    settings.prompt = textOf(value);
    return true;
  case Property::NegativePrompt:
    settings.negativePrompt = textOf(value);
    return true;
  case Property::PromptFile:
    settings.promptFile = textOf(value);
    return true;
  case Property::Image:
    settings.image = textOf(value);
    return true;
  case Property::TailImage:
    settings.tailImage = textOf(value);
    return true;
  case Property::Model:
    settings.model = textOf(value);
    return true;
  case Property::Duration:
    settings.duration = g_value_get_uint(value);
    return true;
  case Property::AspectRatio:
    settings.aspectRatio = textOf(value);
    return true;
  case Property::CfgScale:
    settings.cfgScale = g_value_get_double(value);
    return true;
  case Property::GenerateAudio:
    settings.generateAudio = static_cast<GenerateAudio>(g_value_get_enum(value));
    return true;
  case Property::Parameters:
    settings.parameters = textOf(value);
    return true;
  case Property::ApiKey: {
    const char *key = g_value_get_string(value);
    settings.apiKey = Secret(key ? key : "");
    return true;
  }
  case Property::ApiKeyFile:
    settings.apiKeyFile = textOf(value);
    return true;
  case Property::BaseUrl:
    settings.baseUrl = textOf(value);
    return true;
  case Property::Endpoint:
    settings.endpoint = static_cast<EndpointChoice>(g_value_get_enum(value));
    return true;
  case Property::Timeout:
    settings.timeout = g_value_get_uint(value);
    return true;
  case Property::PollInterval:
    settings.pollInterval = g_value_get_uint(value);
    return true;
  case Property::MaxInFlight:
    settings.maximumInFlight = g_value_get_uint(value);
    return true;
  case Property::GenerationId:
    settings.generationId = textOf(value);
    return true;
  case Property::Reuse:
    settings.reuse = static_cast<Reuse>(g_value_get_enum(value));
    return true;
  case Property::Take:
    settings.take = g_value_get_uint(value);
    return true;
  case Property::OnUnknown:
    settings.onUnknown = static_cast<OnUnknown>(g_value_get_enum(value));
    return true;
  case Property::OnLost:
    settings.onLost = static_cast<OnLost>(g_value_get_enum(value));
    return true;
  case Property::StorePrompt:
    settings.storePrompt = g_value_get_boolean(value);
    return true;
  case Property::Strict:
    settings.strict = g_value_get_boolean(value);
    return true;
  case Property::MaxCost:
    settings.maximumCost = g_value_get_double(value);
    return true;
  case Property::DryRun:
    settings.dryRun = g_value_get_boolean(value);
    return true;
  case Property::ImageSample:
    settings.imageSource = imageSourceFor(static_cast<GstSample *>(g_value_get_boxed(value)));
    return true;
  case Property::MaxClipSize:
    settings.maximumClipSize = g_value_get_uint64(value);
    return true;
  case Property::TempDir:
    settings.temporaryFolder = textOf(value);
    return true;
  case Property::PromptTag:
    settings.promptTag = g_value_get_boolean(value);
    return true;
  case Property::Proxy:
    settings.proxy = textOf(value);
    return true;
  case Property::TlsDatabase:
    settings.tlsDatabase = share(static_cast<GTlsDatabase *>(g_value_get_object(value)));
    return true;
  case Property::UserAgent:
    settings.userAgent = textOf(value);
    return true;
  case Property::ExtraHeaders:
    settings.extraHeaders = headersFrom(gst_value_get_structure(value));
    return true;
  default:
    return false;
  }
}

bool getProperty(const ElementSettings &settings, Property property, GValue *value) {
  switch (property) {
  case Property::Prompt:
    setText(value, settings.prompt);
    return true;
  case Property::NegativePrompt:
    setText(value, settings.negativePrompt);
    return true;
  case Property::PromptFile:
    setText(value, settings.promptFile);
    return true;
  case Property::Image:
    setText(value, settings.image);
    return true;
  case Property::TailImage:
    setText(value, settings.tailImage);
    return true;
  case Property::Model:
    setText(value, settings.model);
    return true;
  case Property::Duration:
    g_value_set_uint(value, settings.duration);
    return true;
  case Property::AspectRatio:
    setText(value, settings.aspectRatio);
    return true;
  case Property::CfgScale:
    g_value_set_double(value, settings.cfgScale);
    return true;
  case Property::GenerateAudio:
    g_value_set_enum(value, static_cast<gint>(settings.generateAudio));
    return true;
  case Property::Parameters:
    setText(value, settings.parameters);
    return true;
  case Property::ApiKeyFile:
    setText(value, settings.apiKeyFile);
    return true;
  case Property::BaseUrl:
    setText(value, effectiveBaseUrl(settings));
    return true;
  case Property::Endpoint:
    g_value_set_enum(value, static_cast<gint>(settings.endpoint));
    return true;
  case Property::Timeout:
    g_value_set_uint(value, settings.timeout);
    return true;
  case Property::PollInterval:
    g_value_set_uint(value, settings.pollInterval);
    return true;
  case Property::MaxInFlight:
    g_value_set_uint(value, settings.maximumInFlight);
    return true;
  case Property::Reuse:
    g_value_set_enum(value, static_cast<gint>(settings.reuse));
    return true;
  case Property::Take:
    g_value_set_uint(value, settings.take);
    return true;
  case Property::OnUnknown:
    g_value_set_enum(value, static_cast<gint>(settings.onUnknown));
    return true;
  case Property::OnLost:
    g_value_set_enum(value, static_cast<gint>(settings.onLost));
    return true;
  case Property::StorePrompt:
    g_value_set_boolean(value, settings.storePrompt);
    return true;
  case Property::Strict:
    g_value_set_boolean(value, settings.strict);
    return true;
  case Property::MaxCost:
    g_value_set_double(value, settings.maximumCost);
    return true;
  case Property::DryRun:
    g_value_set_boolean(value, settings.dryRun);
    return true;
  case Property::MaxClipSize:
    g_value_set_uint64(value, settings.maximumClipSize);
    return true;
  case Property::TempDir:
    setText(value, settings.temporaryFolder);
    return true;
  case Property::PromptTag:
    g_value_set_boolean(value, settings.promptTag);
    return true;
  case Property::Proxy:
    setText(value, withoutUser(settings.proxy));
    return true;
  case Property::TlsDatabase:
    g_value_set_object(value, settings.tlsDatabase.get());
    return true;
  case Property::UserAgent:
    setText(value, settings.userAgent);
    return true;
  default:
    return false;
  }
}

} // namespace aimlvideo
