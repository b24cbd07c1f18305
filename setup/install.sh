#!/usr/bin/env bash
# Brings everything that luutru needs to run (run) or to be tested as well (test) into this clone. A second call does nothing.
# jhove: brings JHOVE, a judge that luutru asks where its settings say so.
# Usage: setup/install.sh run|test|jhove
# Wheels and jars are kept under ${XDG_CACHE_HOME:-~/.cache}/luutru and installed from there: with them no network is needed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$(pwd -P)
wanted=${1:?run, test or jhove}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/luutru
wheels=$cache/wheels
# What a machine sets for its own use of pip must not reach ours; which index and certificates are used stays its business.
unset PIP_FIND_LINKS PIP_NO_INDEX PIP_TARGET PIP_PREFIX PIP_USER PIP_NO_BINARY PIP_ONLY_BINARY PIP_CONSTRAINT \
  PIP_REQUIREMENT PIP_REQUIRE_VIRTUALENV PIP_NO_DEPS PIP_DRY_RUN PYTHONPATH PYTHONHOME VIRTUAL_ENV
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore

say() { printf '%s\n' "$*"; }

is_python() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

choose_python() {  # the system's own first: other users of the machine can run it too
  local candidate
  for candidate in ${PYTHON:+"$PYTHON"} /usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null 2>&1 && is_python "$candidate"; then command -v "$candidate"; return; fi
  done
}

digest() { cat "$@" | sha256sum | cut -d ' ' -f 1; }

locked() {  # one installer at a time: on this clone and on the shared cache
  mkdir -p "$cache"
  exec 9>"$cache/lock"
  flock -n 9 || { say "Another installation is at work; waiting for it."; flock 9; }
}

# environment FOLDER LOCKFILE: a virtual environment with exactly the packages of the lock file
environment() {
  local folder=$1 lockfile=$2 pip
  # .unfinished: an earlier installation was killed; pip takes half a package for a whole one, so all is made anew
  if [ "$(cat "$folder/.place" 2>/dev/null)" != "$root" ] || [ -e "$folder/.unfinished" ] || ! is_python "$folder/bin/python"; then
    say "Making the virtual environment $folder with $python"
    rm -rf "$folder"
    "$python" -m venv "$folder"
    printf '%s' "$root" > "$folder/.place"
  fi
  touch "$folder/.unfinished"
  pip=("$folder/bin/python" -m pip --quiet)
  mkdir -p "$wheels"
  fetch_and_install "${pip[@]}" -- requirements/build.txt
  fetch_and_install "${pip[@]}" -- "$lockfile"
  rm "$folder/.unfinished"
}

# fetch_and_install PIP… -- LOCKFILE: from the cache alone if it has everything, else after fetching what is missing
fetch_and_install() {
  local pip=() lockfile
  while [ "$1" != -- ]; do pip+=("$1"); shift; done
  lockfile=$2
  local exact=(--no-deps --no-build-isolation --require-hashes --use-pep517)
  local offline=("${pip[@]}" install --no-index --find-links "$wheels" "${exact[@]}" -r "$lockfile")
  if "${offline[@]}" >/dev/null 2>&1; then return; fi
  say "Fetching the packages of $lockfile"
  if ! "${pip[@]}" download "${exact[@]}" --dest "$wheels" -r "$lockfile"; then
    say "The packages could not be fetched. Once they are in $wheels no network is needed." >&2
    return 3
  fi
  say "Installing the packages of $lockfile"
  "${offline[@]}"
}

# from_maven NAME POM SUMS LINK: the jars that a POM names, kept in the cache, as .judges/LINK
from_maven() {
  local name=$1 pom=$2 sums=$root/requirements/$3 link=$4 jars told
  jars=$cache/jars/$(digest "$pom" | cut -c 1-16)
  jars_are_right() { (cd "$jars" 2>/dev/null && sha256sum --quiet --strict -c "$sums" >/dev/null 2>&1); }
  if ! jars_are_right; then
    say "Fetching $name through Maven"
    rm -rf "$jars"
    mkdir -p "$jars"
    told=$(mktemp)
    if ! mvn --batch-mode --quiet -f "$pom" dependency:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$jars" > "$told" 2>&1; then
      cat "$told" >&2
      say "Maven could not fetch $name. Once its jars are in $jars no network is needed." >&2
      rm -f "$told"
      exit 3
    fi
    rm -f "$told"
    if ! jars_are_right; then
      say "What Maven brought is not what requirements/$(basename "$sums") names:" >&2
      (cd "$jars" && sha256sum --quiet --strict -c "$sums" >&2) || true
      exit 3
    fi
  fi
  mkdir -p .judges
  ln -sfn "$jars" ".judges/$link"
}

# The state that a finished installation leaves behind, per set.
state() {
  local files=(setup/install.sh requirements/build.txt pyproject.toml)
  case $1 in
    run) files+=(requirements/runtime.txt) ;;
    test) files+=(setup/judges.sh requirements/dev.txt requirements/judge-eark.txt requirements/jars.sha256
      requirements/verapdf.sha256 requirements/jhove.sha256 tests/judges/pom.xml tests/judges/verapdf.xml
      setup/jhove.xml) ;;
  esac
  printf '%s %s' "$root" "$(digest "${files[@]}")"
}

finished() { [ "$(cat ".venv/.installed-$1" 2>/dev/null)" = "$(state "$1")" ]; }

python=$(choose_python)
bash setup/system.sh "$wanted" "$python"
# (a system package just installed may have brought the first Python that will do)
[ -n "$python" ] || python=$(choose_python)
if [ -z "$python" ]; then
  say "No Python 3.11 or newer was found. Install one, or name it: make install PYTHON=/path/to/python3" >&2
  exit 3
fi
if [ "$wanted" = jhove ]; then
  locked
  from_maven JHOVE setup/jhove.xml jhove.sha256 jhove
  say "JHOVE is there. It is asked once luutru.toml says: jhove = true"
  exit 0
fi
if is_python .venv/bin/python && { finished "$wanted" || { [ "$wanted" = run ] && finished test; }; }; then exit 0; fi

locked
rm -f ".venv/.installed-$wanted"
case $wanted in
  run) environment .venv requirements/runtime.txt ;;
  test) environment .venv requirements/dev.txt ;;
esac
.venv/bin/python -m pip --quiet install --no-index --no-deps --no-build-isolation --use-pep517 --editable .
if [ "$wanted" = test ]; then
  source setup/judges.sh
fi
state "$wanted" > ".venv/.installed-$wanted"
say "Installed. The command is .venv/bin/luutru"
