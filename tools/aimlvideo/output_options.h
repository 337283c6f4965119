// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

#include "options.h"
#include "production.h"

namespace aimlvideo::cli {

/// The options that say what becomes of a clip: its file, the profile and the shape.
class OutputOptions {
public:
  void addTo(Options &options);

  /// An order without settings, profile and output. Empty: a value makes no sense, and this has been printed.
  std::optional<Order> order() const;
  bool given() const { return output_.given(); }
  bool toStandardOutput() const { return output_.text() == "-"; }
  /// Of the output; empty for standard output, or if none is given.
  std::string name() const { return toStandardOutput() ? "" : output_.text(); }
  /// What the user says, else what the extension of the output says. BadRequest: nothing is known that makes one.
  Result<const Profile *> profile() const;

private:
  TextOption output_;
  TextOption profile_;
  TextOption size_;
  TextOption rate_;
  TextOption signWith_;
  gboolean force_ = FALSE;
  std::string profiles_; ///< their names, as GOption wants them
};

} // namespace aimlvideo::cli
