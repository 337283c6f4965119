// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

#include <aimlvideo/error.h>
#include <aimlvideo/settings.h>

#include "api/catalogue.h"

namespace aimlvideo {

/// Path of both create and poll. `model` may be null; a model without a documented legacy path gets Kling's.
std::string endpointPath(EndpointFamily family, const Model *model);

/// Path and query of a poll; the id is percent-encoded, whatever it holds.
std::string pollPath(EndpointFamily family, const Model *model, std::string_view generationId);

/// Whether a 404 to a create says that the service does not know the *path*, as an old or a partial service answers,
/// and not that it does not know the model.
bool saysPathIsUnknown(std::string_view body);

/// Checks a base URL: https, or http to this machine; no user, query or fragment. Returns it without a final slash.
Result<std::string> checkedBaseUrl(const std::string &url);

/// A checked base URL as RFC 3986 (6.2.2, 6.2.3) writes it, so that two spellings of one address are equal: case of
/// scheme and host, default port, percent-encoding, dot segments, the final slash. For comparing; what connects is the
/// spelling that the user gave.
std::string normalizedBaseUrl(const std::string &baseUrl);

/// The service at a base URL, as the identity of a purchase has it: the normalized address, in which `localhost`,
/// `127.0.0.1` and `[::1]` are one. Whoever spells it otherwise must not buy a second time.
std::string serviceAt(const std::string &baseUrl);

/// Whether a host name or address literal is this machine by its spelling.
bool isLoopbackHost(std::string_view host);

} // namespace aimlvideo
