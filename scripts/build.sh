#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Builds all, or the target in $TARGET, into build/, or into the folder in $BUILD; further arguments go to `meson setup`
# of a new folder. Precompiled headers take some time off.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}
[ -f "$build/build.ninja" ] || meson setup "$build" -Db_pch=true "$@" >/dev/null
ninja -C "$build" --quiet "${TARGET:-all}"
