// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/wire/mangle.h"

#include <algorithm>
#include <string>
#include <unordered_map>

namespace aimlvideo::emulator {

namespace {

const char *documentedMessage(unsigned status) {
  switch (status) {
  case 400:
    return "Body validation error";
  case 401:
    return "This request requires a valid API key. You can create an API key on the billing page: "
           "https://aimlapi.com/app/keys";
  case 403:
    return "You've run out of credits. Please top up your balance or update your payment method to continue: "
           "https://aimlapi.com/app/billing";
  case 404:
    return "Not Found";
  case 429:
    return "Too Many Requests";
  case 500:
    return "Something wrong with the server. Please try again later or contact support.";
  case 502:
    return "Bad Gateway";
  case 503:
    return "Service unavailable";
  case 504:
    return "Generation timeout";
  default:
    return soup_status_get_phrase(status);
  }
}

std::string htmlPage(unsigned status) {
  const std::string title = std::to_string(status) + " " + soup_status_get_phrase(status);
  return "<!DOCTYPE html>\n<html>\n<head><title>" + title + "</title></head>\n<body>\n<center><h1>" + title +
         "</h1></center>\n<hr><center>nginx</center>\n</body>\n</html>\n";
}

/// Seconds as a number, or an HTTP date that many seconds from now.
std::string retryAfter(const Fault &fault) {
  const Json value = fault.settings["retry_after"];
  if (value.isString())
    return value.string();
  const auto seconds = static_cast<gint64>(value.number());
  if (fault.settings["retry_after_as_date"].boolean())
    return httpTime(g_get_real_time() / G_USEC_PER_SEC + seconds);
  return std::to_string(seconds);
}

void applyStatus(const Fault &fault, const Request &request, Response &response) {
  auto status = fault.status(500);
  Json body = fault.settings["body"];
  if (body.exists()) {
    response.body = Bytes(body.isString() ? body.string() : body.dump());
    response.contentType = fault.settings["content_type"].string(body.isString() ? "text/plain" : "application/json");
    response.status = status;
    response.headers.clear();
  } else {
    response = errorResponse(request, status, fault.settings["message"].string(documentedMessage(status)));
  }
  if (fault.settings["retry_after"].exists())
    response.header("Retry-After", retryAfter(fault));
}

size_t limitOf(const Fault &fault, const Response &response) {
  if (fault.settings["bytes"].isNumber())
    return static_cast<size_t>(std::clamp(fault.settings["bytes"].number(), 0.0, 1e15));
  return response.body.size() / 2;
}

void setHeader(Response &response, const std::string &name, const std::string &value) {
  std::erase_if(response.headers, [&](const auto &header) { return header.first == name; });
  response.header(name, value);
}

/// Shifted by one: the bytes are not those that the header says.
std::string shiftedRange(const Response &response) {
  size_t first = 0, last = 0, size = 0;
  const std::string range = response.headerValue("Content-Range");
  if (std::sscanf(range.c_str(), "bytes %zu-%zu/%zu", &first, &last, &size) != 3)
    return "bytes 0-0/" + std::to_string(response.body.size());
  return "bytes " + std::to_string(first + 1) + "-" + std::to_string(last + 1) + "/" + std::to_string(size + 1);
}

using Mangler = void (*)(const Fault &, const Request &, Response &, Wire &);

const std::unordered_map<std::string, Mangler> &manglers() {
  static const std::unordered_map<std::string, Mangler> table = {
      {"lost-before",
       [](const Fault &, const Request &, Response &, Wire &wire) {
         wire.isSilent = true;
       }},
      {"lost-after",
       [](const Fault &, const Request &, Response &, Wire &wire) {
         wire.isSilent = true;
       }},
      {"status",
       [](const Fault &fault, const Request &request, Response &response, Wire &) {
         applyStatus(fault, request, response);
       }},
      {"reset",
       [](const Fault &fault, const Request &, Response &response, Wire &wire) {
         wire.end = Wire::End::Reset;
         wire.isSilent = !fault.settings["bytes"].exists();
         wire.bodyLimit = limitOf(fault, response);
       }},
      {"stall",
       [](const Fault &fault, const Request &, Response &response, Wire &wire) {
         wire.end = Wire::End::Stall;
         wire.isSilent = !fault.settings["bytes"].exists();
         wire.bodyLimit = limitOf(fault, response);
       }},
      {"slow",
       [](const Fault &fault, const Request &, Response &, Wire &wire) {
         wire.bytesPerSecond = std::max(1.0, fault.settings["bytes_per_second"].number(100));
       }},
      {"html",
       [](const Fault &fault, const Request &, Response &response, Wire &) {
         response.status = fault.status(200);
         response.contentType = "text/html";
         response.body = Bytes(htmlPage(response.status == 200 ? 502 : response.status));
       }},
      {"empty",
       [](const Fault &fault, const Request &, Response &response, Wire &) {
         response.status = fault.status(response.status);
         response.body = Bytes();
       }},
      {"invalid-json",
       [](const Fault &fault, const Request &, Response &response, Wire &) {
         const std::string half(response.body.view().substr(0, response.body.size() / 2));
         response.body = Bytes(fault.settings["body"].string(half));
       }},
      {"truncated",
       [](const Fault &fault, const Request &, Response &response, Wire &wire) {
         wire.bodyLimit = limitOf(fault, response);
       }},
      {"wrong-length",
       [](const Fault &fault, const Request &, Response &response, Wire &wire) {
         const auto delta = static_cast<long>(std::clamp(fault.settings["delta"].number(-16), -1e12, 1e12));
         wire.declaredLength = std::max(0L, static_cast<long>(response.body.size()) + delta);
       }},
      {"wrong-content-range",
       [](const Fault &fault, const Request &, Response &response, Wire &) {
         if (response.status == 206)
           setHeader(response, "Content-Range", fault.settings["value"].string(shiftedRange(response)));
       }},
      {"chunked", [](const Fault &, const Request &, Response &, Wire &wire) {
         wire.isChunked = true;
       }}};
  return table;
}

} // namespace

Response refusalBy(const Fault &fault, const Request &request) {
  // Only "status" says what comes instead of the answer; for the others that is seldom seen.
  const auto status = fault.status(503);
  return errorResponse(request, status, documentedMessage(status));
}

void mangle(const Fault &fault, const Request &request, Response &response, Wire &wire) {
  const auto mangler = manglers().find(fault.kind);
  if (mangler != manglers().end())
    mangler->second(fault, request, response, wire);
}

} // namespace aimlvideo::emulator
