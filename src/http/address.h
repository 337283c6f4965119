// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include <gio/gio.h>
#include <tl/expected.hpp>

#include "base/glib_ptr.h"
#include "base/task.h"

namespace aimlvideo {

/// Whether an address belongs to the public internet: it is no loopback, link-local, private, shared, multicast,
/// documentation or reserved one (RFC 6890 and its registries). IPv4 addresses inside IPv6 count as what they are.
bool isPublic(GInetAddress *address);

/// Why a connection to `address` does not lead to the public internet. Empty: it does. Of a connection through a proxy
/// only the name of the host behind it is known; that is refused when it is `localhost` or below it, a literal address
/// that is not public, or an address in an old spelling such as 127.1.
std::string whyNotPublic(GSocketAddress *address);

/// The addresses of a host, or why it has none, in the system's words.
using HostAddresses = tl::expected<std::vector<GRefPtr<GInetAddress>>, std::string>;

/// What the system's resolver has for `host`, a name or a literal address.
Task<HostAddresses> addressesOf(const std::string &host, GCancellable *cancellable);

/// Whether `host`, a name or a literal address, has addresses by the system's resolver and none of them is public.
Task<bool> isAtLocalAddress(const std::string &host, GCancellable *cancellable);

} // namespace aimlvideo
