"""tiffcp: a TIFF in another compression, with every tag it has."""

from __future__ import annotations

from pipeline.tools.program import Program

TIFFCP = Program("tiffcp", ("-h",), r"LIBTIFF, Version (\d+\.\d+\.\d+)", (4, 5), "libtiff-tools", "SYS-TOOL-TIFFCP")
