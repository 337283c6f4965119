#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Puts axe, which finds what keeps people from using a page, into build/axe, for the test report. npm fetches it; nothing
# else needs it.
#
#   scripts/install-axe.sh [FOLDER]
set -eu
cd "$(dirname "$0")/.."
folder=${1-${BUILD-build}/axe}
mkdir -p "$folder"
[ -f "$folder/package.json" ] || echo '{"private": true}' >"$folder/package.json"
npm install --prefix "$folder" --save-exact --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error \
  axe-core@4.14.1 >/dev/null
