// SPDX-License-Identifier: LGPL-2.1-or-later
// Prints what the documents say of the fields of a request, and of the codes of errors, see
// scripts/make_field_tables.py.
#include <cstdio>
#include <string>

#include <aimlvideo/field.h>

#include "config.h"
#include "exit_code.h"

using namespace aimlvideo;

namespace {

/// Names of fields and variables become code; the bar would end a cell.
std::string markdown(const std::string &text) {
  std::string result;
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = std::min(text.find(' ', at), text.size());
    const std::string word = text.substr(at, end - at);
    const std::string core = word.substr(0, word.find_last_not_of(",;.") + 1);
    const bool isName = findField(core) && core.find('-') != std::string::npos;
    const bool isVariable = core.size() > 1 &&
                            core.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_$") == std::string::npos &&
                            core.find('_') != std::string::npos;
    const bool isPlace = core.find('/') != std::string::npos || core.find("=") != std::string::npos ||
                         core == "@FILE" || core == "file:," || core == "file:" || core == "http(s):" ||
                         core == "data:";
    if (isName || isVariable || isPlace)
      result += "`" + core + "`" + word.substr(core.size());
    else
      result += word;
    if (end < text.size())
      result += ' ';
    at = end + 1;
  }
  for (size_t bar = result.find('|'); bar != std::string::npos; bar = result.find('|', bar + 2))
    result.insert(bar, "\\");
  return result;
}

std::string typeOf(const Field &field) {
  std::string type =
      std::visit(Overload{[](const Choices &) { return "enum"; }, [](std::string Settings::*) { return "string"; },
                          [](Secret Settings::*) { return "string"; }, [](bool Settings::*) { return "boolean"; },
                          [](unsigned Settings::*) { return "uint"; }, [](uint64_t Settings::*) { return "uint64"; },
                          [](int64_t Settings::*) { return "int64"; },
                          [](double Settings::*) {
                            return "double";
                          }},
                 field.member);
  if (field.unit)
    type += ", " + std::string(field.unit);
  if (field.is(Field::WriteOnly))
    type += ", write-only";
  return type;
}

std::string defaultOf(const Field &field) {
  const std::string text = textOf(Settings(), field);
  return text.empty() ? "-" : std::holds_alternative<Choices>(field.member) ? "`" + text + "`" : text;
}

std::string choicesOf(const Field &field) {
  const auto *choices = std::get_if<Choices>(&field.member);
  std::string text;
  for (const Choice &choice : choices ? choices->all : std::span<const Choice>())
    text += "; `" + std::string(choice.name) + "`: " + markdown(choice.meaning);
  return text;
}

void printGroup(const char *name, FieldGroup group) {
  std::printf("<!-- fields: %s -->\n| property | type | default | meaning |\n|---|---|---|---|\n", name);
  for (const Field &field : fields())
    if (field.group == group)
      std::printf("| `%s` | %s | %s | %s%s |\n", field.name, typeOf(field).c_str(), defaultOf(field).c_str(),
                  markdown(field.about).c_str(), choicesOf(field).c_str());
}

void printNames(const char *name, Field::Use use) {
  std::printf("<!-- fields: %s -->\n", name);
  std::string names;
  for (const Field &field : fields())
    if (field.is(use))
      names += (names.empty() ? "`" : ", `") + std::string(field.name) + "`";
  std::printf("%s\n", names.c_str());
}

void printCodes(const char *name, const char *heading, std::span<const cli::ErrorCode> codes) {
  std::printf("<!-- codes: %s -->\n| %s | exit code of `aimlvideo` | what a program may do |\n|---|---|---|\n", name,
              heading);
  for (const cli::ErrorCode &code : codes)
    std::printf("| `%s` | %d | %s |\n", code.name, static_cast<int>(code.exitCode), code.hint);
}

} // namespace

int main() {
  printGroup("request", FieldGroup::Request);
  printGroup("service", FieldGroup::Service);
  printGroup("purchase", FieldGroup::Purchase);
  printGroup("price", FieldGroup::Price);
  printGroup("delivery", FieldGroup::Delivery);
  printGroup("transport", FieldGroup::Transport);
  printNames("presets", Field::InPreset);
  printNames("columns", Field::InManifest);
  std::printf("<!-- fields: uri -->\n| key | value |\n|---|---|\n");
  for (const Field &field : fields())
    if (field.is(Field::InUri))
      std::printf("| `%s` | %s |\n", field.name, allowedFor(field).c_str());
  printCodes("kinds", "kind", cli::errorCodes().first(cli::engineErrorCodes()));
  printCodes("commands", "code", cli::errorCodes().subspan(cli::engineErrorCodes()));
}
