"""External programs, one file each, over one sandboxed `run`."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.tools.decoders import EXIFTOOL, FFMPEG, FLAC, MEDIAINFO, VERAPDF
from pipeline.tools.poppler import PDFTOCAIRO, PDFTOPPM
from pipeline.tools.program import Program
from pipeline.tools.run import BWRAP, PRLIMIT, sandbox_state
from pipeline.tools.soffice import SOFFICE, UNO
from pipeline.tools.tesseract import TESSERACT
from pipeline.tools.tiffcp import TIFFCP
from pipeline.tools.vips import VIPS

TOOLS: tuple[Program, ...] = (
    BWRAP,
    PRLIMIT,
    VIPS,
    TIFFCP,
    EXIFTOOL,
    MEDIAINFO,
    FLAC,
    FFMPEG,
    PDFTOCAIRO,
    PDFTOPPM,
    TESSERACT,
    VERAPDF,
    SOFFICE,
    UNO,
)
"""All programs; none of them is needed to accept a package, but checks and conversions need theirs."""


@dataclass(frozen=True, slots=True)
class ToolState:
    """One thing that `luutru doctor` shows. `lost` by language: what cannot be done without it."""

    name: str
    found: str
    version: str
    ok: bool
    needed: bool
    lost: dict[str, str]
    install: str


def inspect(sandbox: str = "full") -> list[ToolState]:
    """State of every program, of the sandbox and of the libraries that identify formats."""
    states = [
        ToolState(one.name, one.path or "", one.version or "", one.fit, False, _lost(one.code), _how(one))
        for one in TOOLS
    ]
    from pipeline.tools import jhove

    lacking = jhove.lacking()
    place = "" if lacking else str(jhove.JARS)
    states.append(
        ToolState("jhove", place, jhove.version() or "", not lacking, False, _lost(jhove.JAVA.code), jhove.INSTALL)
    )
    state = sandbox_state(sandbox)
    detail = f"{sandbox}: {state.state}" + (f" ({state.detail})" if state.detail else "")
    states.append(ToolState("sandbox", detail, "", state.works, False, _lost("SYS-TOOL-SANDBOX"), ""))
    for name, library, code, install in (
        ("siegfried", "pygfried", "SYS-TOOL-SIEGFRIED", "make install"),
        ("libmagic", "python-magic", "SYS-TOOL-LIBMAGIC", "apt install libmagic1"),
    ):
        states.append(_library(name, library, code, install))
    return states


def _how(one: Program) -> str:
    """How a program is got; veraPDF is no package of Debian, and nothing needs it."""
    return "https://verapdf.org" if one is VERAPDF else f"apt install {one.install}"


def _library(name: str, library: str, code: str, install: str) -> ToolState:
    """Asks the installed distribution; libmagic also has to be found by the loader."""
    from ctypes.util import find_library
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version(library)
    except PackageNotFoundError:
        return ToolState(name, "", "", False, True, _lost(code), "make install")
    ok = name != "libmagic" or find_library("magic") is not None
    return ToolState(name, library, found, ok, True, _lost(code), install)


def _lost(code: str) -> dict[str, str]:
    from pipeline.findings import codes

    row = codes()[code]
    return {"vi": row.vi, "en": row.en}
