// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/reply.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include <aimlvideo/printable.h>

#include "base/json/node.h"

namespace aimlvideo {

namespace {

constexpr size_t longestMessage = 500;
constexpr size_t longestRawMessage = 200;

struct Word {
  std::string_view text;
  JobState state;
};

/// Every spelling seen in the service's documentation, its samples and its other clients.
constexpr std::array words{
    Word{"queued", JobState::Queued},         Word{"waiting", JobState::Queued},
    Word{"generating", JobState::Generating}, Word{"active", JobState::Generating},
    Word{"processing", JobState::Generating}, Word{"completed", JobState::Completed},
    Word{"complete", JobState::Completed},    Word{"succeeded", JobState::Completed},
    Word{"success", JobState::Completed},     Word{"done", JobState::Completed},
    Word{"ready", JobState::Completed},       Word{"finished", JobState::Completed},
    Word{"error", JobState::Failed},          Word{"failed", JobState::Failed},
    Word{"cancelled", JobState::Failed},      Word{"canceled", JobState::Failed},
    Word{"timeout", JobState::Failed},        Word{"timed_out", JobState::Failed},
    Word{"expired", JobState::Failed},
};

std::string lowered(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos)
    return {};
  const size_t last = text.find_last_not_of(" \t\r\n");
  std::string result(text.substr(first, last - first + 1));
  std::transform(result.begin(), result.end(), result.begin(), g_ascii_tolower);
  return result;
}

/// The first `longest` bytes of a text, or a few less so that no character is cut.
std::string_view shortened(std::string_view text, size_t longest) {
  if (text.size() <= longest)
    return text;
  size_t end = longest;
  const auto continues = [&](size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
  };
  while (end > 0 && longest - end < 3 && continues(end))
    --end;
  return text.substr(0, end);
}

/// One printable line of at most `longest` bytes, blanks run together.
std::string oneLine(std::string_view text, size_t longest) {
  std::string line;
  for (const char c : printable(shortened(text, longest)))
    if (c != ' ' || (!line.empty() && line.back() != ' '))
      line += c;
  line.resize(shortened(line, longest).size()); // what was no UTF-8 has become longer
  while (!line.empty() && line.back() == ' ')
    line.pop_back();
  return line;
}

std::string messageIn(JsonNode *error) {
  if (const auto text = json::scalarText(error))
    return *text;
  if (JsonObject *object = json::objectIn(error)) {
    std::string message = json::scalarText(json::member(object, "message")).value_or("");
    const std::string name = json::scalarText(json::member(object, "name")).value_or("");
    if (message.empty())
      message = name;
    else if (!name.empty())
      message = name + ": " + message;
    if (!message.empty())
      return message;
    if (JsonNode *detail = json::member(object, "detail"))
      return messageIn(detail);
    if (JsonNode *text = json::member(object, "msg"))
      return messageIn(text);
    return json_object_get_size(object) == 0 ? "" : json::write(error);
  }
  if (error && JSON_NODE_HOLDS_ARRAY(error)) {
    std::string message;
    JsonArray *array = json_node_get_array(error);
    for (guint i = 0; i < json_array_get_length(array); ++i) {
      const std::string one = messageIn(json_array_get_element(array, i));
      if (!one.empty())
        message += (message.empty() ? "" : "; ") + one;
    }
    return message;
  }
  return {};
}

/// The first URL in `video`: an object, an array of objects or strings, or a string.
std::string clipUrlIn(JsonNode *video) {
  if (!video)
    return {};
  if (JSON_NODE_HOLDS_VALUE(video) && json_node_get_value_type(video) == G_TYPE_STRING)
    return json_node_get_string(video);
  if (JSON_NODE_HOLDS_OBJECT(video))
    return clipUrlIn(json::member(json_node_get_object(video), "url"));
  if (JSON_NODE_HOLDS_ARRAY(video)) {
    JsonArray *array = json_node_get_array(video);
    for (guint i = 0; i < json_array_get_length(array); ++i) {
      std::string url = clipUrlIn(json_array_get_element(array, i));
      if (!url.empty())
        return url;
    }
  }
  return {};
}

Usage usageIn(JsonObject *root) {
  JsonObject *usage = json::objectIn(json::member(json::objectIn(json::member(root, "meta")), "usage"));
  Usage result;
  result.credits = json::money(json::member(usage, "credits_used"));
  if (!result.credits)
    result.credits = json::money(json::member(usage, "tokens_used"));
  result.usd = json::money(json::member(usage, "usd_spent"));
  return result;
}

/// Whether one of the signs is in a text of small letters.
bool mentions(const std::string &text, std::initializer_list<std::string_view> signs) {
  return std::any_of(signs.begin(), signs.end(),
                     [&](std::string_view sign) { return text.find(sign) != std::string::npos; });
}

bool mentionsModeration(const std::string &error) {
  return mentions(lowered(error), {"moderat", "content policy", "content_policy", "safety", "sensitive", "nsfw",
                                   "prohibited", "risk control"});
}

} // namespace

JobState jobStateFromWord(std::string_view word) {
  const std::string text = lowered(word);
  const auto known =
      std::find_if(words.begin(), words.end(), [&](const Word &candidate) { return candidate.text == text; });
  return known == words.end() ? JobState::Generating : known->state;
}

void Usage::update(const Usage &newer) {
  if (newer.credits)
    credits = newer.credits;
  if (newer.usd)
    usd = newer.usd;
}

tl::expected<Reply, std::string> parseReply(std::string_view body) {
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return tl::unexpected(std::string("the answer is empty"));
  const auto node = json::parse(body);
  if (!node)
    return tl::unexpected("the answer can't be read, " + node.error() + ": " + oneLine(body, longestRawMessage));
  JsonObject *root = json::objectIn(node->get());
  if (!root)
    return tl::unexpected("the answer is not a JSON object: " + oneLine(body, longestRawMessage));

  Reply reply;
  reply.id = json::scalarText(json::member(root, "id")).value_or("");
  if (reply.id.empty())
    reply.id = json::scalarText(json::member(root, "generation_id")).value_or("");
  reply.word = json::scalarText(json::member(root, "status")).value_or("");
  reply.state = jobStateFromWord(reply.word);
  reply.clipUrl = clipUrlIn(json::member(root, "video"));
  reply.error = oneLine(messageIn(json::member(root, "error")), longestMessage);
  reply.moderated = reply.state == JobState::Failed && mentionsModeration(reply.error);
  reply.usage = usageIn(root);
  return reply;
}

std::string serviceMessage(std::string_view body) {
  const auto node = json::parse(body);
  JsonObject *root = node ? json::objectIn(node->get()) : nullptr;
  if (!root)
    return oneLine(body, longestRawMessage);
  for (const char *name : {"error", "message", "title", "detail"}) {
    std::string message = messageIn(json::member(root, name));
    // application/problem+json (RFC 9457) has the kind in `title` and what is wrong this time in `detail`
    const std::string detail = messageIn(json::member(root, "detail"));
    if (std::string_view(name) == "title" && !message.empty() && !detail.empty())
      message += ": " + detail;
    if (!message.empty())
      return oneLine(message, longestMessage);
  }
  return oneLine(body, longestRawMessage);
}

std::string requestIdIn(std::string_view body) {
  const auto node = json::parse(body);
  JsonObject *root = node ? json::objectIn(node->get()) : nullptr;
  return json::scalarText(json::member(root, "requestId")).value_or("");
}

bool saysGenerationIsUnknown(std::string_view body, unsigned status, std::string_view generationId) {
  if (status != 400 && status != 404)
    return false;
  const auto node = json::parse(body);
  JsonObject *root = node ? json::objectIn(node->get()) : nullptr;
  for (const char *name : {"statusCode", "status"}) // another service's word, which a gateway has passed on
    if (const auto named = json::number(json::member(root, name)); named && *named != status)
      return false;
  std::string text;
  for (const char *name : {"error", "message", "title", "detail"})
    text += messageIn(json::member(root, name)) + "\n";
  if (text.find("Cannot GET") != std::string::npos) // the framework's sentence about a path, which holds the id too
    return false;
  const bool ofThisOne = !generationId.empty() && text.find(generationId) != std::string::npos;
  text = lowered(text);
  return (ofThisOne || mentions(text, {"generation", "inference"})) &&
         mentions(text, {"not found", "no such", "not exist", "unknown", "invalid", "malformed", "expired"});
}

} // namespace aimlvideo
