// SPDX-License-Identifier: LGPL-2.1-or-later
#include "field_options.h"

#include <algorithm>

#include "api/nearest.h"
#include "config.h"
#include "output.h"

namespace aimlvideo::cli {

namespace {

/// What stands for the value in the help, such as `auto|universal|legacy` or `SECONDS`.
std::string placeholderFor(const Field &field) {
  if (const auto *choices = std::get_if<Choices>(&field.member)) {
    std::string names;
    for (const Choice &choice : choices->all)
      names += (names.empty() ? "" : "|") + std::string(choice.name);
    return names;
  }
  if (std::holds_alternative<std::string Settings::*>(field.member))
    return field.is(Field::IsFile) ? "FILE" : field.is(Field::IsMedium) ? "IMAGE" : "TEXT";
  if (std::holds_alternative<uint64_t Settings::*>(field.member))
    return "SIZE";
  const GCharPtr unit(g_ascii_strup(field.unit ? field.unit : "number", -1));
  return unit.get();
}

const char *groupOf(const Field &field) {
  switch (field.group) {
  case FieldGroup::Request:
    return requestGroup;
  case FieldGroup::Purchase:
  case FieldGroup::Price:
    return moneyGroup;
  case FieldGroup::Delivery:
    return outputGroup;
  case FieldGroup::Service:
  case FieldGroup::Transport:
    break;
  }
  return serviceGroup;
}

/// Whether the short help has it: what most people need.
bool isUsual(const Field &field) {
  static constexpr std::string_view names[] = {"prompt",   "negative-prompt", "image",          "tail-image",
                                               "model",    "duration",        "aspect-ratio",   "take",
                                               "max-cost", "api-key-file",    "generate-audio", "parameters"};
  return std::ranges::find(names, field.name) != std::end(names);
}

Failure unknownField(const std::string &name) {
  std::vector<std::string> names;
  for (const Field &field : fields())
    if (field.is(Field::OnCommandLine))
      names.emplace_back(field.name);
  const std::string nearest = nearestTo(name, names);
  return failure(ErrorKind::BadRequest, "there is no property \"" + name + "\"", "",
                 nearest.empty() ? "" : "Did you mean " + nearest + "?");
}

} // namespace

Result<const Field *> fieldForCommandLine(const std::string &name) {
  const Field *field = findField(name);
  if (!field || !field->is(Field::OnCommandLine))
    return unknownField(name);
  return field;
}

Result<Settings> settingsFrom(const FieldTexts &texts) {
  Settings settings;
  settings.userAgent = PACKAGE "/" PACKAGE_VERSION;
  for (const auto &[name, text] : texts) {
    const auto field = fieldForCommandLine(name);
    if (!field)
      return tl::unexpected(field.error());
    if (const auto set = setFromText(settings, **field, text); !set)
      return tl::unexpected(set.error());
  }
  return settings;
}

void FieldOptions::addTo(Options &options) {
  for (const Field &field : fields()) {
    if (!field.is(Field::OnCommandLine) || !wanted_(field))
      continue;
    Slot &slot = slots_.emplace_back();
    slot.field = &field;
    const bool isFlag = std::holds_alternative<bool Settings::*>(field.member);
    const GOptionEntry entry[] = {{field.name, field.letter, 0, isFlag ? G_OPTION_ARG_NONE : G_OPTION_ARG_STRING,
                                   isFlag ? static_cast<gpointer>(&slot.flag) : slot.text.slot(), field.about,
                                   isFlag ? nullptr : placeholders_.emplace_back(placeholderFor(field)).c_str()},
                                  {}};
    options.add(entry, groupOf(field), isUsual(field) ? Options::Listed::Always : Options::Listed::InFullHelp);
  }
}

FieldTexts FieldOptions::texts() const {
  FieldTexts texts;
  for (const Slot &slot : slots_)
    if (slot.flag)
      texts[slot.field->name] = "true";
    else if (slot.text.given())
      texts[slot.field->name] = slot.text.text();
  if (const auto baseUrl = texts.find("base-url"); baseUrl != texts.end())
    trustTypedBaseUrl(baseUrl->second);
  return texts;
}

std::optional<FieldTexts> FieldOptions::textsWith(const Arguments &words) const {
  FieldTexts all = texts();
  if (words.empty())
    return all;
  for (const char *other : {"prompt", "prompt-file"})
    if (all.contains(other)) {
      printUsageError("the prompt is given twice: \"" + words.front() + "\" and --" + other);
      return {};
    }
  all["prompt"] = words.front();
  return all;
}

std::optional<Settings> FieldOptions::settings(const Arguments &words) const {
  const auto all = textsWith(words);
  if (!all)
    return {};
  auto settings = settingsFrom(*all);
  if (settings)
    return std::move(*settings);
  printUsageError(settings.error().text());
  return {};
}

bool isAboutService(const Field &field) {
  const std::string_view name = field.name;
  return name == "base-url" || name == "api-key-file" || name == "proxy";
}

} // namespace aimlvideo::cli
