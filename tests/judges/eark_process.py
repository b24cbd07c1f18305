"""Runs eark-validator inside its own environment, with no network: prints its report as JSON.

Usage: .judges/eark/bin/python eark_process.py PACKAGE_FOLDER VOCABULARIES_FOLDER
The validator reads four vocabularies over the network when it is imported. They are answered from local copies here,
and any connection is refused. (Its METS schema names xlink.xsd by a public address too, but has read its own copy by
then.)
"""

from __future__ import annotations

import io
import socket
import sys
import urllib.request
from pathlib import Path


def main(package: Path, vocabularies: Path) -> int:
    """0 with the report on standard output."""
    def refuse(*_: object, **__: object) -> None:
        raise OSError("eark-validator asked for the network")

    def from_copies(address: str) -> io.BytesIO:
        return io.BytesIO((vocabularies / address.rsplit("/", 1)[1]).read_bytes())

    socket.socket.connect = refuse  # type: ignore[method-assign]
    urllib.request.urlopen = from_copies  # type: ignore[assignment]

    # only now: it reads the vocabularies while it is imported
    from eark_validator.packages import PackageValidator  # type: ignore[import-not-found]

    print(PackageValidator(package).validation_report.model_dump_json())
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
