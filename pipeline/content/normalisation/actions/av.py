"""Sound and film by ffmpeg."""

from __future__ import annotations

from pathlib import Path

from pipeline.content.normalisation.calls import Calls, why
from pipeline.content.normalisation.made import Failed, Made
from pipeline.content.normalisation.registry import ActionWithPrograms
from pipeline.content.normalisation.rules import Action
from pipeline.tools.decoders import FFMPEG
from pipeline.tools.program import Program

FFPROBE = Program("ffprobe", ("-version",), r"ffprobe version n?(\d+\.\d+(?:\.\d+)?)", (5, 0), "ffmpeg", FFMPEG.code)
QUIET = ("-v", "error", "-nostdin", "-protocol_whitelist", "file,pipe")
"""Only errors are printed, nothing is asked, and no list of a file leads to another place."""
SAME = ("-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact")
"""The same input gives the same bytes: no times, no names of encoders."""


def convert(source: Path, out: Path, action: Action, calls: Calls) -> Made:
    """One call with the rule's arguments between source and result.

    ffmpeg ends with 0 on files that break off or hold broken frames: whatever it prints is a failure.
    """
    (result,) = action.results
    arguments = [*QUIET, "-i", "{in}/source", *action.arguments, *SAME, f"{{out}}/{result.file}"]
    ran = calls.run(FFMPEG, arguments, {"source": source}, out)
    if ran.ok and ran.said.strip():
        raise Failed("FMT-CONVERT-DAMAGED", why(ran))
    calls.ran_well(ran, FFMPEG, out / result.file)
    return Made(programs=((FFMPEG.name, FFMPEG.version or ""),), sandbox=ran.sandbox)


WITH_PROGRAMS: dict[str, ActionWithPrograms] = {"av.convert": convert}
NEEDS = {"av.convert": (FFMPEG,)}
