// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <json-glib/json-glib.h>

#include <aimlvideo/settings.h>

namespace aimlvideo {

/// What stands for a value that a body carries: the identity of the bytes in a data URI, otherwise the text itself.
std::string identityOfCarried(const std::string &carried);

/// A JSON value in the one spelling that all equal values share: object keys sorted by their bytes, no blanks, a number
/// the same whether it was written 5, 5.0 or 5e0. Data URIs are replaced by identityOfCarried().
///
/// `identities` holds what else is to stand for the string at a place such as `elements[0].frontal_image_url`.
std::string canonicalJson(JsonNode *node, const std::map<std::string, std::string> &identities = {});

/// The http(s) addresses in a canonical form, in its order: media that the service will fetch.
std::vector<std::string> remoteMediaIn(const std::string &canonical);

} // namespace aimlvideo
