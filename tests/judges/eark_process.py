"""Runs eark-validator inside its own environment, with no network: prints a report as JSON, one line a package.

Usage: .judges/eark/bin/python eark_process.py VOCABULARIES_FOLDER PACKAGE_FOLDER...
A package on which it breaks gets the line {"broken": why}.
The validator reads four vocabularies over the network when it is imported. They are answered from local copies here,
and any connection is refused. (Its METS schema names xlink.xsd by a public address too, but has read its own copy by
then.)
"""

from __future__ import annotations

import io
import json
import socket
import sys
import urllib.request
from pathlib import Path


def main(vocabularies: Path, packages: list[Path]) -> int:
    """0 with the reports on standard output."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError("eark-validator asked for the network")

    def from_copies(address: str) -> io.BytesIO:
        return io.BytesIO((vocabularies / address.rsplit("/", 1)[1]).read_bytes())

    socket.socket.connect = refuse  # type: ignore[method-assign]
    urllib.request.urlopen = from_copies  # type: ignore[assignment]

    # only now: it reads the vocabularies while it is imported
    from eark_validator.packages import PackageValidator  # type: ignore[import-not-found]

    for package in packages:
        try:
            print(PackageValidator(package).validation_report.model_dump_json(), flush=True)
        except Exception as broken:
            print(json.dumps({"broken": f"{type(broken).__name__}: {broken}"}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), [Path(one) for one in sys.argv[2:]]))
