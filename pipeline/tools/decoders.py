"""Programs that tell what media and images hold, or decode them to the end."""

from __future__ import annotations

from pipeline.tools.program import Program

EXIFTOOL = Program("exiftool", ("-ver",), r"(\d+\.\d+)", (12, 40), "libimage-exiftool-perl", "SYS-TOOL-EXIFTOOL")
MEDIAINFO = Program("mediainfo", ("--Version",), r"v(\d+\.\d+)", (21, 9), "mediainfo", "SYS-TOOL-MEDIAINFO")
FLAC = Program("flac", ("--version",), r"flac (\d+\.\d+\.\d+)", (1, 3), "flac", "SYS-TOOL-FLAC")
VERAPDF = Program("verapdf", ("--version",), r"veraPDF (\d+\.\d+(?:\.\d+)?)", (1, 24), "verapdf", "SYS-TOOL-VERAPDF")
FFMPEG = Program("ffmpeg", ("-version",), r"ffmpeg version n?(\d+\.\d+(?:\.\d+)?)", (5, 0), "ffmpeg", "SYS-TOOL-FFMPEG")
