// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/uri_settings.h"

namespace aimlvideo {

void takeOver(const GenerationUri &wanted, Settings &settings) {
  const Settings unset;
  settings.model = wanted.model;
  settings.prompt = wanted.prompt;
  settings.negativePrompt = wanted.negativePrompt;
  settings.image = wanted.image;
  settings.tailImage = wanted.tailImage;
  settings.duration = wanted.duration;
  settings.aspectRatio = wanted.aspectRatio;
  settings.cfgScale = wanted.cfgScale.value_or(unset.cfgScale);
  settings.generateAudio = unset.generateAudio;
  if (wanted.generateAudio)
    settings.generateAudio = *wanted.generateAudio ? GenerateAudio::Yes : GenerateAudio::No;
  settings.parameters = wanted.parameters;
  settings.take = wanted.take;
  settings.uri = writeGenerationUri(wanted);
}

} // namespace aimlvideo
