#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Whether the sources are laid out as clang-format does, and nothing includes what it must not.
#
#   scripts/check_layout.sh             all of them
#   scripts/check_layout.sh --cached    those that are going to be committed
set -eu
cd "$(dirname "$0")/.."
if [ "${1-}" = --cached ]; then
  files=$(git diff --cached --name-only --diff-filter=ACMR -- '*.cpp' '*.h' '*.c')
else
  files=$(git ls-files '*.cpp' '*.h' '*.c')
fi
# shellcheck disable=SC2086 # a list of words
[ -z "$files" ] || clang-format-19 --dry-run --Werror $files
scripts/check_engine_use.py
