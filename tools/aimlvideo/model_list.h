// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <aimlvideo/catalogue.h>
#include <aimlvideo/settings.h>

#include "base/json/value.h"
#include "service/price_list.h"

namespace aimlvideo::cli {

/// Which models are meant. What is not set excludes none.
struct ModelFilter {
  std::vector<std::string> words; ///< all of them are in the id, an alias, the vendor or the kind
  bool text = false;              ///< needs neither image nor video nor sound
  bool image = false;             ///< takes an image
  bool video = false;             ///< takes a video
  bool audio = false;             ///< makes sound, or takes it
  std::optional<double> maximumUsd;

  bool any() const { return !words.empty() || text || image || video || audio || maximumUsd; }
};

enum class ModelOrder { Id, Price, Vendor, Time };

/// What one can choose a model by.
struct ModelEntry {
  const Model *model;
  tl::expected<Estimate, std::string> price; ///< of the shortest request, with what the model needs
  bool unlisted = false;                     ///< the service's own list lacks it
};

/// What the shortest request of a model costs, by its pricing in the service's list.
tl::expected<Estimate, std::string> defaultPrice(const Model &model, JsonNode *pricing);

/// Whether a model makes sound: always, if asked to, or not as far as it is known.
enum class Sound { Unknown, No, Choice, Yes };
Sound soundOf(const Model &model);

/// The models that are meant, in order; what has no price or time is last.
std::vector<ModelEntry> chosenModels(const ModelFilter &filter, ModelOrder order,
                                     const tl::expected<std::map<std::string, GRefPtr<JsonNode>>, std::string> &prices);

/// Prints them, and how many there are.
void printModels(const std::vector<ModelEntry> &entries, const ModelFilter &filter);

/// Names that a word which nothing matches may mean; empty: none is near.
std::string nearestModelWord(const std::string &word);

} // namespace aimlvideo::cli
