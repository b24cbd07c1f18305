"""vips: images from one format into another."""

from __future__ import annotations

from pipeline.tools.program import Program

VIPS = Program("vips", ("--version",), r"vips[- ](\d+\.\d+\.\d+)", (8, 14), "libvips-tools", "SYS-TOOL-VIPS")
VIPSHEADER = Program(
    "vipsheader", ("--version",), r"vips[- ](\d+\.\d+\.\d+)", (8, 14), "libvips-tools", "SYS-TOOL-VIPS"
)
VIPSTHUMBNAIL = Program(
    "vipsthumbnail", ("--version",), r"vips[- ](\d+\.\d+\.\d+)", (8, 14), "libvips-tools", "SYS-TOOL-VIPS"
)
