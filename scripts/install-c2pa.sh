#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Puts the C2PA library of the Content Authenticity Initiative into build/c2pa, for the test signed. npm fetches it, with
# its own native library in it; nothing else needs it.
#
#   scripts/install-c2pa.sh [FOLDER]
set -eu
cd "$(dirname "$0")/.."
scripts/install-npm.sh "${1-${BUILD-build}/c2pa}" @contentauth/c2pa-node@0.5.5
