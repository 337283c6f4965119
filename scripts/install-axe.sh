#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Puts axe, which finds what keeps people from using a page, into build/axe, for the test report. npm fetches it; nothing
# else needs it.
#
#   scripts/install-axe.sh [FOLDER]
set -eu
cd "$(dirname "$0")/.."
scripts/install-npm.sh "${1-${BUILD-build}/axe}" axe-core@4.14.1
