// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <optional>
#include <string>

#include <aimlvideo/error.h>

#include "production.h"

namespace aimlvideo::cli {

/// Which outputs of a manifest are made, in a file beside it: a JSON line for each, on disk before the output gets its
/// name. One process at a time.
class Journal {
public:
  /// What was made, and what tells that the file is still that.
  struct Entry {
    std::string recipe; ///< of the row, see ManifestRow::recipe()
    std::string checksum;
    std::string generationId;
  };

  static Result<Journal> open(const std::string &file);
  Journal(Journal &&other) noexcept;
  Journal &operator=(Journal &&) = delete;
  ~Journal();

  const Entry *find(const std::string &output) const;
  /// Whether the output is there and is what the journal says.
  bool isMade(const Order &order, const std::string &recipe) const;
  /// To be called when what `entry` says is on the disk and about to become the output.
  Result<void> add(const Order &order, Entry entry);

private:
  explicit Journal(int descriptor, std::string file) : descriptor_(descriptor), file_(std::move(file)) {}
  bool read();

  int descriptor_;
  std::string file_;
  std::map<std::string, Entry> entries_; ///< by output
};

} // namespace aimlvideo::cli
