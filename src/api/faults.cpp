// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/faults.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "api/media.h"
#include "api/nearest.h"
#include "api/rules.h"
#include "api/typed_inputs.h"
#include "base/json/node.h"

namespace aimlvideo {

namespace {

/// Lists of names are longer than anybody reads.
constexpr size_t mostAllowed = 24;

std::string plain(double value) {
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  return g_ascii_formatd(buffer, sizeof buffer, "%.15g", value);
}

std::vector<std::string> namesOf(const std::vector<Parameter> &parameters) {
  std::vector<std::string> names;
  names.reserve(parameters.size());
  for (const Parameter &parameter : parameters)
    names.push_back(parameter.name);
  return names;
}

std::string didYouMean(const std::string &word, const std::vector<std::string> &candidates) {
  const std::string nearest = nearestTo(word, candidates);
  return nearest.empty() ? "" : "; did you mean " + nearest + "?";
}

std::string rangeOf(const Parameter &parameter) {
  if (!parameter.maximum)
    return "at least " + plain(*parameter.minimum);
  if (!parameter.minimum)
    return "at most " + plain(*parameter.maximum);
  return plain(*parameter.minimum) + " to " + plain(*parameter.maximum);
}

std::string allowedOf(const Parameter &parameter) {
  std::vector<std::string> shown = parameter.allowed;
  if (shown.size() > mostAllowed) {
    shown.resize(mostAllowed);
    shown.push_back("and " + std::to_string(parameter.allowed.size() - mostAllowed) + " others");
  }
  return joined(shown, ", ");
}

bool holdsString(JsonNode *node) {
  return JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING;
}

bool holdsNumber(JsonNode *node) {
  return JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) != G_TYPE_STRING &&
         json_node_get_value_type(node) != G_TYPE_BOOLEAN;
}

/// The number that a value stands for. The documentation's samples spell durations, and only these, either way.
std::optional<double> numberIn(JsonNode *node, const Parameter &parameter) {
  return holdsNumber(node) || (holdsString(node) && parameter.name == "duration") ? json::number(node) : std::nullopt;
}

bool hasOneType(JsonNode *node, std::string_view type, const Parameter &parameter) {
  if (type == "object")
    return JSON_NODE_HOLDS_OBJECT(node);
  if (type == "array")
    return JSON_NODE_HOLDS_ARRAY(node);
  if (!JSON_NODE_HOLDS_VALUE(node))
    return false;
  if (type == "string")
    return holdsString(node) || (parameter.name == "duration" && holdsNumber(node));
  if (type == "boolean")
    return json_node_get_value_type(node) == G_TYPE_BOOLEAN;
  const auto number = numberIn(node, parameter);
  return number && (type == "number" || std::floor(*number) == *number);
}

/// `types` is one, or several with `|` between them; empty: any.
bool hasType(JsonNode *node, const std::string &types, const Parameter &parameter) {
  if (types.empty())
    return true;
  size_t start = 0;
  while (start <= types.size()) {
    const size_t end = std::min(types.find('|', start), types.size());
    if (hasOneType(node, std::string_view(types).substr(start, end - start), parameter))
      return true;
    start = end + 1;
  }
  return false;
}

bool isAllowed(JsonNode *node, const Parameter &parameter) {
  const std::string text = json::scalarText(node).value_or("");
  const auto number = numberIn(node, parameter);
  return std::any_of(parameter.allowed.begin(), parameter.allowed.end(), [&](const std::string &choice) {
    return choice == text || (number && g_ascii_strtod(choice.c_str(), nullptr) == *number);
  });
}

class FaultFinder {
public:
  explicit FaultFinder(UnknownKeys unknownKeys) : unknownKeys_(unknownKeys) {}

  Findings found;

  void checkMembers(JsonObject *object, const std::vector<Parameter> &parameters, const std::string &path) {
    for (const Parameter &parameter : parameters)
      if (parameter.required && !json_object_has_member(object, parameter.name.c_str()))
        found.faults.push_back(missing(parameter, path));
    for (const std::string &name : json::memberNames(object)) {
      const auto known = std::find_if(parameters.begin(), parameters.end(),
                                      [&](const Parameter &parameter) { return parameter.name == name; });
      if (known == parameters.end())
        reportUnknown(name, parameters, path);
      else
        checkValue(json_object_get_member(object, name.c_str()), *known, path + name);
    }
  }

private:
  void reportUnknown(const std::string &name, const std::vector<Parameter> &parameters, const std::string &path) {
    const auto names = namesOf(parameters);
    if (unknownKeys_ == UnknownKeys::Fault || !misspeltFrom(name, names).empty())
      found.faults.push_back("the model has no parameter " + path + name + didYouMean(name, names));
    else
      found.warnings.push_back("the model's documentation has no parameter " + path + name +
                               ": it is sent anyway, and the service may refuse or ignore it" +
                               didYouMean(name, names));
  }

  static std::string missing(const Parameter &parameter, const std::string &path) {
    const std::string property = path.empty() ? propertyFor(parameter.name) : "";
    std::string hint = parameter.about;
    if (!property.empty() && property != parameter.name)
      hint += (hint.empty() ? "" : "; ") + ("the property " + property + " sets it");
    return path + parameter.name + " is missing" + (hint.empty() ? "" : " (" + hint + ")");
  }

  void checkValue(JsonNode *node, const Parameter &parameter, const std::string &path) {
    if (JSON_NODE_HOLDS_NULL(node)) {
      if (!parameter.nullable)
        found.faults.push_back(path + " must not be null");
    } else if (!parameter.alternatives.empty()) {
      checkAlternatives(node, parameter, path);
    } else if (!hasType(node, parameter.type, parameter)) {
      found.faults.push_back(path + " is " + quoted(json::write(node)) + ", it must be of type " + parameter.type);
    } else if (JSON_NODE_HOLDS_OBJECT(node)) {
      if (!parameter.members.empty())
        checkMembers(json_node_get_object(node), parameter.members, path + ".");
    } else if (JSON_NODE_HOLDS_ARRAY(node)) {
      checkItems(json_node_get_array(node), parameter, path);
    } else {
      checkScalar(node, parameter, path);
    }
  }

  /// One of the alternatives must fit; what is found is reported by the nearest of them.
  void checkAlternatives(JsonNode *node, const Parameter &parameter, const std::string &path) {
    std::optional<Findings> nearest;
    const auto weight = [](const Findings &findings) {
      return std::pair(findings.faults.size(), findings.warnings.size());
    };
    for (const Parameter &alternative : parameter.alternatives) {
      if (!hasType(node, alternative.type, alternative))
        continue;
      FaultFinder attempt(unknownKeys_);
      attempt.checkValue(node, alternative, path);
      if (!nearest || weight(attempt.found) < weight(*nearest))
        nearest = std::move(attempt.found);
    }
    if (nearest) {
      std::ranges::move(nearest->faults, std::back_inserter(found.faults));
      std::ranges::move(nearest->warnings, std::back_inserter(found.warnings));
      return;
    }
    found.faults.push_back(path + " is " + quoted(json::write(node)) + ", it must be of type " + parameter.type);
  }

  void checkItems(JsonArray *array, const Parameter &parameter, const std::string &path) {
    const guint items = json_array_get_length(array);
    if (parameter.minimumItems && items < *parameter.minimumItems)
      found.faults.push_back(path + " has " + std::to_string(items) + " items, at least " +
                             std::to_string(*parameter.minimumItems) + " are needed");
    if (parameter.maximumItems && items > *parameter.maximumItems)
      found.faults.push_back(path + " has " + std::to_string(items) + " items, at most " +
                             std::to_string(*parameter.maximumItems) + " are allowed");
    Parameter item; // what is said of each item, which has no name
    item.type = parameter.itemType;
    item.isUri = parameter.itemIsUri;
    item.members = parameter.members;
    for (guint i = 0; i < items; ++i)
      checkValue(json_array_get_element(array, i), item, path + "[" + std::to_string(i) + "]");
  }

  void checkScalar(JsonNode *node, const Parameter &parameter, const std::string &path) {
    const std::string value = json::scalarText(node).value_or("");
    if (!parameter.allowed.empty()) {
      if (!isAllowed(node, parameter))
        found.faults.push_back(path + " is " + quoted(value) + ", allowed are " + allowedOf(parameter) +
                               didYouMean(value, parameter.allowed));
      return;
    }
    if (const auto number = numberIn(node, parameter))
      checkRange(*number, value, parameter, path);
    else if (holdsString(node))
      checkText(value, parameter, path);
  }

  void checkRange(double number, const std::string &value, const Parameter &parameter, const std::string &path) {
    if (number < parameter.minimum.value_or(number) || number > parameter.maximum.value_or(number))
      found.faults.push_back(path + " is " + value + ", allowed is " + rangeOf(parameter));
  }

  void checkText(const std::string &value, const Parameter &parameter, const std::string &path) {
    const auto length = static_cast<unsigned>(g_utf8_strlen(value.c_str(), static_cast<gssize>(value.size())));
    if (parameter.maximumLength && length > *parameter.maximumLength)
      found.faults.push_back(path + " has " + std::to_string(length) + " characters, at most " +
                             std::to_string(*parameter.maximumLength) + " are allowed");
    if (parameter.minimumLength && length < *parameter.minimumLength)
      found.faults.push_back(path + " has " + std::to_string(length) + " characters, at least " +
                             std::to_string(*parameter.minimumLength) + " are needed");
    if (parameter.isUri && !isMediaUri(value))
      found.faults.push_back(path + " is " + quoted(value) +
                             ", it must be a file that exists, an http or https address with a host, or a data URI");
    if (parameter.isUuid && !g_uuid_string_is_valid(value.c_str()))
      found.faults.push_back(path + " is " + quoted(value) + ", it must be a UUID");
  }

  const UnknownKeys unknownKeys_;
};

} // namespace

std::string joined(const std::vector<std::string> &parts, const char *separator) {
  std::string text;
  for (const std::string &part : parts)
    text += (text.empty() ? "" : separator) + part;
  return text;
}

std::string quoted(const std::string &value) {
  constexpr size_t longest = 60;
  if (value.size() <= longest)
    return "\"" + value + "\"";
  const GCharPtr valid(g_utf8_make_valid(value.c_str(), longest));
  return "\"" + std::string(valid.get()) + "…\"";
}

Findings findingsOf(JsonObject *body, const std::vector<Parameter> &parameters, const std::vector<Rule> &rules,
                    UnknownKeys unknownKeys) {
  FaultFinder finder(unknownKeys);
  finder.checkMembers(body, parameters, "");
  for (const Rule &rule : rules)
    if (const std::string fault = faultAgainst(rule, body); !fault.empty())
      finder.found.faults.push_back(fault);
  return std::move(finder.found);
}

std::vector<std::string> faultsOf(JsonObject *body, const std::vector<Parameter> &parameters,
                                  const std::vector<Rule> &rules) {
  return findingsOf(body, parameters, rules, UnknownKeys::Fault).faults;
}

} // namespace aimlvideo
