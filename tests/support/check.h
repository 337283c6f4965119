// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

// Check defines a macro `fail`, which the standard library's streams use as a name.
#include <ios>

#include <gst/check/gstcheck.h>
#undef fail
