// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <aimlvideo/settings.h>

#include "api/request.h"

namespace aimlvideo {

/// Whether local media files are read, or something stands for them while the rest is checked.
enum class Files { Read, Leave };

/// The request that the settings ask for. Text files are read in any case.
/// `mayRead`: false refuses every local file, as for a URI that may not buy.
Result<Request> requestFrom(const Settings &settings, Files files, bool mayRead);

/// The prompt or the parameters are in a file.
bool namesTextFile(const Settings &settings);

Result<void> checkParametersFile(const Settings &settings, bool mayRead);

} // namespace aimlvideo
