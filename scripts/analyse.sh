#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Static analysis of src, gst-plugin and tools: cppcheck, and clang-tidy with the checks in .clang-tidy. Both are clean:
# what they find is fixed, or silenced at its line with the reason. And the layout is clang-format's, nothing but the engine
# looks behind its headers, and no include goes up.
#
#   scripts/analyse.sh            all; clang-tidy takes minutes
#   scripts/analyse.sh --quick    without clang-tidy
#   scripts/analyse.sh FILE...    these alone
set -eu
cd "$(dirname "$0")/.."
quick=no
case ${1-} in
--quick)
  quick=yes
  shift
  ;;
-*)
  sed -n '3,9s/^# \{0,1\}//p' "$0" >&2
  exit 2
  ;;
esac
[ $# != 0 ] || scripts/check_layout.sh
# shellcheck disable=SC2046 # a list of words
[ $# != 0 ] || set -- $(git ls-files 'src/*.cpp' 'gst-plugin/*.cpp' 'tools/*.cpp')

# coroutines are unknown to it: that they return is for the compilers to see; and so are lambdas with types of their own
cppcheck --quiet --std=c++20 --language=c++ --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
  --suppress=missingIncludeSystem '-DGST_ELEMENT_REGISTER_DEFINE(a,b,c,d)=' '-DG_DEFINE_FINAL_TYPE_WITH_CODE(a,b,c,d)=' '-DG_DEFINE_FINAL_TYPE(a,b,c)=' '-DG_DEFINE_TYPE_WITH_CODE(a,b,c,d)=' '-DG_DEFINE_TYPE(a,b,c)=' "-Dco_return=return" --suppress=missingReturn --suppress=internalAstError:src/settings/fields.cpp -Isrc -Iinclude -Igst-plugin -j "$(nproc)" "$@"
[ $quick = no ] || exit 0

# its own folder: clang does not read the headers that GCC has precompiled
build=build-analysis
[ -f "$build/build.ninja" ] || meson setup "$build" -Db_pch=false >/dev/null
ninja -C "$build" --quiet src/models_resource.h tools/emulator/emulator-resources.h
printf '%s\n' "$@" | xargs -P "$(nproc)" -n 4 clang-tidy-19 -p "$build" --quiet --extra-arg=-Wno-unknown-warning-option 2>/dev/null
