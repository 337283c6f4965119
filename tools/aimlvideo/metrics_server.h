// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <libsoup/soup.h>

#include <aimlvideo/error.h>

#include "background.h"
#include "base/glib_ptr.h"

namespace aimlvideo::cli {

/// Whether others than this machine may ask. On loopback only those who call it by a name or address of loopback.
enum class Reach { Loopback, Anywhere };

/// Answers `GET /metrics` with what the ledger in a folder holds at that time, and nothing else. It counts in the
/// background, once for all that ask meanwhile. So many connections are open at once, each for some seconds; what comes
/// on top is closed, and what a request brings along is not kept. For the main loop's thread.
class MetricsServer {
public:
  static constexpr unsigned mostConnections = 16;
  static constexpr unsigned longestConnection = 10; // seconds

  /// `address` is such as `127.0.0.1:9470`, `[::1]:9470` or `localhost:0`, where 0 is any port that is free.
  /// BadRequest: it is none, or not allowed. Unreachable: the system refuses it.
  static Result<std::unique_ptr<MetricsServer>> listen(const std::string &address, Reach reach, std::string folder);
  MetricsServer(const MetricsServer &) = delete;
  MetricsServer &operator=(const MetricsServer &) = delete;
  ~MetricsServer();

  const std::string &url() const { return url_; }

private:
  struct Connection;

  MetricsServer(Reach reach, std::string folder);
  static gboolean onIncoming(GSocketService *, GSocketConnection *connection, GObject *, gpointer self);
  static void onRequest(SoupServer *, SoupServerMessage *message, const char *path, GHashTable *, gpointer self);
  void answerLater(SoupServerMessage *message);
  void answer(unsigned status, const std::string &text);

  const Reach reach_;
  const std::string folder_;
  std::string url_;
  GRefPtr<SoupServer> server_;
  GRefPtr<GSocketService> service_;
  std::shared_ptr<Inbox> inbox_ = Inbox::create();
  std::vector<GRefPtr<SoupServerMessage>> waiting_; ///< for the count that is under way
  unsigned open_ = 0;                               ///< connections
};

} // namespace aimlvideo::cli
