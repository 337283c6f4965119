#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Puts clients of the Model Context Protocol, by its own authors, into build/mcp-clients, for the test mcp: the SDK of the
# revisions with a handshake, and the client of the present one. npm fetches them; nothing else needs it.
#
#   scripts/install-mcp-clients.sh [FOLDER]
set -eu
cd "$(dirname "$0")/.."
scripts/install-npm.sh "${1-${BUILD-build}/mcp-clients}" @modelcontextprotocol/sdk@1.32.2 @modelcontextprotocol/client@2.4.0
