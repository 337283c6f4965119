// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <aimlvideo/status.h>

#include "api/reply.h"
#include "base/cancellation.h"
#include "timing/forecast.h"
