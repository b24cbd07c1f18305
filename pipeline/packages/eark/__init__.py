"""The kind `eark-aip`: an archival information package by E-ARK AIP 2.2.0."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.packages import Generated
from pipeline.packages.eark.compose import compose
from pipeline.records import Rows


class EarkAip:
    """E-ARK AIP 2.2.0 on CSIP 2.2.0 with PREMIS 3 and Dublin Core."""

    name = "eark-aip"

    def compose(self, rows: Rows, folder: Path) -> Iterator[Generated]:
        """Writes METS, PREMIS and descriptions below `folder`, root METS last."""
        return compose(rows, folder)
