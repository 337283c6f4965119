// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/hosts.h"

#include <algorithm>

#include "base/glib_ptr.h"
#include "emulator/wire/media.h"

namespace aimlvideo::emulator {

namespace {

/// "[::1]:8089" -> "::1", "LocalHost.:80" -> "localhost"
std::string nameIn(const std::string &hostAndPort) {
  std::string name = hostAndPort.starts_with('[') ? hostAndPort.substr(1, hostAndPort.find(']') - 1)
                                                  : hostAndPort.substr(0, hostAndPort.rfind(':'));
  if (name.ends_with('.'))
    name.pop_back();
  const GCharPtr lower(g_ascii_strdown(name.c_str(), -1));
  return lower.get();
}

bool isSame(const std::string &name, const std::string &host) {
  return !host.empty() && name == nameIn(host.find(':') == host.rfind(':') ? host : "[" + host + "]");
}

} // namespace

bool isOwnHost(const std::string &hostAndPort, const Options &options) {
  const std::string name = nameIn(hostAndPort);
  if (isLoopbackHost(name) || name.ends_with(".localhost") || isSame(name, options.address) ||
      isSame(name, options.clipHost))
    return true;
  // On all of the machine's addresses each of them is meant, and no page can make an address lead elsewhere.
  if ((options.address == "0.0.0.0" || options.address == "::") && g_hostname_is_ip_address(name.c_str()))
    return true;
  return std::ranges::any_of(options.allowedHosts, [&](const std::string &host) { return isSame(name, host); });
}

bool isOwnOrigin(const std::string &origin, const Options &options) {
  const auto uri = adopt(g_uri_parse(origin.c_str(), G_URI_FLAGS_ENCODED, nullptr));
  const char *host = uri ? g_uri_get_host(uri.get()) : nullptr;
  return host && *host && isOwnHost(std::string("[") + host + "]", options);
}

} // namespace aimlvideo::emulator
