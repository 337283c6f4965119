// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>

#include <gst/gst.h>

#include <aimlvideo/error.h>

namespace aimlvideo {

/// A question for whatever is linked behind `pad`: can it take a clip? An error says that it can't and what to do.
///
/// It asks other elements, which may wait for others in turn, so no lock is held and no application's thread waits
/// while it does. It keeps nothing alive: once the pad is gone, nothing speaks against a clip.
std::function<Result<void>()> recipientBehind(GstPad *pad);

} // namespace aimlvideo
