#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Puts the C2PA library of the Content Authenticity Initiative into build/c2pa, for the test signed. npm fetches it, with
# its own native library in it; nothing else needs it.
#
#   scripts/install-c2pa.sh [FOLDER]
set -eu
cd "$(dirname "$0")/.."
folder=${1-${BUILD-build}/c2pa}
mkdir -p "$folder"
[ -f "$folder/package.json" ] || echo '{"private": true}' >"$folder/package.json"
npm install --prefix "$folder" --save-exact --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error \
  @contentauth/c2pa-node@0.5.5 >/dev/null
