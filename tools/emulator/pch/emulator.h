// SPDX-License-Identifier: LGPL-2.1-or-later
// Compiled once for the builds with sanitizers (b_pch), which so take half as long. The plain build does without, so
// that every file includes what it uses.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <libsoup/soup.h>
#include <tl/expected.hpp>
