#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Builds all, or the target in $TARGET, into build/, or into the folder in $BUILD; further arguments are options of meson.
# Precompiled headers take some time off.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}
if [ ! -f "$build/build.ninja" ]; then
  meson setup "$build" -Db_pch=true "$@" >/dev/null
elif [ $# -gt 0 ]; then
  meson configure "$build" "$@"
fi
ninja -C "$build" --quiet "${TARGET:-all}"
