// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "named_files.h"
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
  std::vector<std::string> remarks;  ///< likewise, for what is sent anyway
};

/// What the rows of a manifest may do. Whoever has written it need not be who runs it.
struct ManifestTerms {
  Order shared;          ///< holds for all rows that do not say otherwise, and is not bound by the rest
  FieldTexts properties; ///< likewise, what is to be made
  Boundary inputs;       ///< where the files are that rows name
  Boundary outputs;      ///< where outputs may get their names
  Originals originals;   ///< what is not to be replaced, besides the files that rows name
};

/// Reads a manifest, CSV with a heading, JSON lines or a JSON array, and checks every row as the element will. A row
/// says what is to be made and nothing else. `file` may be `-`, standard input. Reads the files that rows name, as far
/// as the terms allow; asks nobody.
Manifest readManifest(const std::string &file, const ManifestTerms &terms);

/// What a row would ask for without an output, checked alike.
Result<ManifestRow> readRequest(const FieldTexts &texts, const ManifestTerms &terms);

/// A manifest to begin with, which is right as it stands. Empty: there is none of this name.
std::string manifestTemplate(const std::string &form);

} // namespace aimlvideo::cli
