// SPDX-License-Identifier: LGPL-2.1-or-later
// Which addresses are public: 16 bytes are one, the rest is the name of a host behind a proxy.
#include "http/address.h"
#include "base/glib_ptr.h"
#include "fuzz.h"

using namespace aimlvideo;
using namespace aimlvideo::fuzz;

namespace {

bool reached(GInetAddress *address) {
  const auto direct = adopt(g_inet_socket_address_new(address, 443));
  const bool open = whyNotPublic(direct.get()).empty();
  must_hold(open == isPublic(address));
  return open;
}

/// As a proxy is asked for it, whose own address is of no importance.
bool reachedByProxy(const std::string &host) {
  const auto proxy = adopt(g_inet_address_new_from_string("127.0.0.1"));
  const auto address =
      adopt(G_SOCKET_ADDRESS(g_proxy_address_new(proxy.get(), 3128, "http", host.c_str(), 443, nullptr, nullptr)));
  const std::string why = whyNotPublic(address.get());
  must_hold(isReadable(host) == isReadable(why) || why.empty());
  return why.empty();
}

} // namespace

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string_view text = textOf(data, size);
  guint8 bytes[16] = {};
  for (guint8 &byte : bytes)
    byte = cutNumber<guint8>(text);

  const auto four = adopt(g_inet_address_new_from_bytes(bytes, G_SOCKET_FAMILY_IPV4));
  const auto sixteen = adopt(g_inet_address_new_from_bytes(bytes, G_SOCKET_FAMILY_IPV6));
  guint8 mapped[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, bytes[0], bytes[1], bytes[2], bytes[3]};
  const auto inside = adopt(g_inet_address_new_from_bytes(mapped, G_SOCKET_FAMILY_IPV6));
  must_hold(reached(four.get()) == reached(inside.get()));
  for (GInetAddress *address : {four.get(), sixteen.get()}) {
    const bool special = g_inet_address_get_is_loopback(address) || g_inet_address_get_is_any(address) ||
                         g_inet_address_get_is_link_local(address) || g_inet_address_get_is_site_local(address) ||
                         g_inet_address_get_is_multicast(address);
    must_hold(!special || !reached(address));
    const GCharPtr spelling(g_inet_address_to_string(address));
    must_hold(reachedByProxy(spelling.get()) == reached(address));
  }

  const std::string host(cutLine(text));
  if (host.empty() || host.find('\0') != std::string::npos)
    return 0;
  const auto literal = adopt(g_inet_address_new_from_string(host.c_str()));
  if (reachedByProxy(host) && !literal)
    must_hold(host.find_first_not_of("0123456789.") != std::string::npos); // an old spelling of an address
  return 0;
}
