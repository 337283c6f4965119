// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "field_options.h"

namespace aimlvideo::cli {

/// A local file that is read for a request.
struct NamedFile {
  std::string property; ///< that names it
  std::string path;
};

/// The files that properties name: images, texts, and what stands within `parameters`. Reads the file that `parameters`
/// names. What can't be understood names none, and is refused elsewhere.
std::vector<NamedFile> filesNamedBy(const FieldTexts &texts);

/// Folders in which files have to be, wherever symbolic links lead.
class Boundary {
public:
  void add(const std::string &folder);
  /// Whether a file is below one of them; one that is not there can't be read and is.
  bool holds(const std::string &file) const;
  /// The same of a name that something is to get; the folder that it names counts.
  bool holdsName(const std::string &name) const;

private:
  bool holdsReal(const std::filesystem::path &real) const;

  std::vector<std::filesystem::path> folders_;
};

/// Files that no output may replace: what a run is made from.
class Originals {
public:
  void add(const std::string &file);
  void add(const std::vector<NamedFile> &files);
  /// BadRequest: an output of this name would replace one of them.
  Result<void> check(const std::string &output) const;

private:
  std::set<std::filesystem::path> entries_; ///< where their names stand, and where links lead
};

} // namespace aimlvideo::cli
