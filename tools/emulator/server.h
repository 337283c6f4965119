// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include <libsoup/soup.h>
#include <tl/expected.hpp>

#include "emulator/service/router.h"
#include "emulator/service/service.h"
#include "emulator/wire/wire.h"

namespace aimlvideo::emulator {

/// The HTTP server in front of the service. Belongs to the main thread.
class Server {
public:
  Server(const Options &options, ClipPtr fixedClip);
  ~Server();

  Service &service() { return service_; }
  tl::expected<void, std::string> listen();
  /// http://127.0.0.1:PORT
  std::string address() const;

private:
  static void onRequest(SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query,
                        gpointer self);
  void handle(SoupServerMessage *message);
  /// The answer to a request that is none of the service's business.
  std::optional<Response> refuse(const Request &request, SoupServerMessage *message) const;
  void addCrossOrigin(const std::string &phase, const Request &request, Response &response) const;
  Request readRequest(SoupServerMessage *message) const;
  void deliver(SoupServerMessage *message, const std::string &phase, const Request &request,
               const std::optional<Fault> &fault, Response response, gint64 start);
  void send(SoupServerMessage *message, const Response &response, const std::string *clipOwner);
  void log(const Request &request, const Response &response, const std::optional<Fault> &fault, gint64 start) const;

  const Options &options_;
  Service service_;
  Wires wires_;
  Router router_;
  GRefPtr<SoupServer> server_;
};

} // namespace aimlvideo::emulator
