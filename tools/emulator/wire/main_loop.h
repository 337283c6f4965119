// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>

namespace aimlvideo::emulator {

/// Runs `work` on the default main context, soon; may be called from any thread.
void runOnMainLoop(std::function<void()> work);

/// Runs `work` on the default main context once `seconds` have passed.
void runLater(double seconds, std::function<void()> work);

} // namespace aimlvideo::emulator
