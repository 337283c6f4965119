// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/service/validation.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <glib.h>

#include "emulator/wire/media.h"

namespace aimlvideo::emulator {

namespace {

/// Strings of any length come in; a message must stay readable.
constexpr size_t longestQuote = 80;

std::string formatNumber(double number) {
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  return g_ascii_formatd(buffer, sizeof buffer, "%.12g", number);
}

std::string quote(const Json &value) {
  if (!value.isString())
    return value.isNumber() ? formatNumber(value.number()) : value.dump();
  std::string text = value.string();
  if (text.size() > longestQuote) {
    const char *cut = g_utf8_find_prev_char(text.c_str(), text.c_str() + longestQuote);
    text = std::string(text.c_str(), cut) + "…";
  }
  return "'" + text + "'";
}

std::string join(const std::vector<std::string> &parts, const char *separator) {
  std::string result;
  for (const std::string &part : parts)
    result += (result.empty() ? "" : separator) + part;
  return result;
}

std::string typeName(const Json &value) {
  if (value.isNull())
    return "null";
  if (value.isString())
    return "string";
  if (value.isBoolean())
    return "boolean";
  if (value.isNumber())
    return value.number() == std::floor(value.number()) ? "number" : "float";
  return value.isArray() ? "array" : "object";
}

/// The documented samples send "5" where the schema says 5, and some schemas say the reverse.
Json readDuration(const Parameter &parameter, const Json &value) {
  const bool isText = std::ranges::find(parameter.types, "string") != parameter.types.end();
  if (isText && value.isNumber())
    return Json(formatNumber(value.number()));
  if (isText || !value.isString())
    return value;
  const std::string text = value.string();
  char *end = nullptr;
  const double number = g_ascii_strtod(text.c_str(), &end);
  return !text.empty() && !*end ? Json(number) : value;
}

class Checker {
public:
  explicit Checker(bool toleratesUnknownKeys) : toleratesUnknownKeys_(toleratesUnknownKeys) {}

  void checkObject(const std::vector<Parameter> &parameters, const Json &object, const std::string &path) {
    std::vector<std::string> unknown;
    for (const std::string &name : object.names())
      if (std::ranges::find(parameters, name, &Parameter::name) == parameters.end()) {
        unknown.push_back("'" + name + "'");
        unknownKeys.push_back(path.empty() ? name : path + "." + name);
      }
    if (!unknown.empty() && !toleratesUnknownKeys_)
      report(path, "Unrecognized key(s) in object: " + join(unknown, ", "));
    for (const Parameter &parameter : parameters) {
      const std::string memberPath = path.empty() ? parameter.name : path + "." + parameter.name;
      const Json value = object[parameter.name];
      if (value.exists())
        checkValue(parameter, value, memberPath);
      else if (parameter.required)
        report(memberPath, "Required");
    }
  }

  std::vector<std::string> take() { return std::move(mistakes_); }

  std::vector<std::string> unknownKeys;

private:
  void report(const std::string &path, const std::string &what) {
    mistakes_.push_back(path.empty() ? what : path + ": " + what);
  }

  void checkValue(const Parameter &parameter, Json value, const std::string &path) {
    if (value.isNull() && parameter.nullable)
      return;
    if (parameter.name == "duration")
      value = readDuration(parameter, value);
    if (!parameter.alternatives.empty())
      return checkAlternatives(parameter, value, path);
    if (!parameter.choices.empty() && (value.isString() || value.isNumber()))
      return checkChoice(parameter, value, path);
    const auto fits = [&](const std::string &type) {
      return isOfType(value, type);
    };
    if (std::ranges::none_of(parameter.types, fits))
      return report(path, "Expected " + join(parameter.types, " | ") + ", received " + typeName(value));
    if (value.isNumber())
      checkRange(parameter, value.number(), path);
    else if (value.isString())
      checkText(parameter, value.string(), path);
    else if (value.isArray())
      checkArray(parameter, value, path);
    else if (value.isObject() && !parameter.properties.empty())
      checkObject(parameter.properties, value, path);
  }

  static bool isOfType(const Json &value, const std::string &type) {
    if (type == "integer")
      return value.isNumber() && value.number() == std::floor(value.number());
    return (type == "string" && value.isString()) || (type == "number" && value.isNumber()) ||
           (type == "boolean" && value.isBoolean()) || (type == "array" && value.isArray()) ||
           (type == "object" && value.isObject());
  }

  void checkAlternatives(const Parameter &parameter, const Json &value, const std::string &path) {
    std::vector<std::string> closest;
    for (const Parameter &alternative : parameter.alternatives) {
      Checker attempt(toleratesUnknownKeys_);
      attempt.checkValue(alternative, value, path);
      if (attempt.mistakes_.empty()) {
        std::ranges::move(attempt.unknownKeys, std::back_inserter(unknownKeys));
        return;
      }
      if (isOfType(value, alternative.types.front()))
        closest = attempt.mistakes_;
    }
    if (closest.empty())
      return report(path, "Invalid input");
    std::ranges::copy(closest, std::back_inserter(mistakes_));
  }

  void checkChoice(const Parameter &parameter, const Json &value, const std::string &path) {
    if (std::ranges::find(parameter.choices, value) != parameter.choices.end())
      return;
    std::vector<std::string> expected;
    for (const Json &choice : parameter.choices)
      expected.push_back(quote(choice));
    report(path, "Invalid enum value. Expected " + join(expected, " | ") + ", received " + quote(value));
  }

  void checkRange(const Parameter &parameter, double number, const std::string &path) {
    if (parameter.min && number < *parameter.min)
      report(path, "Number must be greater than or equal to " + formatNumber(*parameter.min));
    if (parameter.max && number > *parameter.max)
      report(path, "Number must be less than or equal to " + formatNumber(*parameter.max));
  }

  void checkText(const Parameter &parameter, const std::string &text, const std::string &path) {
    const auto length = static_cast<size_t>(g_utf8_strlen(text.c_str(), -1));
    if (parameter.minLength && length < *parameter.minLength)
      report(path, "String must contain at least " + std::to_string(*parameter.minLength) + " character(s)");
    if (parameter.maxLength && length > *parameter.maxLength)
      report(path, "String must contain at most " + std::to_string(*parameter.maxLength) + " character(s)");
    checkFormat(parameter.format, text, path);
  }

  void checkFormat(const std::string &format, const std::string &text, const std::string &path) {
    if (format == "uri" && !readMediaReference(path, text))
      report(path, "Invalid url");
    if (format == "uuid" && !g_uuid_string_is_valid(text.c_str()))
      report(path, "Invalid uuid");
  }

  void checkArray(const Parameter &parameter, const Json &array, const std::string &path) {
    const std::vector<Json> elements = array.elements();
    if (parameter.minItems && elements.size() < *parameter.minItems)
      report(path, "Array must contain at least " + std::to_string(*parameter.minItems) + " element(s)");
    if (parameter.maxItems && elements.size() > *parameter.maxItems)
      report(path, "Array must contain at most " + std::to_string(*parameter.maxItems) + " element(s)");
    for (size_t i = 0; i < elements.size(); ++i)
      checkElement(parameter, elements[i], path + "." + std::to_string(i));
  }

  void checkElement(const Parameter &parameter, const Json &element, const std::string &path) {
    if (!parameter.itemType.empty() && !isOfType(element, parameter.itemType))
      return report(path, "Expected " + parameter.itemType + ", received " + typeName(element));
    if (element.isString())
      checkFormat(parameter.itemFormat, element.string(), path);
    else if (element.isObject() && !parameter.itemProperties.empty())
      checkObject(parameter.itemProperties, element, path);
  }

  const bool toleratesUnknownKeys_;
  std::vector<std::string> mistakes_;
};

} // namespace

std::vector<std::string> findMistakes(const std::vector<Parameter> &parameters, const Json &body,
                                      std::vector<std::string> *unknownKeys) {
  Checker checker(unknownKeys != nullptr);
  checker.checkObject(parameters, body, {});
  if (unknownKeys)
    *unknownKeys = std::move(checker.unknownKeys);
  return checker.take();
}

} // namespace aimlvideo::emulator
