// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

#include <aimlvideo/error.h>
#include <aimlvideo/export.h>
#include <aimlvideo/settings.h>

namespace aimlvideo {

constexpr auto uriScheme = "aimlvideo";

/// Makes the settings ask for what a URI asks for, as in `aimlvideo://MODEL?prompt=A%20cat&duration=5`: host and path
/// together are the model, byte for byte; the keys are the fields that a URI may set, see Field::InUri. It says nothing
/// else: no key, no address of a service, no file with a prompt.
///
/// What the URI does not say is unset, the way to the service stays. From then on the settings count as a URI's, which
/// buys nothing unless a cap on its cost is set. Values are percent-decoded, and `+` stays `+`. BadRequest says what is
/// wrong and what is allowed, repeats nothing that may be a secret in the wrong place, and leaves the settings alone.
AIMLVIDEO_API Result<void> takeUri(std::string_view uri, Settings &settings);

/// The URI that asks for what the settings ask for, in one spelling: in a shell it needs only single quotes. The texts
/// are UTF-8 without control characters other than line breaks and tabs.
AIMLVIDEO_API std::string uriFor(const Settings &settings);

} // namespace aimlvideo
