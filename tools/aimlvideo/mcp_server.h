// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <glib.h>

#include "background.h"
#include "base/json/value.h"

namespace aimlvideo::cli {

/// The server's side of the Model Context Protocol over standard input and output: a JSON-RPC message a line. Speaks
/// the revision 2026-07-28, in which every request stands for itself, and those of 2025 and before, which begin with a
/// handshake. For the main loop's thread.
class McpServer {
public:
  /// Ends a call with an envelope as `--json` prints it. Once, from any thread; also before the call has returned.
  using Reply = std::function<void(json::Value envelope)>;

  struct Tool {
    std::string name;
    std::string title;
    std::string description;
    json::Value inputSchema;
    json::Value annotations;
    /// Begins a call. While it is under way, what this returns is kept; where that goes first, the call is given up and
    /// nobody waits for the reply any more. An error is a mistake in the arguments, in a sentence.
    std::function<tl::expected<std::shared_ptr<void>, std::string>(const json::Value &arguments, Reply reply)> call;
  };

  struct Resource {
    std::string uri;
    std::string name;
    std::string description;
    std::function<json::Value()> read;
  };

  McpServer(std::string instructions, std::vector<Tool> tools, std::vector<Resource> resources)
      : instructions_(std::move(instructions)), tools_(std::move(tools)), resources_(std::move(resources)) {}
  McpServer(const McpServer &) = delete;
  McpServer &operator=(const McpServer &) = delete;
  ~McpServer();

  /// Reads from a descriptor from now on. `ended` is called once, when there is no more to read and all calls have
  /// ended, or have had a moment for it.
  void serve(int descriptor, std::function<void()> ended);

  /// What stands in one line, without its line break.
  void take(const std::string &line);

private:
  struct Request {
    json::Value id;
    std::string method;
    json::Value params;
    bool modern = false;
  };
  struct Refusal {
    int code;
    std::string message;
    json::Value data = {};
  };
  using Answered = tl::expected<json::Value, Refusal>;

  bool readMore();
  void lastLineRead();
  void end();
  void takeTooLong();
  void notified(const std::string &method, const json::Value &params);
  std::optional<Refusal> checkEra(Request &request) const;
  void handle(const Request &request);
  Answered answer(const Request &request);
  Answered initialize(const json::Value &params);
  Answered listTools() const;
  Answered listResources() const;
  Answered readResource(const Request &request) const;
  void callTool(const Request &request);
  void endCall(const std::string &key, const Request &request, const json::Value &envelope);
  void reply(const Request &request, json::Value result) const;
  void refuse(const json::Value &id, const Refusal &refusal) const;
  static void send(const json::Value &message);

  const std::string instructions_;
  const std::vector<Tool> tools_;
  const std::vector<Resource> resources_;
  const std::shared_ptr<Inbox> inbox_ = Inbox::create();
  bool initialized_ = false; ///< by a handshake
  int descriptor_ = -1;
  guint watch_ = 0;  ///< of it; 0: nothing more is read
  guint ending_ = 0; ///< a timer, once nothing more is read
  std::string line_;
  bool tooLong_ = false;                               ///< the line is, and is passed over
  std::map<std::string, std::shared_ptr<void>> calls_; ///< under way, by the spelling of their ids
  std::function<void()> ended_;
};

} // namespace aimlvideo::cli
