// SPDX-License-Identifier: LGPL-2.1-or-later
#include "http/address.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace aimlvideo {

namespace {

/// The blocks of the IANA special-purpose registries that are not globally reachable, multicast, and the prefixes that
/// put an IPv4 address of the local network into an IPv6 one (6to4, Teredo, NAT64 of a site's own).
constexpr const char *notPublic[] = {
    "0.0.0.0/8",     "10.0.0.0/8",      "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24",    "192.0.2.0/24",   "192.88.99.0/24", "192.168.0.0/16",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",    "240.0.0.0/4",
    "::/96",         "64:ff9b:1::/48",  "100::/64",       "2001::/23",      "2001:db8::/32",
    "2002::/16",     "fc00::/7",        "fe80::/10",      "fec0::/10",      "ff00::/8",
};

const std::vector<GRefPtr<GInetAddressMask>> &masks() {
  static const auto *all = [] { // outlives every worker, also those still running at exit
    auto *list = new std::vector<GRefPtr<GInetAddressMask>>;
    for (const char *block : notPublic)
      list->push_back(adopt(g_inet_address_mask_new_from_string(block, nullptr)));
    return list;
  }();
  return *all;
}

/// The IPv4 address that is written inside an IPv6 one: ::ffff:a.b.c.d, or the well-known prefix of NAT64.
GRefPtr<GInetAddress> embedded(GInetAddress *address) {
  static constexpr std::string_view mapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
  static constexpr std::string_view translated("\0\x64\xff\x9b\0\0\0\0\0\0\0\0", 12);
  if (g_inet_address_get_family(address) != G_SOCKET_FAMILY_IPV6)
    return nullptr;
  const guint8 *bytes = g_inet_address_to_bytes(address);
  const std::string_view prefix(reinterpret_cast<const char *>(bytes), mapped.size());
  if (prefix != mapped && prefix != translated)
    return nullptr;
  return adopt(g_inet_address_new_from_bytes(bytes + prefix.size(), G_SOCKET_FAMILY_IPV4));
}

std::string textOf(GInetAddress *address) {
  return GCharPtr(g_inet_address_to_string(address)).get();
}

/// Whether some resolver gives this machine for a name that is not a literal address: `localhost` and what is below it
/// (RFC 6761), and names whose last label is a number, which are addresses in an old spelling such as 127.1 or
/// 0x7f000001 (the URL Standard's host parser takes them so).
bool namesThisMachine(std::string_view host) {
  if (host.ends_with('.'))
    host.remove_suffix(1);
  const GCharPtr lower(g_ascii_strdown(host.data(), static_cast<gssize>(host.size())));
  const std::string_view name(lower.get());
  if (name == "localhost" || name.ends_with(".localhost"))
    return true;
  const std::string_view label = name.substr(name.rfind('.') + 1);
  return label.starts_with("0x") || label.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Awaited: the addresses of a host.
class NameLookup {
public:
  NameLookup(const std::string &host, GCancellable *cancellable) : host_(host), cancellable_(cancellable) {}

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> awaiter) {
    awaiter_ = awaiter;
    const auto resolver = adopt(g_resolver_get_default());
    g_resolver_lookup_by_name_async(
        resolver.get(), host_.c_str(), cancellable_,
        [](GObject *source, GAsyncResult *result, gpointer data) {
          auto *self = static_cast<NameLookup *>(data);
          self->finish(G_RESOLVER(source), result);
          self->awaiter_.resume();
        },
        this);
  }
  HostAddresses await_resume() { return std::move(found_); }

private:
  void finish(GResolver *resolver, GAsyncResult *result) {
    GErrorSlot error;
    GList *addresses = g_resolver_lookup_by_name_finish(resolver, result, &error);
    if (error)
      found_ = tl::unexpected(std::string(error.message()));
    else
      for (const GList *item = addresses; item; item = item->next)
        found_->push_back(share(G_INET_ADDRESS(item->data)));
    g_resolver_free_addresses(addresses);
  }

  const std::string &host_;
  GCancellable *cancellable_;
  std::coroutine_handle<> awaiter_;
  HostAddresses found_;
};

} // namespace

bool isPublic(GInetAddress *address) {
  if (const auto inner = embedded(address))
    return isPublic(inner.get());
  return std::ranges::none_of(masks(), [address](const GRefPtr<GInetAddressMask> &mask) {
    return g_inet_address_mask_matches(mask.get(), address);
  });
}

std::string whyNotPublic(GSocketAddress *address) {
  if (G_IS_PROXY_ADDRESS(address)) {
    const std::string host = g_proxy_address_get_destination_hostname(G_PROXY_ADDRESS(address));
    const auto literal = adopt(g_inet_address_new_from_string(host.c_str()));
    const bool reachable = literal ? isPublic(literal.get()) : !namesThisMachine(host);
    return reachable ? "" : "its host is " + host;
  }
  if (!G_IS_INET_SOCKET_ADDRESS(address))
    return "its host has no internet address";
  GInetAddress *peer = g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(address));
  return isPublic(peer) ? "" : "its host has the address " + textOf(peer);
}

Task<HostAddresses> addressesOf(const std::string &host, GCancellable *cancellable) {
  NameLookup lookup(host, cancellable);
  co_return co_await lookup;
}

Task<bool> isAtLocalAddress(const std::string &host, GCancellable *cancellable) {
  const auto found = co_await addressesOf(host, cancellable);
  co_return found && !found->empty() &&
      std::ranges::none_of(*found, [](const auto &address) { return isPublic(address.get()); });
}

} // namespace aimlvideo
