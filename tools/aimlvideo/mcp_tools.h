// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "manifest.h"
#include "mcp_server.h"
#include "submit.h"

namespace aimlvideo::cli {

/// What a client of `aimlvideo mcp` may do. It need not be who started it.
struct McpTerms {
  ManifestTerms requests;        ///< what requests may say, and which files they may name
  Settings service;              ///< how it is reached
  std::string outputFolder;      ///< below which files are made; empty: none are
  double maximumCost = 0;        ///< USD in all; 0: nothing is bought
  double maximumCostPerCall = 0; ///< USD; 0: as in all
};

/// The tools of `aimlvideo mcp`. What they do is what the commands of the same names do, and what they answer as well.
/// For the main loop's thread.
class McpTools {
public:
  explicit McpTools(McpTerms terms);
  McpTools(const McpTools &) = delete;
  McpTools &operator=(const McpTools &) = delete;
  ~McpTools();

  std::vector<McpServer::Tool> tools();
  std::vector<McpServer::Resource> resources() const;
  /// For the model that uses them.
  std::string instructions() const;

private:
  using Begun = tl::expected<std::shared_ptr<void>, std::string>;
  using Reply = McpServer::Reply;
  class Purchase;
  class Fetching;
  struct Making;

  Begun models(const json::Value &arguments, const Reply &reply) const;
  Begun check(const json::Value &arguments, const Reply &reply) const;
  Begun submit(const json::Value &arguments, const Reply &reply);
  Begun wait(const json::Value &arguments, const Reply &reply) const;
  Begun fetch(const json::Value &arguments, const Reply &reply);
  Begun jobs(const json::Value &arguments, const Reply &reply) const;
  Begun balance(const Reply &reply) const;

  // one purchase at a time, so that none can overlook what another spends
  void enqueue(const std::shared_ptr<Purchase> &purchase);
  void buyNext();
  void settle(const Submitted &submitted);
  double leftToSpend() const;
  double cap() const;
  json::Value tooDear(double estimated) const;

  Making *makingOf(const std::string &output);

  const std::shared_ptr<const McpTerms> terms_; ///< shared with what happens in the background
  const std::shared_ptr<Inbox> inbox_ = Inbox::create();
  std::deque<std::weak_ptr<Purchase>> queue_;
  const Purchase *buying_ = nullptr;
  std::map<int64_t, double> spent_;                        ///< USD or what may have been, by job
  std::map<std::string, std::unique_ptr<Making>> makings_; ///< by output
};

} // namespace aimlvideo::cli
