// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model_list.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <aimlvideo/money.h>

#include "api/nearest.h"
#include "output.h"
#include "table.h"

namespace aimlvideo::cli {

namespace {

std::string folded(const std::string &text) {
  const GCharPtr lower(g_utf8_casefold(text.c_str(), static_cast<gssize>(text.size())));
  return lower.get();
}

bool hasWords(const Model &model, const std::vector<std::string> &words) {
  std::string all = model.id + "\n" + model.vendor + "\n" + model.kind;
  for (const std::string &alias : model.aliases)
    all += "\n" + alias;
  all = folded(all);
  return std::ranges::all_of(words, [&](const auto &word) { return all.find(folded(word)) != std::string::npos; });
}

bool takes(const Model &model, const char *medium) {
  return model.inputs.contains(medium);
}

/// Neither a medium has to be sent, nor one of several.
bool needsOnlyText(const Model &model) {
  const bool required = std::ranges::any_of(
      model.parameters, [](const Parameter &parameter) { return parameter.required && parameter.holdsMedia(); });
  const bool oneOf = std::ranges::any_of(model.rules, [&](const Rule &rule) {
    return rule.kind == Rule::Kind::ExactlyOne && std::ranges::all_of(rule.parameters, [&](const std::string &name) {
             const Parameter *parameter = model.parameter(name);
             return parameter && parameter->holdsMedia();
           });
  });
  return !required && !oneOf && takes(model, "text");
}

bool fits(const ModelEntry &entry, const ModelFilter &filter) {
  const Model &model = *entry.model;
  const Sound sound = soundOf(model);
  return hasWords(model, filter.words) && (!filter.text || needsOnlyText(model)) &&
         (!filter.image || takes(model, "image")) && (!filter.video || takes(model, "video")) &&
         (!filter.audio || sound == Sound::Yes || sound == Sound::Choice || takes(model, "audio")) &&
         (!filter.maximumUsd || (entry.price && entry.price->usd <= *filter.maximumUsd));
}

double priceKey(const ModelEntry &entry) {
  return entry.price ? entry.price->usd : HUGE_VAL;
}

double timeKey(const ModelEntry &entry) {
  return entry.model->sample.seconds > 0 ? entry.model->sample.seconds : HUGE_VAL;
}

/// Without its unit, which is in the heading.
std::string usdOf(const ModelEntry &entry) {
  const std::string text = entry.price ? usdText(entry.price->usd) : "";
  return text.substr(0, text.find(' '));
}

std::string lengthOf(const Model &model) {
  const Parameter *duration = model.parameter("duration");
  return duration && !duration->fallback.empty() ? duration->fallback + " s" : "";
}

const char *soundText(Sound sound) {
  switch (sound) {
  case Sound::Yes:
    return "yes";
  case Sound::Choice:
    return "choice";
  case Sound::No:
    return "no";
  case Sound::Unknown:
    break;
  }
  return "";
}

} // namespace

Sound soundOf(const Model &model) {
  for (const char *name : {"generate_audio", "generate_audio_switch"})
    if (model.parameter(name))
      return Sound::Choice;
  return model.sample.sound ? *model.sample.sound ? Sound::Yes : Sound::No : Sound::Unknown;
}

tl::expected<Estimate, std::string> defaultPrice(const Model &model, JsonNode *pricing) {
  // what has to be sent counts, where images are paid for
  const auto body = adopt(json_object_new());
  for (const Parameter &parameter : model.parameters)
    if (parameter.required && parameter.holdsMedia())
      json_object_set_string_member(body.get(), parameter.name.c_str(), "");
  return estimateFor(pricing, body.get(), &model);
}

std::vector<ModelEntry>
chosenModels(const ModelFilter &filter, ModelOrder order,
             const tl::expected<std::map<std::string, GRefPtr<JsonNode>>, std::string> &prices) {
  std::vector<ModelEntry> entries;
  for (const Model &model : Catalogue::instance().models()) {
    ModelEntry entry{&model, tl::unexpected(prices ? std::string(notListed) : prices.error()),
                     Catalogue::instance().isUnlisted(model.id)};
    if (const auto pricing = prices ? prices->find(model.id) : decltype(prices->begin()){};
        prices && pricing != prices->end())
      entry.price = defaultPrice(model, pricing->second.get());
    if (fits(entry, filter))
      entries.push_back(std::move(entry));
  }
  switch (order) {
  case ModelOrder::Id:
    std::ranges::sort(entries, {}, [](const ModelEntry &entry) { return std::string_view(entry.model->id); });
    break;
  case ModelOrder::Vendor:
    std::ranges::sort(entries, {},
                      [](const ModelEntry &entry) { return std::pair(folded(entry.model->vendor), entry.model->id); });
    break;
  case ModelOrder::Price:
    std::ranges::sort(entries, {}, [](const ModelEntry &entry) { return std::pair(priceKey(entry), entry.model->id); });
    break;
  case ModelOrder::Time:
    std::ranges::sort(entries, {}, [](const ModelEntry &entry) { return std::pair(timeKey(entry), entry.model->id); });
    break;
  }
  return entries;
}

void printModels(const std::vector<ModelEntry> &entries, const ModelFilter &filter) {
  Table table({{.heading = "MODEL"}, // to be copied
               {.heading = "VENDOR", .fit = Column::Fit::Cut, .least = 10, .dispensable = 4},
               {.heading = "KIND", .fit = Column::Fit::Cut, .least = 14, .dispensable = 3},
               {.heading = "USD", .right = true, .dispensable = 1},
               {.heading = "CLIP", .right = true, .dispensable = 5},
               {.heading = "TIME", .right = true, .dispensable = 2},
               {.heading = "SOUND", .dispensable = 6},
               {.heading = "LISTED", .dispensable = 0}});
  for (const ModelEntry &entry : entries) {
    const Model &model = *entry.model;
    table.add({model.id, model.vendor, model.kind, usdOf(entry), lengthOf(model),
               model.sample.seconds > 0 ? std::to_string(model.sample.seconds) + " s" : "", soundText(soundOf(model)),
               entry.unlisted ? "no" : ""});
  }
  if (!entries.empty())
    table.print();
  const bool isPriced = std::ranges::any_of(entries, [](const ModelEntry &entry) { return entry.price.has_value(); });
  const size_t all = Catalogue::instance().models().size();
  if (entries.empty())
    print("none of " + std::to_string(all) + " models");
  else
    print((filter.any() ? std::to_string(entries.size()) + " of " : "") + std::to_string(all) + " models" +
          (isPriced ? "; USD is of a clip with the defaults" : ""));
}

std::string nearestModelWord(const std::string &word) {
  const std::string nearest = nearestTo(word, Catalogue::instance().names());
  if (!nearest.empty())
    return nearest;
  std::set<std::string> words;
  for (const Model &model : Catalogue::instance().models()) {
    words.insert(model.vendor);
    const GStrvPtr parts(g_strsplit_set(model.id.c_str(), "/-._", -1));
    for (char **part = parts.get(); *part; ++part)
      words.insert(*part);
  }
  return nearestTo(word, {words.begin(), words.end()});
}

} // namespace aimlvideo::cli
