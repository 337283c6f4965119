// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

// Check defines a macro `fail`, which the standard library's streams use as a name.
#include <ios>
#include <string>

#include <gst/check/gstcheck.h>
#undef fail

/// Compares texts and prints both when they differ. Check's own macro would keep a pointer into a text that is gone.
#define fail_unless_equals_text(a, b)                                                                                  \
  do {                                                                                                                 \
    const std::string first_text(a);                                                                                   \
    const std::string second_text(b);                                                                                  \
    fail_unless(first_text == second_text, "'" #a "' is \"%s\", expected \"%s\"", first_text.c_str(),                  \
                second_text.c_str());                                                                                  \
  } while (0)
