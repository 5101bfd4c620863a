#!/bin/sh
# Create .venv if it is missing, and install the packages of a lock file and CLEIO itself: install.sh LOCK
# Run by make in the root of the project. PYTHON names the interpreter.
set -eu

lock=$1
bin=.venv/bin
log=.venv/setup.log
# Remove other packages, unless the tools for tests were installed too: they stay.
mode=sync
if [ "$lock" = requirements.lock ] && [ -e .venv/.ready-dev ]; then mode="install -r"; fi

# run TEXT COMMAND...: show TEXT, a dot every two seconds and the time it took; on failure return its exit code.
run() {
  text=$1
  shift
  started=$(date +%s)
  printf '%s ' "$text"
  "$@" >>"$log" 2>&1 &
  pid=$!
  trap 'kill "$pid" 2>/dev/null; echo; exit 130' INT TERM HUP
  (while sleep 2; do printf .; done) &
  dots=$!
  code=0
  wait "$pid" || code=$?
  kill "$dots" 2>/dev/null || true
  wait "$dots" 2>/dev/null || true
  trap - INT TERM HUP
  if [ "$code" -eq 0 ]; then
    echo "$(($(date +%s) - started)) s"
  else
    echo failed
  fi
  return "$code"
}

end() {
  tail -n 20 "$log" >&2
  echo "Setting up .venv failed; the whole output is in $log" >&2
  exit 1
}

# In the background, where exec makes the process itself the one that is killed on Ctrl-C.
pip() { exec "$bin/python" -m pip install --disable-pip-version-check --progress-bar off "$@"; }

# shellcheck disable=SC2086 # the mode may be two words
packages() { exec "$bin/uv" pip $mode "$lock" --no-config --compile-bytecode --require-hashes; }
project() { exec "$bin/uv" pip install --no-config --no-deps --no-build-isolation --editable .; }
create() { exec "$PYTHON" -m venv .venv; }

if "$bin/python" -m pip --version >/dev/null 2>&1; then
  : >"$log"
else
  # Missing, or left incomplete by an interruption.
  rm -rf .venv
  mkdir .venv
  run "Creating .venv" create || end
fi
awk '/^[^ ]/ { mine = /^uv==/ } mine' "$lock" >.venv/uv.lock
count=$(grep -c '^[a-zA-Z]' "$lock")
# uv installs fast; if there is no wheel of uv for this machine, pip installs everything, more slowly.
# Compiled here once: with PYTHONDONTWRITEBYTECODE (often set in containers) every start would compile again,
# which doubles its time.
if run "Installing uv" pip --require-hashes -r .venv/uv.lock; then
  run "Installing $count packages of $lock" packages || end
  run "Installing CLEIO" project || end
else
  run "Installing $count packages of $lock with pip" pip --require-hashes -r "$lock" || end
  run "Installing CLEIO" pip --no-deps --no-build-isolation --editable . || end
fi
