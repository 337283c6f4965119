// SPDX-License-Identifier: LGPL-2.1-or-later
#include "envelope.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <aimlvideo/printable.h>

namespace aimlvideo::cli {

namespace {

constexpr int version = 1;

void setText(json::Value &object, const char *name, const std::string &text) {
  if (!text.empty())
    object.set(name, text);
}

/// In which nothing acts on a terminal.
void write(const json::Value &value, json::Layout layout) {
  const std::string text = printableJson(value.dump(layout));
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

json::Value jsonOf(const ErrorCode &code, const std::string &message, const std::string &hint) {
  json::Value error = json::Value::object(
      {{"code", code.name}, {"exit_code", static_cast<int>(code.exitCode)}, {"message", printable(message)}});
  error.set("hint", hint.empty() ? code.hint : hint);
  return error;
}

} // namespace

double rounded(double number) {
  constexpr double parts = 1e6;
  return std::isfinite(number) ? std::round(number * parts) / parts : number;
}

json::Value jsonOf(const Error &error) {
  json::Value object = jsonOf(errorCodeFor(error.kind), error.text(), error.remedy);
  setText(object, "what", error.what);
  setText(object, "why", error.why);
  setText(object, "generation_id", error.generationId);
  setText(object, "client_request_id", error.clientRequestId);
  setText(object, "request_id", error.requestId);
  setText(object, "service_message", error.serviceMessage);
  if (error.httpStatus != 0)
    object.set("http_status", error.httpStatus);
  if (error.roomAt != 0 && error.roomAt != INT64_MAX)
    object.set("room_at", error.roomAt);
  return object;
}

json::Value errorOf(std::string_view code, const std::string &message, int secondsToComeBackIn) {
  const std::string when = "Try again in " + std::to_string(secondsToComeBackIn) + " seconds";
  json::Value error = jsonOf(errorCodeNamed(code), message, secondsToComeBackIn > 0 ? when : "");
  if (secondsToComeBackIn > 0)
    error.set("retry_after", secondsToComeBackIn);
  return error;
}

json::Value answerOf(const std::string &command, const json::Value &data, const json::Value &error) {
  return json::Value::object(
      {{"version", version}, {"command", command}, {"ok", !error.exists()}, {"data", data}, {"error", error}});
}

Answer &Answer::instance() {
  static Answer answer;
  return answer;
}

void Answer::begin(const std::string &command, const std::vector<std::string> &arguments) {
  command_ = command;
  const auto end = std::find(arguments.begin(), arguments.end(), "--");
  isForProgram_ = std::find(arguments.begin(), end, "--json") != end;
}

ExitCode Answer::fail(std::string_view code, const std::string &message, const std::vector<std::string> &problems) {
  error_ = errorOf(code, message);
  if (!problems.empty())
    error_.set("problems", json::Value::array({problems.begin(), problems.end()}));
  return errorCodeNamed(code).exitCode;
}

ExitCode Answer::failForNow(std::string_view code, const std::string &message, int secondsToComeBackIn) {
  error_ = errorOf(code, message, secondsToComeBackIn);
  return errorCodeNamed(code).exitCode;
}

json::Value Answer::envelope() const {
  return json::Value::object({{"version", version}, {"command", command_}});
}

void Answer::tell(const std::string &event, const json::Value &data, const json::Value &error) const {
  write(envelope().set("event", event).set("data", data).set("error", error), json::Layout::Compact);
}

/// The code may be another than that of the latest error, as where a batch goes on after one.
json::Value Answer::errorFor(ExitCode code) const {
  json::Value error = error_;
  if (!error.exists()) {
    const auto known = errorCodes();
    const auto first =
        std::find_if(known.begin(), known.end(), [code](const ErrorCode &entry) { return entry.exitCode == code; });
    error = jsonOf(*first, "the command failed", "");
  }
  return error.set("exit_code", static_cast<int>(code));
}

void Answer::finish(ExitCode code) {
  if (!isForProgram_)
    return;
  json::Value answer = envelope();
  setText(answer, "event", event_);
  answer.set("ok", code == ExitCode::Success).set("data", data_);
  if (!warnings_.empty())
    answer.set("warnings", json::Value::array({warnings_.begin(), warnings_.end()}));
  if (code != ExitCode::Success)
    answer.set("error", errorFor(code));
  write(answer, event_.empty() ? json::Layout::Indented : json::Layout::Compact);
}

} // namespace aimlvideo::cli
