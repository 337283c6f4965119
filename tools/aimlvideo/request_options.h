// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <aimlvideo/settings.h>

#include "options.h"

namespace aimlvideo::cli {

/// Where the service is and who asks: `--base-url`, `--api-key-file`, `--proxy`. The key itself is no option, since
/// every user of a machine can read the command lines of the others.
class ServiceOptions {
public:
  void addTo(Options &options);
  void fill(Settings &settings) const;

private:
  TextOption baseUrl_;
  TextOption keyFile_;
  TextOption proxy_;
};

/// What is to be made, in the words of the element's properties.
class RequestOptions {
public:
  void addTo(Options &options);
  /// False: a value makes no sense, and this has been printed.
  bool fill(Settings &settings) const;

private:
  TextOption prompt_;
  TextOption promptFile_;
  TextOption negativePrompt_;
  TextOption image_;
  TextOption tailImage_;
  TextOption model_;
  TextOption aspectRatio_;
  TextOption cfgScale_;
  TextOption generateAudio_;
  TextOption parameters_;
  TextOption endpoint_;
  gint duration_ = 0;
  gboolean strict_ = FALSE;
};

} // namespace aimlvideo::cli
