// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

/// What libaimlvideo has for applications. Everything else in it stays inside.
#define AIMLVIDEO_API __attribute__((visibility("default")))
