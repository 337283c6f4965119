// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>

#include "options.h"
#include "production.h"

namespace aimlvideo::cli {

/// The options that say what becomes of a clip: its file, the profile and the shape.
class OutputOptions {
public:
  void addTo(Options &options);
  /// An order without settings. Empty: a value makes no sense, and this has been printed for `command`.
  std::optional<Order> order(const char *command) const;

private:
  TextOption output_;
  TextOption profile_;
  TextOption size_;
  TextOption rate_;
  gboolean force_ = FALSE;
};

} // namespace aimlvideo::cli
