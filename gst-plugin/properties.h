// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

#include <aimlvideo/settings.h>

namespace aimlvideo {

/// The properties of the element that users set.
enum class Property : guint {
  Prompt = 1,
  NegativePrompt,
  PromptFile,
  Image,
  ImageSample,
  TailImage,
  Model,
  Duration,
  AspectRatio,
  CfgScale,
  GenerateAudio,
  Parameters,
  ApiKey,
  ApiKeyFile,
  BaseUrl,
  Endpoint,
  Timeout,
  PollInterval,
  MaxInFlight,
  GenerationId,
  Reuse,
  Take,
  OnUnknown,
  OnLost,
  StorePrompt,
  Strict,
  MaxCost,
  DryRun,
  MaxClipSize,
  TempDir,
  PromptTag,
  Proxy,
  TlsDatabase,
  UserAgent,
  ExtraHeaders,
  // read-only
  CurrentGenerationId,
  Status,
  Statistics,
};

/// What the element's own properties add to the engine's settings.
struct ElementSettings : Settings {
  bool promptTag = false;
  std::string uriAsSet; ///< empty: none was set

  ElementSettings();
};

GType endpointGetType();
GType generateAudioGetType();
GType reuseGetType();
GType onUnknownGetType();
GType onLostGetType();
GType statusGetType();

void installProperties(GObjectClass *objectClass);

/// Takes a value over into the settings. False: not one of the properties that can be set.
bool setProperty(ElementSettings &settings, Property property, const GValue *value);

/// The value of a property that can be both set and read. False: not one of these.
bool getProperty(const ElementSettings &settings, Property property, GValue *value);

} // namespace aimlvideo
