// SPDX-License-Identifier: LGPL-2.1-or-later
// Compiled once for the builds that want it (b_pch), which so take less time. Those that do without, as in the full
// tests, see that every file includes what it uses.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <libsoup/soup.h>
#include <tl/expected.hpp>
