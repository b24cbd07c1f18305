#!/usr/bin/env bash
# Brings the system packages of requirements/system.txt that are missing; changes nothing and asks nothing when all are there.
# Usage: setup/system.sh run|test|jhove PYTHON
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
wanted=$1
python=$2

java_version() {  # the feature number, 17 for "17.0.15" as for "17-ea"; empty without Java
  command -v java >/dev/null 2>&1 || return 0
  java -version 2>&1 | sed -n 's/.* version "\(1\.\)\{0,1\}\([0-9]*\).*/\2/p' | head -n 1
}

present() {
  local kind=${1%%:*} name=${1#*:} folder found
  case $1 in
    lib:*)
      [ -n "$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null | grep -F "$name ")" ] ;;
    module:*)
      [ -n "$python" ] && "$python" -c "import $name" >/dev/null 2>&1 ;;
    libreoffice:*)
      [ -e "/usr/lib/libreoffice/program/$name" ] ;;
    tessdata:*)
      [ -n "$(find /usr/share/tesseract-ocr /usr/share/tessdata -name "$name.traineddata" -print -quit 2>/dev/null)" ] ;;
    java:*)
      found=$(java_version)
      [ "${found:-0}" -ge "$name" ] ;;
    font:*)
      for folder in /usr/share/fonts /usr/local/share/fonts "${XDG_DATA_HOME:-$HOME/.local/share}/fonts"; do
        if [ -d "$folder" ] && [ -n "$(find "$folder" -name "$name" -print -quit)" ]; then return 0; fi
      done
      return 1 ;;
    *)
      command -v "$kind" >/dev/null 2>&1 ;;
  esac
}

missing=()
report=""
while IFS=$'\t' read -r set package witness reason; do
  case $set in ''|'#'*) continue ;; esac
  if [ "$set" != run ] && [ "$set" != "$wanted" ]; then continue; fi
  if ! present "$witness"; then
    missing+=("$package")
    report+=$(printf '  %-24s %s' "$package" "$reason")$'\n'
  fi
done < requirements/system.txt
if [ -z "$python" ]; then
  missing+=(python3)
  report+=$(printf '  %-24s %s' python3 "Python 3.11 or newer, in which luutru runs")$'\n'
fi
[ ${#missing[@]} -gt 0 ] || exit 0

printf 'System packages that are missing:\n%s' "$report"
as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
command_line="${as_root[*]:+${as_root[*]} }apt-get install --no-install-recommends ${missing[*]}"
if ! command -v apt-get >/dev/null 2>&1; then
  printf 'This system has no apt-get. Install what is named above in its own way, then run this again.\n' >&2
  exit 3
fi
if [ ${#as_root[@]} -gt 0 ] && ! command -v sudo >/dev/null 2>&1; then
  printf 'That needs an administrator, and there is no sudo. Have this run once as root, then run this again:\n  %s\n' \
    "apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 3
fi
printf 'They are installed by: %s   (this takes a minute or two)\n' "$command_line"
if [ "${YES:-}" != 1 ] && [ -t 0 ]; then
  read -r -p 'Go on? [Y/n] ' answer
  case $answer in ''|y|Y|yes|c|C) ;; *) printf 'Nothing was installed.\n' >&2; exit 2 ;; esac
fi
told=$(mktemp)
trap 'rm -f "$told"' EXIT
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 "$@" </dev/null >"$told" 2>&1; }
if ! apt update || ! apt install --no-install-recommends "${missing[@]}"; then
  cat "$told" >&2
  printf 'The packages could not be installed; what apt-get said stands above. By hand: %s\n' "$command_line" >&2
  exit 3
fi
