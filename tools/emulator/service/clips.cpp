// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/service/clips.h"

#include <algorithm>
#include <charconv>

#include "emulator/service/replies.h"

namespace aimlvideo::emulator {

namespace {

/// At the end of the address that a moved clip has moved to.
constexpr char movedMark[] = "&x-moved=1";

struct Range {
  size_t first = 0, last = 0; ///< both included
};

enum class RangeWish { Whole, Part, Unsatisfiable };

Response xmlError(unsigned status, const std::string &code, const std::string &message) {
  Response response;
  response.status = status;
  response.contentType = "application/xml";
  response.body = Bytes("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + code + "</Code><Message>" +
                        message + "</Message></Error>");
  return response;
}

std::optional<size_t> readNumber(std::string_view text) {
  size_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

/// One range is honoured; a malformed header or several ranges get the whole, as RFC 9110 allows.
RangeWish readRange(std::string_view header, size_t size, Range &range) {
  constexpr std::string_view unit = "bytes=";
  if (!header.starts_with(unit))
    return RangeWish::Whole;
  header.remove_prefix(unit.size());
  const size_t dash = header.find('-');
  if (dash == std::string_view::npos)
    return RangeWish::Whole;
  const auto first = readNumber(header.substr(0, dash)), last = readNumber(header.substr(dash + 1));
  const bool hasFirst = dash > 0, hasLast = dash + 1 < header.size();
  if ((hasFirst && !first) || (hasLast && !last) || (!hasFirst && !hasLast) || (first && last && *first > *last))
    return RangeWish::Whole;
  if (!first) {
    if (*last == 0)
      return RangeWish::Unsatisfiable;
    range = {size - std::min(size, *last), size - 1};
    return RangeWish::Part;
  }
  if (*first >= size)
    return RangeWish::Unsatisfiable;
  range = {*first, std::min(last.value_or(size - 1), size - 1)};
  return RangeWish::Part;
}

/// If-Range: the range counts only while the clip is still the one that the client knows.
bool isStillTheSame(const Request &request, const std::string &etag, gint64 modified) {
  const std::string condition = request.header("if-range");
  if (condition.empty() || condition == etag)
    return true;
  const auto date = readHttpTime(condition);
  return !condition.starts_with('"') && date && *date == modified;
}

/// Whether the answer carries the last byte, after which a client has it all.
bool endsWithTheClip(const Request &request, const Response &response, size_t size) {
  if (request.method != "GET" || (response.status != 200 && response.status != 206))
    return false;
  const std::string range = response.headerValue("Content-Range");
  return range.empty() || range.ends_with("-" + std::to_string(size - 1) + "/" + std::to_string(size));
}

} // namespace

Response serveClip(const Request &request, const Clip &clip, const std::string &etag) {
  Response response;
  response.contentType = "video/mp4";
  response.header("ETag", etag).header("Last-Modified", httpTime(clip.modified));
  response.header("Content-Disposition", "attachment; filename=\"output.mp4\"");
  if (request.header("if-none-match") == etag) {
    response.status = 304;
    return response;
  }
  response.body = clip.bytes;
  response.header("Accept-Ranges", "bytes");
  Range range;
  const std::string size = std::to_string(clip.bytes.size());
  RangeWish wish = request.method == "GET" && isStillTheSame(request, etag, clip.modified)
                       ? readRange(request.header("range"), clip.bytes.size(), range)
                       : RangeWish::Whole;
  if (wish == RangeWish::Unsatisfiable)
    return xmlError(416, "InvalidRange", "The requested range is not satisfiable")
        .header("Content-Range", "bytes */" + size);
  if (wish == RangeWish::Part) {
    response.status = 206;
    response.header("Content-Range",
                    "bytes " + std::to_string(range.first) + "-" + std::to_string(range.last) + "/" + size);
    response.body = clip.bytes.slice(range.first, range.last - range.first + 1);
  }
  return response;
}

Response Clips::get(const Request &request, const Fault *fault) {
  if (request.headers.contains("authorization")) {
    service_.report.countAuthorizationOnClip();
    return xmlError(403, "AccessDenied", "Only one auth mechanism allowed; the signature or the Authorization header");
  }
  TaskPtr task = service_.taskOfClip(request);
  if (!task)
    return xmlError(404, "NoSuchKey", "The specified key does not exist");
  const std::string kind = fault ? fault->kind : "";
  if (fault)
    task->faults.push_back(kind);
  // Links given out until now are invalid from here on; the next poll names a new one.
  if (kind == "expired-link")
    ++task->linkEdition;
  if (auto refusal = refuse(request, fault, *task, clipTarget(*task)))
    return *refusal;
  ++task->downloads;
  Response response = handOut(request, fault, task);
  if (endsWithTheClip(request, response, task->clip->bytes.size()))
    service_.tasks.fetched(task);
  return response;
}

std::optional<Response> Clips::refuse(const Request &request, const Fault *fault, const Task &task,
                                      const std::string &target) {
  const std::string kind = fault ? fault->kind : "";
  const bool isMoved = request.target() == target + movedMark;
  if (!isMoved && request.target() != target)
    return kind == "expired-link" ? xmlError(fault->status(403), "AccessDenied", "Request has expired")
                                  : xmlError(403, "SignatureDoesNotMatch", "The signature does not match the request");
  if (task.state(monotonicSeconds()) != State::Completed || !task.clip)
    return xmlError(404, "NoSuchKey", "The specified key does not exist");
  if (kind == "moved-link" && (!isMoved || fault->settings["loop"].boolean()))
    return xmlError(fault->status(302), "Moved", "See Location")
        .header("Location", fault->settings["target"].string(request.origin + target + movedMark));
  return std::nullopt;
}

Response Clips::handOut(const Request &request, const Fault *fault, const TaskPtr &task) {
  const std::string kind = fault ? fault->kind : "";
  const std::string etag = kind == "changing-etag" ? "\"changed-" + std::to_string(++etags_) + '"' : task->clip->etag;
  if (kind != "ignored-range")
    return serveClip(request, *task->clip, etag);
  Request plain = request;
  plain.headers.erase("range");
  Response whole = serveClip(plain, *task->clip, etag);
  std::erase_if(whole.headers, [](const auto &header) { return header.first == "Accept-Ranges"; });
  return whole;
}

} // namespace aimlvideo::emulator
