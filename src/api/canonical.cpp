// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/canonical.h"

#include <algorithm>
#include <vector>

#include "api/media.h"
#include "base/json/node.h"
#include "base/json/text.h"
#include "base/sha256.h"

namespace aimlvideo {

namespace {

class Writer {
public:
  explicit Writer(const std::map<std::string, std::string> &identities) : identities_(identities) {}

  void write(JsonNode *node, const std::string &place) {
    if (JSON_NODE_HOLDS_OBJECT(node))
      writeObject(json_node_get_object(node), place);
    else if (JSON_NODE_HOLDS_ARRAY(node))
      writeArray(json_node_get_array(node), place);
    else if (JSON_NODE_HOLDS_VALUE(node))
      writeValue(node, place);
    else
      text += "null";
  }

  std::string text;

private:
  void writeObject(JsonObject *object, const std::string &place) {
    std::vector<std::string> names = json::memberNames(object);
    std::sort(names.begin(), names.end());
    const char *separator = "{";
    for (const std::string &name : names) {
      text += separator;
      json::append(text, name);
      text += ':';
      write(json_object_get_member(object, name.c_str()), place.empty() ? name : place + "." + name);
      separator = ",";
    }
    text += names.empty() ? "{}" : "}";
  }

  void writeArray(JsonArray *array, const std::string &place) {
    text += "[";
    for (guint i = 0; i < json_array_get_length(array); ++i) {
      text += i == 0 ? "" : ",";
      write(json_array_get_element(array, i), place + "[" + std::to_string(i) + "]");
    }
    text += "]";
  }

  void writeValue(JsonNode *node, const std::string &place) {
    if (json_node_get_value_type(node) == G_TYPE_STRING) {
      const auto known = identities_.find(place);
      json::append(text, known == identities_.end() ? identityOfCarried(json_node_get_string(node)) : known->second);
    } else {
      text += json::write(node);
    }
  }

  const std::map<std::string, std::string> &identities_;
};

bool isRemote(const std::string &text) {
  return (text.starts_with("https://") || text.starts_with("http://")) &&
         text.find_first_of(" \t\r\n") == std::string::npos;
}

void collectRemote(JsonNode *node, std::vector<std::string> &found) {
  if (JsonObject *object = json::objectIn(node)) {
    for (const std::string &name : json::memberNames(object))
      collectRemote(json::member(object, name.c_str()), found);
  } else if (JSON_NODE_HOLDS_ARRAY(node)) {
    JsonArray *array = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(array); ++i)
      collectRemote(json_array_get_element(array, i), found);
  } else if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING) {
    if (const std::string text = json_node_get_string(node); isRemote(text))
      found.push_back(text);
  }
}

} // namespace

std::string identityOf(std::string_view bytes) {
  return "sha256:" + sha256(bytes);
}

std::string identityOfCarried(const std::string &carried) {
  const auto bytes = base64In(carried);
  return bytes ? identityOf(*bytes) : carried;
}

std::vector<std::string> remoteMediaIn(const std::string &canonical) {
  std::vector<std::string> found;
  if (const auto node = json::parse(canonical))
    collectRemote(node->get(), found);
  return found;
}

std::string canonicalJson(JsonNode *node, const std::map<std::string, std::string> &identities) {
  Writer writer(identities);
  writer.write(node, "");
  return writer.text;
}

} // namespace aimlvideo
