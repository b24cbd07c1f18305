# Brings the judges that do not live in the test environment: sourced by setup/install.sh, whose functions it uses.
# commons-ip, veraPDF and JHOVE come through Maven with its default settings; every jar is compared with a list in requirements/.

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

from_maven commons-ip tests/judges/pom.xml jars.sha256 jars
from_maven veraPDF tests/judges/verapdf.xml verapdf.sha256 verapdf
from_maven JHOVE tests/judges/jhove.xml jhove.sha256 jhove
environment .judges/eark requirements/judge-eark.txt
