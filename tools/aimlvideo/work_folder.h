// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "base/error.h"

namespace aimlvideo::cli {

enum class Overwrite { No, Yes };
enum class OutputKind { File, Folder };

/// Whether an output may get this name: nothing in its place, or something that may be replaced, and a folder that can
/// be written to.
Result<void> checkOutput(const std::string &output, OutputKind kind, Overwrite overwrite);

/// Where an output is made: a hidden folder beside it, `.NAME.part`, which this process alone uses and which goes with
/// this object. What was left there by a run that was killed goes first.
class WorkFolder {
public:
  static Result<WorkFolder> open(const std::string &output, OutputKind kind, Overwrite overwrite);
  /// Removes what a run left that was killed just after it had published the output.
  static void sweep(const std::string &output);
  WorkFolder(WorkFolder &&other) noexcept;
  WorkFolder &operator=(WorkFolder &&other) noexcept;
  ~WorkFolder();

  std::string path(const std::string &name) const { return folder_ + "/" + name; }

  /// Writes `name` to the disk; it can be published afterwards.
  Result<void> settle(const std::string &name) const;
  /// Gives `name` the output's name, at once and as a whole.
  Result<void> publish(const std::string &name);

private:
  WorkFolder(std::string output, std::string folder, int lock, OutputKind kind, Overwrite overwrite)
      : output_(std::move(output)), folder_(std::move(folder)), lock_(lock), kind_(kind), overwrite_(overwrite) {}

  std::string output_;
  std::string folder_; ///< empty: moved away
  int lock_;
  OutputKind kind_;
  Overwrite overwrite_;
};

/// All in a folder and the folder itself.
void removeTree(const std::string &folder);

} // namespace aimlvideo::cli
