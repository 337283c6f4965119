#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Asks the real service whether it behaves as this project assumes; docs/testing.md says how. It may spend money.
exec python3 "$(dirname "$0")/live_check.py" "$@"
