// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/samples.h"

#include <algorithm>
#include <cmath>

#include "base/json/node.h"

namespace aimlvideo::test {

namespace {

constexpr auto image = "data:image/png;base64,iVBORw0KGgo=";

JsonNode *textNode(const std::string &text) {
  return json_node_init_string(json_node_alloc(), text.c_str());
}

Body parsed(const std::string &text) {
  // the parser hands out what may not be changed
  return adopt(json_node_copy(json::parse("[" + text + "]").value().get()));
}

Body only(const std::string &json) {
  const Body list = parsed(json);
  return adopt(json_node_copy(json_array_get_element(json_node_get_array(list.get()), 0)));
}

/// `choice` is a value in its JSON spelling without quotes.
JsonNode *choiceNode(const std::string &choice, const std::string &type) {
  return type == "string" ? textNode(choice) : only(choice).release();
}

std::string firstType(const Parameter &parameter) {
  return parameter.type.substr(0, parameter.type.find('|'));
}

} // namespace

Body Samples::smallest() {
  return compose(Extent::Required);
}

Body Samples::fullest() {
  return compose(Extent::All);
}

Body Samples::any() {
  return compose(Extent::Some);
}

Body Samples::compose(Extent extent) {
  const auto body = object(model_.parameters, extent);
  if (extent != Extent::Some || below(10) > 0)
    keepRules(body.get());
  return adopt(json_node_init_object(json_node_alloc(), body.get()));
}

GRefPtr<JsonObject> Samples::object(const std::vector<Parameter> &parameters, Extent extent) {
  auto result = adopt(json_object_new());
  for (const Parameter &parameter : parameters)
    if (parameter.required || extent == Extent::All || (extent == Extent::Some && below(3) == 0))
      json_object_set_member(result.get(), parameter.name.c_str(), value(parameter, extent));
  return result;
}

JsonNode *Samples::value(const Parameter &parameter, Extent extent) {
  if (extent == Extent::Some && parameter.nullable && below(8) == 0)
    return json_node_new(JSON_NODE_NULL);
  if (!parameter.alternatives.empty())
    return value(
        parameter
            .alternatives[extent == Extent::Some ? below(static_cast<unsigned>(parameter.alternatives.size())) : 0],
        extent);
  const std::string type = firstType(parameter);
  if (!parameter.allowed.empty())
    return choiceNode(parameter.allowed[below(static_cast<unsigned>(parameter.allowed.size()))], type);
  if (type == "array")
    return array(parameter, extent);
  if (type == "object")
    return json_node_init_object(json_node_alloc(), object(parameter.members, extent).get());
  if (type == "boolean")
    return json_node_init_boolean(json_node_alloc(), below(2) == 0);
  if (type == "integer" || type == "number")
    return number(parameter);
  if (parameter.isUri)
    return textNode(below(2) == 0 ? "https://example.com/a.png" : image);
  if (parameter.isUuid)
    return textNode("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
  if (parameter.name == "duration")
    return textNode("5");
  return textNode(std::string(std::max(parameter.minimumLength.value_or(1), 1 + below(4)), 'a'));
}

JsonNode *Samples::array(const Parameter &parameter, Extent extent) {
  const unsigned least = std::max(parameter.minimumItems.value_or(1), 1U);
  const unsigned most = std::min(parameter.maximumItems.value_or(least + 2), least + 3);
  Parameter item;
  item.name = "item";
  item.type = parameter.itemType.empty() ? "string" : parameter.itemType;
  item.isUri = parameter.itemIsUri;
  item.members = parameter.members;
  const auto list = adopt(json_array_new());
  const unsigned count = extent == Extent::Required ? least : least + below(std::max(most, least) - least + 1);
  for (unsigned i = 0; i < count; ++i)
    json_array_add_element(list.get(), value(item, extent));
  return json_node_init_array(json_node_alloc(), list.get());
}

JsonNode *Samples::number(const Parameter &parameter) {
  const double least = parameter.minimum.value_or(0);
  const double most = parameter.maximum.value_or(least + 100);
  const double any = std::uniform_real_distribution<double>(least, most)(random_);
  if (parameter.type == "integer")
    return json_node_init_int(json_node_alloc(), static_cast<gint64>(std::llround(any)));
  return json_node_init_double(json_node_alloc(), any);
}

void Samples::keepRules(JsonObject *body) {
  for (const Rule &rule : model_.rules) {
    const std::string first = rule.parameters.front();
    switch (rule.kind) {
    case Rule::Kind::ExactlyOne:
      for (const std::string &name : rule.parameters)
        json_object_remove_member(body, name.c_str());
      json_object_set_member(body, first.c_str(), value(*model_.parameter(first), Extent::All));
      break;
    case Rule::Kind::AtMostOnce: {
      JsonNode *list = json::member(body, first.substr(0, first.find('[')).c_str());
      if (list && JSON_NODE_HOLDS_ARRAY(list))
        for (guint i = 1; i < json_array_get_length(json_node_get_array(list)); ++i)
          json_object_remove_member(json_array_get_object_element(json_node_get_array(list), i),
                                    first.substr(first.find("].") + 2).c_str());
      break;
    }
    case Rule::Kind::Needs:
      if (json_object_has_member(body, first.c_str()))
        json_object_set_member(body, rule.other.c_str(), only(rule.values.front()).release());
      break;
    case Rule::Kind::Pair: {
      const bool pair = JSON_NODE_HOLDS_ARRAY(json_object_get_member(body, first.c_str()));
      json_object_set_member(body, rule.other.c_str(), textNode(pair ? rule.values.front() : "squish"));
      break;
    }
    }
  }
}

std::string Samples::spoil(const Body &body) {
  JsonObject *object = json_node_get_object(body.get());
  if (below(8) == 0) {
    json_object_set_int_member(object, "no_such_parameter", 1);
    return "an unknown parameter";
  }
  const Parameter &parameter = model_.parameters[below(static_cast<unsigned>(model_.parameters.size()))];
  if (parameter.required && below(5) == 0) {
    json_object_remove_member(object, parameter.name.c_str());
    return parameter.name + " left out";
  }
  // most of these are wrong for most parameters; what they are is for the judges to say
  static const char *const values[] = {"null",    "true",          "5",      "\"5\"", "5.5",     "-1",      "1e9",
                                       "\"\"",    "\"a\"",         "[]",     "{}",    "[1]",     "[\"a\"]", "5.0",
                                       "\"5.0\"", "\"ftp://h/x\"", "[null]", "[{}]",  "\"16:9\""};
  if (const auto wrong = wrongValuesFor(parameter); !wrong.empty() && below(2) == 0) {
    const auto &chosen = wrong[below(static_cast<unsigned>(wrong.size()))];
    json_object_set_member(object, parameter.name.c_str(), json_node_copy(chosen.value.get()));
    return parameter.name + " with a wrong value";
  }
  const char *chosen = values[below(std::size(values))];
  json_object_set_member(object, parameter.name.c_str(), only(chosen).release());
  return parameter.name + " set to " + chosen;
}

std::vector<WrongValue> wrongValuesFor(const Parameter &parameter) {
  std::vector<WrongValue> wrong;
  const auto add = [&](const std::string &json, const std::string &expected) {
    wrong.push_back({only(json), expected});
  };
  const std::string type = firstType(parameter);
  if (!parameter.nullable)
    add("null", "must not be null");
  if (!parameter.alternatives.empty()) {
    add("true", "it must be of type " + parameter.type);
    return wrong;
  }
  add(type == "boolean" ? "\"yes\"" : "true", "it must be of type " + parameter.type);
  if (type == "integer" && parameter.allowed.empty())
    add("1.5", "of type integer");
  if (!parameter.allowed.empty())
    add(type == "string" ? "\"no such value\"" : "987654", "allowed are " + parameter.allowed.front());
  if (parameter.allowed.empty() && parameter.minimum)
    add(std::to_string(static_cast<long>(*parameter.minimum) - 1), "allowed is ");
  if (parameter.allowed.empty() && parameter.maximum)
    add(std::to_string(static_cast<long>(*parameter.maximum) + 1), "allowed is ");
  if (parameter.maximumLength)
    add("\"" + std::string(*parameter.maximumLength + 1, 'a') + "\"",
        "at most " + std::to_string(*parameter.maximumLength) + " are allowed");
  if (parameter.minimumLength.value_or(0) > 0)
    add("\"\"", "at least " + std::to_string(*parameter.minimumLength) + " are needed");
  if (parameter.isUri)
    add("\"no-such-file.png\"", "it must be a file that exists");
  if (type != "array")
    return wrong;
  std::string items;
  for (unsigned i = 0; parameter.maximumItems && i <= *parameter.maximumItems; ++i)
    items += std::string(i == 0 ? "" : ",") + (parameter.itemType == "object" ? "{}" : "\"https://h/a\"");
  if (parameter.maximumItems)
    add("[" + items + "]", "at most " + std::to_string(*parameter.maximumItems) + " are allowed");
  if (parameter.minimumItems.value_or(0) > 0)
    add("[]", "at least " + std::to_string(*parameter.minimumItems) + " are needed");
  if (!parameter.itemType.empty())
    add("[true]", "[0] is \"true\", it must be of type " + parameter.itemType);
  if (parameter.itemIsUri)
    add("[\"no-such-file.png\"]", "[0] is \"no-such-file.png\"");
  return wrong;
}

} // namespace aimlvideo::test
