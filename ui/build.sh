#!/usr/bin/env bash
# Builds the embedded scripts and styles. Packages are fetched only when the
# lock file has changed since the last time; types are checked first.
set -euo pipefail
cd "$(dirname "$0")"

stamp=node_modules/.installed
if ! cmp -s package-lock.json "$stamp"; then
	npm ci --ignore-scripts --no-audit --no-fund
	cp package-lock.json "$stamp"
fi
npx --no-install tsc --noEmit
node build.mjs
