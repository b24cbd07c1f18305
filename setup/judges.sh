# Brings the judges that do not live in the test environment: sourced by setup/install.sh, whose functions it uses.
# commons-ip comes through Maven with its default settings; every jar is compared with requirements/jars.sha256.

jars=$cache/jars/$(digest tests/judges/pom.xml | cut -c 1-16)

jars_are_right() { (cd "$jars" 2>/dev/null && sha256sum --quiet --strict -c "$root/requirements/jars.sha256" >/dev/null 2>&1); }

if ! jars_are_right; then
  say "Fetching commons-ip through Maven"
  rm -rf "$jars"
  mkdir -p "$jars"
  told=$(mktemp)
  if ! mvn --batch-mode --quiet -f tests/judges/pom.xml dependency:copy-dependencies \
      -DincludeScope=runtime -DoutputDirectory="$jars" > "$told" 2>&1; then
    cat "$told" >&2
    say "Maven could not fetch commons-ip. Once its jars are in $jars no network is needed." >&2
    rm -f "$told"
    exit 3
  fi
  rm -f "$told"
  if ! jars_are_right; then
    say "What Maven brought is not what requirements/jars.sha256 names:" >&2
    (cd "$jars" && sha256sum --quiet --strict -c "$root/requirements/jars.sha256" >&2) || true
    exit 3
  fi
fi
environment .judges/eark requirements/judge-eark.txt
ln -sfn "$jars" .judges/jars
