// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>

#include <gio/gio.h>

#include "base/glib_ptr.h"

namespace aimlvideo {

/// So long is what a resolver has said about an address used again. Later a change of the system's proxies is seen.
constexpr std::chrono::seconds proxiesAreGoodFor{5};

/// A resolver that asks another one, and remembers for a while what that has said about an address. Each connection
/// asks, the system's resolver needs a thread and the files of the name service for its answer, and each purchase has a
/// connection. Errors are not remembered. For the network thread, and its asynchronous functions only.
GRefPtr<GProxyResolver> rememberingResolver(GProxyResolver *other);

} // namespace aimlvideo
