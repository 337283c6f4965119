#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Puts packages of npm, which the long tests use, into a folder of their own. None of their scripts is run.
#
#   scripts/install-npm.sh FOLDER PACKAGE@VERSION...
set -eu
folder=$1
shift
mkdir -p "$folder"
[ -f "$folder/package.json" ] || echo '{"private": true}' >"$folder/package.json"
npm install --prefix "$folder" --save-exact --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error \
  "$@" >/dev/null
