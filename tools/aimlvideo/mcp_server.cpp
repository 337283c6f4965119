// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mcp_server.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include <glib-unix.h>
#include <unistd.h>

#include <aimlvideo/printable.h>

#include "config.h"
#include "envelope.h"

namespace aimlvideo::cli {

namespace {

constexpr auto modernVersion = "2026-07-28";
/// Which begin with a handshake, newest first. In 2025-03-26 a server had to take batches as well.
constexpr const char *legacyVersions[] = {"2025-11-25", "2025-06-18", "2024-11-05"};

constexpr int parseError = -32700;
constexpr int invalidRequest = -32600;
constexpr int methodNotFound = -32601;
constexpr int invalidParams = -32602;
constexpr int resourceNotFoundBefore2026 = -32002;
constexpr int unsupportedVersion = -32022;

/// Room for a picture of 50 MB as a data URI.
constexpr size_t longestLine = 80U << 20;

std::string keyOf(const char *name) {
  return std::string("io.modelcontextprotocol/") + name;
}

json::Value serverInfo() {
  return json::Value::object(
      {{"name", "aimlvideo"}, {"title", "Video models of the AI/ML API"}, {"version", PACKAGE_VERSION}});
}

json::Value capabilities() {
  return json::Value::object({{"tools", json::Value::object()}, {"resources", json::Value::object()}});
}

json::Value supportedVersions() {
  json::Value versions = json::Value::array({modernVersion});
  for (const char *version : legacyVersions)
    versions.add(version);
  return versions;
}

/// Nothing that is listed changes while the process lives, and it is this user's.
void setCacheable(json::Value &result) {
  constexpr int hour = 3600 * 1000;
  result.set("ttlMs", hour).set("cacheScope", "private");
}

bool canBeId(const json::Value &id) {
  return id.isString() || id.isNumber();
}

} // namespace

McpServer::~McpServer() {
  for (const guint source : {watch_, ending_})
    if (source != 0)
      g_source_remove(source);
  inbox_->close();
  calls_.clear();
}

void McpServer::serve(int descriptor, std::function<void()> ended) {
  descriptor_ = descriptor;
  ended_ = std::move(ended);
  watch_ = g_unix_fd_add(
      descriptor, static_cast<GIOCondition>(G_IO_IN | G_IO_HUP | G_IO_ERR),
      [](gint, GIOCondition, gpointer self) -> gboolean { return static_cast<McpServer *>(self)->readMore(); }, this);
}

/// Whether there may be more.
bool McpServer::readMore() {
  char buffer[1 << 16];
  const ssize_t count = read(descriptor_, buffer, sizeof buffer);
  if (count < 0 && (errno == EINTR || errno == EAGAIN))
    return true;
  if (count <= 0) {
    watch_ = 0;
    lastLineRead();
    return false;
  }
  std::string_view rest(buffer, static_cast<size_t>(count));
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const auto part = rest.substr(0, end);
    if (line_.size() + part.size() > longestLine)
      takeTooLong();
    if (!tooLong_)
      line_ += part;
    if (end == std::string_view::npos)
      return true;
    if (!std::exchange(tooLong_, false))
      take(std::exchange(line_, {}));
    rest.remove_prefix(end + 1);
  }
  return true;
}

void McpServer::takeTooLong() {
  if (std::exchange(tooLong_, true))
    return;
  std::string().swap(line_);
  refuse({}, {parseError, "a message is longer than " + std::to_string(longestLine >> 20) + " MiB"});
}

/// The client has gone. Calls have a moment to end; what is under way at the service is in the ledger.
void McpServer::lastLineRead() {
  if (!tooLong_ && !line_.empty())
    take(std::exchange(line_, {}));
  if (calls_.empty())
    return end();
  constexpr guint grace = 5000; // milliseconds
  watch_ = 0;
  ending_ = g_timeout_add_once(
      grace,
      [](gpointer self) {
        static_cast<McpServer *>(self)->ending_ = 0;
        static_cast<McpServer *>(self)->end();
      },
      this);
}

void McpServer::end() {
  if (ended_)
    std::exchange(ended_, {})();
}

void McpServer::take(const std::string &line) {
  if (line.find_first_not_of(" \t\r") == std::string::npos)
    return;
  const auto parsed = json::Value::parse(line);
  if (!parsed)
    return refuse({}, {parseError, "the message can't be read: " + parsed.error()});
  const json::Value &message = *parsed;
  if (!message.isObject())
    return refuse({},
                  {invalidRequest, message.isArray() ? "batches are not part of the protocol: send one message a line"
                                                     : "a message is a JSON object"});
  const json::Value id = message["id"];
  const json::Value method = message["method"];
  const json::Value params = message["params"];
  if (message["jsonrpc"].string() != "2.0" || (id.exists() && !canBeId(id)))
    return refuse(canBeId(id) ? id : json::Value(),
                  {invalidRequest, "a message has jsonrpc \"2.0\", and an id that is a text or a number"});
  if (!method.exists() && (message["result"].exists() || message["error"].exists()))
    return; // an answer: nothing is asked of the client
  if (!method.isString() || (params.exists() && !params.isObject()))
    return refuse(id, {invalidRequest, "a request has a method, which is a text, and params, which are an object"});
  if (!id.exists())
    return notified(method.string(), params);
  Request request{id, method.string(), params.exists() ? params : json::Value::object()};
  if (const auto refusal = checkEra(request))
    return refuse(id, *refusal);
  handle(request);
}

void McpServer::notified(const std::string &method, const json::Value &params) {
  if (method == "notifications/cancelled")
    calls_.erase(params["requestId"].dump());
}

/// By which rules a request is to be answered: those that it names itself, or those of the handshake.
std::optional<McpServer::Refusal> McpServer::checkEra(Request &request) const {
  const json::Value meta = request.params["_meta"];
  const json::Value version = meta[keyOf("protocolVersion")];
  if (!version.exists()) {
    const bool isOpening = request.method == "initialize" || request.method == "ping";
    if (initialized_ || isOpening)
      return {};
    return Refusal{invalidParams, "_meta names no " + keyOf("protocolVersion") + ", and nobody has called initialize"};
  }
  request.modern = true;
  if (version.string() != modernVersion)
    return Refusal{unsupportedVersion, "Unsupported protocol version",
                   json::Value::object({{"supported", supportedVersions()}, {"requested", version}})};
  if (!meta[keyOf("clientCapabilities")].isObject())
    return Refusal{invalidParams, "_meta has no " + keyOf("clientCapabilities")};
  return {};
}

void McpServer::handle(const Request &request) {
  if (request.method == "tools/call")
    return callTool(request);
  auto answered = answer(request);
  if (answered)
    reply(request, std::move(*answered));
  else
    refuse(request.id, answered.error());
}

McpServer::Answered McpServer::answer(const Request &request) {
  const std::string &method = request.method;
  if (request.modern && method == "server/discover") {
    json::Value result = json::Value::object({{"supportedVersions", supportedVersions()},
                                              {"capabilities", capabilities()},
                                              {"instructions", instructions_}});
    setCacheable(result);
    return result;
  }
  if (!request.modern && method == "initialize")
    return initialize(request.params);
  if (!request.modern && method == "ping")
    return json::Value::object();
  if (method == "tools/list")
    return listTools();
  if (method == "resources/list")
    return listResources();
  if (method == "resources/templates/list") {
    json::Value result = json::Value::object({{"resourceTemplates", json::Value::array()}});
    setCacheable(result);
    return result;
  }
  if (method == "resources/read")
    return readResource(request);
  return tl::unexpected(Refusal{methodNotFound, "there is no method " + method});
}

McpServer::Answered McpServer::initialize(const json::Value &params) {
  const std::string asked = params["protocolVersion"].string();
  if (asked.empty())
    return tl::unexpected(Refusal{invalidParams, "initialize needs a protocolVersion"});
  initialized_ = true;
  const auto *const known = std::find(std::begin(legacyVersions), std::end(legacyVersions), asked);
  return json::Value::object({{"protocolVersion", known == std::end(legacyVersions) ? legacyVersions[0] : *known},
                              {"capabilities", capabilities()},
                              {"serverInfo", serverInfo()},
                              {"instructions", instructions_}});
}

McpServer::Answered McpServer::listTools() const {
  json::Value tools = json::Value::array();
  for (const Tool &tool : tools_)
    tools.add(json::Value::object({{"name", tool.name},
                                   {"title", tool.title},
                                   {"description", tool.description},
                                   {"inputSchema", tool.inputSchema},
                                   {"annotations", tool.annotations}}));
  json::Value result = json::Value::object({{"tools", tools}});
  setCacheable(result);
  return result;
}

McpServer::Answered McpServer::listResources() const {
  json::Value list = json::Value::array();
  for (const Resource &resource : resources_)
    list.add(json::Value::object({{"uri", resource.uri},
                                  {"name", resource.name},
                                  {"description", resource.description},
                                  {"mimeType", "application/json"}}));
  json::Value result = json::Value::object({{"resources", list}});
  setCacheable(result);
  return result;
}

McpServer::Answered McpServer::readResource(const Request &request) const {
  const std::string uri = request.params["uri"].string();
  const auto found =
      std::find_if(resources_.begin(), resources_.end(), [&](const Resource &resource) { return resource.uri == uri; });
  if (found == resources_.end())
    return tl::unexpected(Refusal{request.modern ? invalidParams : resourceNotFoundBefore2026,
                                  "there is no such resource", json::Value::object({{"uri", uri}})});
  const json::Value content =
      json::Value::object({{"uri", uri}, {"mimeType", "application/json"}, {"text", found->read().dump()}});
  json::Value result = json::Value::object({{"contents", json::Value::array({content})}});
  result.set("ttlMs", 0).set("cacheScope", "private");
  return result;
}

void McpServer::callTool(const Request &request) {
  const std::string key = request.id.dump();
  if (calls_.contains(key))
    return refuse(request.id, {invalidRequest, "a request with this id is under way"});
  const std::string name = request.params["name"].string();
  const json::Value arguments = request.params["arguments"];
  const auto tool = std::find_if(tools_.begin(), tools_.end(), [&](const Tool &entry) { return entry.name == name; });
  if (tool == tools_.end())
    return refuse(request.id, {invalidParams, "there is no tool \"" + name + "\""});
  if (arguments.exists() && !arguments.isObject())
    return refuse(request.id, {invalidParams, "the arguments of a tool are an object"});
  const auto call = std::make_shared<int>(0); // tells this call from a later one with the same id
  const std::weak_ptr<int> alive = call;
  auto begun = tool->call(arguments.exists() ? arguments : json::Value::object(),
                          [this, inbox = inbox_, key, request, alive](const json::Value &envelope) {
                            inbox->post([this, key, request, alive, envelope] {
                              if (!alive.expired())
                                endCall(key, request, envelope);
                            });
                          });
  if (!begun) // for the model to put right, so that it is no error of the protocol
    return endCall(key, request, answerOf(name, {}, errorOf("usage", begun.error())));
  calls_[key] = std::make_shared<std::pair<std::shared_ptr<int>, std::shared_ptr<void>>>(call, std::move(*begun));
}

void McpServer::endCall(const std::string &key, const Request &request, const json::Value &envelope) {
  const auto call = calls_.extract(key); // until this has returned
  // what is not ready yet is no failure
  const bool failed = !envelope["ok"].boolean() && !envelope["error"]["retry_after"].exists();
  const json::Value text = json::Value::object({{"type", "text"}, {"text", envelope.dump()}});
  reply(request, json::Value::object(
                     {{"content", json::Value::array({text})}, {"structuredContent", envelope}, {"isError", failed}}));
  if (watch_ == 0 && calls_.empty())
    end();
}

void McpServer::reply(const Request &request, json::Value result) const {
  if (request.modern)
    result.set("resultType", "complete")
        .set("_meta", json::Value::object({{keyOf("serverInfo").c_str(), serverInfo()}}));
  send(json::Value::object({{"jsonrpc", "2.0"}, {"id", request.id}, {"result", result}}));
}

void McpServer::refuse(const json::Value &id, const Refusal &refusal) const {
  const json::Value error =
      json::Value::object({{"code", refusal.code}, {"message", refusal.message}, {"data", refusal.data}});
  send(json::Value::object({{"jsonrpc", "2.0"}, {"id", id}, {"error", error}}));
}

void McpServer::send(const json::Value &message) {
  const std::string line = printableJson(message.dump()) + "\n";
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

} // namespace aimlvideo::cli
