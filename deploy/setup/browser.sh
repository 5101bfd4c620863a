#!/bin/sh
# Make sure that there is a Chromium for the browser tests and `make pictures`. Without one those tests are skipped.
# Run by make in the root of the project. Ends with 0 in any case: everything else works without a browser.
set -eu

log=.venv/browser.log
for name in chromium chromium-browser google-chrome google-chrome-stable; do
  if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
  printf 'Installing Chromium for the browser tests '
  if { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium; } \
    >"$log" 2>&1; then
    echo "done"
    exit 0
  fi
  echo "failed; the whole output is in $log"
fi
echo "No Chromium: the browser tests will be skipped. Install it with: apt-get install chromium (as root)"
