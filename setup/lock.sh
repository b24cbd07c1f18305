#!/usr/bin/env bash
# Resolves requirements/*.in into the locked lists: exact versions, digests of every file, for every Python from 3.11 and
# every platform, no address in them. Takes `uv` from the path, else from an environment made for this.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../requirements"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/luutru
uv=$(command -v uv || true)
if [ -z "$uv" ]; then
  uv=$cache/uv/bin/uv
  if ! [ -x "$uv" ]; then
    "${PYTHON:-python3}" -m venv "$cache/uv"
    "$cache/uv/bin/python" -m pip --quiet install uv
  fi
fi
export UV_CUSTOM_COMPILE_COMMAND="make lock" UV_NO_CONFIG=1
resolve() { "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url "$@"; }

# The tests run on what users get: dev is resolved first, the others take their versions from it.
resolve dev.in -o dev.txt
resolve -c dev.txt runtime.in -o runtime.txt
resolve -c dev.txt build.in -o build.txt
resolve --override judge-eark.override judge-eark.in -o judge-eark.txt
printf 'Resolved. Now `make test`, then `make licences`, and commit both.\n'
