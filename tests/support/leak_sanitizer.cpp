// SPDX-License-Identifier: LGPL-2.1-or-later
// What libraries make before main() is theirs and no leak of ours: GLib's table of names, which it leaves behind on
// purpose once GStreamer's registry has filled it.
#include <sanitizer/lsan_interface.h>

namespace {

// runs behind the sanitizer's own start and before any library's
__attribute__((section(".preinit_array"), used)) void (*const beforeLibraries)() = __lsan_disable;

__attribute__((constructor)) void afterLibraries() {
  __lsan_enable();
}

} // namespace
