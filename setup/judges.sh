# Brings the judges that do not live in the test environment: sourced by setup/install.sh, whose functions it uses.
# commons-ip, veraPDF and JHOVE come through Maven with its default settings; every jar is compared with a list in requirements/.

from_maven commons-ip tests/judges/pom.xml jars.sha256 jars
from_maven veraPDF tests/judges/verapdf.xml verapdf.sha256 verapdf
from_maven JHOVE setup/jhove.xml jhove.sha256 jhove
environment .judges/eark requirements/judge-eark.txt
