#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Has git check the layout and the includes of what is committed, before each commit.
set -eu
cd "$(dirname "$0")/.."
hook=$(git rev-parse --git-path hooks)/pre-commit
cat >"$hook" <<'END'
#!/bin/sh
cd "$(git rev-parse --show-toplevel)" && exec scripts/check_layout.sh --cached
END
chmod +x "$hook"
echo "$hook"
