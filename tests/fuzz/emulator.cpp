// SPDX-License-Identifier: LGPL-2.1-or-later
// Requests to the emulator, as they come off the wire, several to one service. Each is a request line, headers, an
// empty line and a body; a line `--` separates them.
#include <algorithm>

#include "emulator/service/router.h"
#include "emulator/wire/mangle.h"
#include "fuzz.h"

using namespace aimlvideo::fuzz;
using namespace aimlvideo;
using namespace aimlvideo::emulator;

namespace {

constexpr std::string_view clipBytes = "....ftypisom0123456789abcdef0123456789abcdef";

ClipPtr smallClip() {
  auto clip = std::make_shared<Clip>();
  clip->bytes = Bytes(clipBytes);
  clip->etag = "\"0123\"";
  clip->modified = 1'700'000'000;
  return clip;
}

Options quick() {
  Options options;
  options.generationSeconds = 0;
  options.seed = 1;
  return options;
}

/// A service without its HTTP server.
struct Desk {
  const Options options = quick();
  Service service{options, smallClip()};
  Wires wires;
  Router router{service, wires};
};

/// A request as libsoup hands it over: the target is a valid URI, the headers are one line each.
std::optional<Request> read(std::string_view text) {
  std::string_view line = cutLine(text);
  Request request;
  request.method = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(line.size(), request.method.size() + 1));
  const std::string target = "http://127.0.0.1:8089" + std::string(line);
  const auto uri = adopt(g_uri_parse(target.c_str(), GUriFlags(SOUP_HTTP_URI_FLAGS), nullptr));
  if (!uri || !line.starts_with('/') || request.method.empty() || !isReadable(line) || !isOneLine(line))
    return std::nullopt;
  request.path = g_uri_get_path(uri.get());
  request.query = g_uri_get_query(uri.get()) ? g_uri_get_query(uri.get()) : "";
  request.origin = "http://127.0.0.1:8089";
  while (!text.empty()) {
    const std::string_view header = cutLine(text);
    if (header.empty())
      break;
    const size_t colon = header.find(": ");
    if (colon == std::string_view::npos || !isOneLine(header))
      return std::nullopt;
    const GCharPtr name(g_ascii_strdown(header.data(), static_cast<gssize>(colon)));
    request.headers[name.get()] = header.substr(colon + 2);
  }
  request.body = Bytes(text);
  return request;
}

void checkRange(const Response &response) {
  size_t first = 0, last = 0, size = 0;
  const std::string range = response.headerValue("Content-Range");
  must_hold(std::sscanf(range.c_str(), "bytes %zu-%zu/%zu", &first, &last, &size) == 3);
  must_hold(first <= last && last < size && size == clipBytes.size());
  must_hold(response.body.view() == clipBytes.substr(first, last - first + 1));
}

void checkHead(const Response &response) {
  must_hold(response.status >= 100 && response.status <= 599);
  must_hold(isOneLine(response.contentType));
  for (const auto &[name, value] : response.headers)
    must_hold(!name.empty() && isOneLine(name) && isOneLine(value));
}

void check(const Response &response) {
  checkHead(response);
  if (response.contentType.starts_with("application/json") && response.body.size() > 0)
    must_hold(Json::parse(response.body.view()).has_value());
  if (response.status == 206)
    checkRange(response);
}

/// What a body holds is walked through by recursion.
bool isShallow(const Json &json, int levels = 64) {
  if (levels < 0)
    return false;
  for (const Json &element : json.elements())
    if (!isShallow(element, levels - 1))
      return false;
  for (const std::string &name : json.names())
    if (!isShallow(json[name], levels - 1))
      return false;
  return true;
}

void handle(Desk &desk, const Request &request) {
  if (const auto body = Json::parse(request.body.view()))
    must_hold(isShallow(*body));
  const std::string phase = phaseOf(request);
  const auto fault = phase == "emulator" ? std::nullopt : desk.service.faults.pick(phase, request);
  std::optional<Response> response;
  const Reply reply = [&](Response given) {
    must_hold(!response); // answered once
    response = std::move(given);
  };
  if (fault && !fault->isAccepted())
    reply(refusalBy(*fault, request));
  else
    desk.router.handle(phase, request, fault ? &*fault : nullptr, reply);
  while (g_main_context_iteration(nullptr, FALSE)) // clips get ready
    ;
  must_hold(response.has_value());
  check(*response);
  if (fault) {
    Wire wire;
    mangle(*fault, request, *response, wire);
    checkHead(*response);
  }
}

} // namespace

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static Desk desk;
  Request reset;
  reset.method = "POST";
  reset.path = "/emulator/reset";
  handle(desk, reset);

  std::string_view text = textOf(data, size);
  while (!text.empty()) {
    const size_t end = std::min(text.find("\n--\n"), text.size());
    const auto request = read(text.substr(0, end));
    text.remove_prefix(std::min(end + 4, text.size()));
    if (request)
      handle(desk, *request);
  }
  return 0;
}
