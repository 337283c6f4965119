// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "production.h"

namespace aimlvideo::cli {

/// One row of a manifest, checked: what it orders and how the ledger knows it.
struct ManifestRow {
  size_t number = 0; ///< as a spreadsheet or an editor counts it
  Order order;
  std::string model;
  std::string prompt;
  std::string baseUrl;
  std::string canonical; ///< of the request; empty: a given generation is fetched
  /// Of the request, or what names the given generation.
  std::string identity;

  /// What an output is made of: the same recipe makes the same file.
  std::string recipe() const;
};

/// A manifest with all that is wrong with it. Nothing of one with problems may be bought.
struct Manifest {
  std::vector<ManifestRow> rows;
  std::vector<std::string> problems; ///< a line each, with the row's number
  std::vector<std::string> remarks;  ///< likewise, for what is sent all the same
};

/// Reads a manifest, CSV with a heading or JSON lines, and checks every row as the element will. `shared` holds for
/// all rows that do not say otherwise. Reads the files that rows name; asks nobody.
Manifest readManifest(const std::string &file, const Order &shared);

} // namespace aimlvideo::cli
