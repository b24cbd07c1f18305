"""poppler: PDF drawn anew, as PDF or as pictures of its pages."""

from __future__ import annotations

from pipeline.tools.program import Program

PDFTOCAIRO = Program(
    "pdftocairo", ("-v",), r"pdftocairo version (\d+\.\d+(?:\.\d+)?)", (20, 9), "poppler-utils", "SYS-TOOL-POPPLER"
)
PDFTOPPM = Program(
    "pdftoppm", ("-v",), r"pdftoppm version (\d+\.\d+(?:\.\d+)?)", (20, 9), "poppler-utils", "SYS-TOOL-POPPLER"
)
