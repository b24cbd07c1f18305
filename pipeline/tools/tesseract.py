"""tesseract: reads the text of a page from its picture."""

from __future__ import annotations

from pipeline.tools.program import Program

TESSERACT = Program(
    "tesseract", ("--version",), r"tesseract v?(\d+\.\d+(?:\.\d+)?)", (5, 0),
    "tesseract-ocr tesseract-ocr-vie", "SYS-TOOL-TESSERACT",
)  # fmt: skip
