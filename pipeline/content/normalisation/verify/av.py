"""Sound and film compared stream by stream, decoded."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from pipeline.content.normalisation.actions.av import FFPROBE, QUIET
from pipeline.content.normalisation.calls import Calls, why
from pipeline.content.normalisation.made import Differs, Failed, Proved
from pipeline.content.normalisation.registry import VerificationWithPrograms
from pipeline.tools.decoders import FFMPEG

_LINE = re.compile(r"^\d+,([av]),SHA256=([0-9a-f]{64})$", re.MULTILINE)
_NOTHING = hashlib.sha256().hexdigest()
_WORDS = {"v": "video", "a": "audio"}


def streams(source: Path, result: Path, arguments: Sequence[str], calls: Calls) -> Proved | Differs:
    """Every frame and sample is the same in source and result, stream by stream in their order.

    Arguments: what is compared (`video`, `audio` or both), then the bits of a sample at which sound is compared: 32
    for sound without loss, 24 for what a decoder gives as fractions.
    """
    asked = [kind for kind, word in _WORDS.items() if word in arguments]
    bits = next((word for word in arguments if word.isdecimal()), "32")
    first, second = (_digests(file, asked, bits, calls) for file in (source, result))
    if not first:
        return Differs("no stream in the source")
    if any(digest == _NOTHING for _, digest in first):
        return Differs("a stream of the source holds nothing")
    if first != second and "v" in asked and (layout := _layout(source, calls)):
        # The same pictures may lie in memory in another way (BGR in three or four bytes): asked in the source's way.
        second = _digests(result, asked, bits, calls, layout)
    if first != second:
        number = next((at for at, (one, two) in enumerate(zip(first, second, strict=False)) if one != two), len(first))
        return Differs(f"streams: {len(first)} in the source, {len(second)} in the result, stream {number} differs")
    told = ", ".join(f"{sum(one == kind for one, _ in first)} {_WORDS[kind]}" for kind in asked)
    return Proved(f"decoded streams have equal SHA-256 ({told}; sound at {bits} bits)")


def lasts(source: Path, result: Path, arguments: Sequence[str], calls: Calls) -> Proved | Differs:
    """The copy can be decoded to its end and is as long as its source, but for a second or two in a hundred."""
    before, after = (_seconds(file, calls) for file in (source, result))
    if before is None or after is None:
        return Differs("no duration")
    if abs(before - after) > max(1.0, 0.02 * before):
        return Differs(f"{after:.1f} s, not {before:.1f} s")
    with calls.folder() as folder:
        ran = calls.run(FFMPEG, [*QUIET, "-i", "{in}/file", "-f", "null", "-"], {"file": result}, folder)
    if not ran.ok or ran.said.strip():
        return Differs(why(ran))
    return Proved(f"decoded to the end, {after:.1f} s")


def _seconds(file: Path, calls: Calls) -> float | None:
    with calls.folder() as folder:
        arguments = [*QUIET[:2], *QUIET[3:], "-show_entries", "format=duration", "-of", "csv=p=0", "{in}/file"]
        ran = calls.run(FFPROBE, arguments, {"file": file}, folder)
    try:
        return float(ran.said.split()[-1]) if ran.ok else None
    except (ValueError, IndexError):
        return None


def _layout(file: Path, calls: Calls) -> str:
    """How pictures of the one video stream lie in memory, as ffmpeg names it; empty when it is not one, or unknown."""
    with calls.folder() as folder:
        arguments = [*QUIET[:2], *QUIET[3:], "-select_streams", "v", "-show_entries", "stream=pix_fmt", "-of",
                     "csv=p=0", "{in}/file"]  # fmt: skip
        ran = calls.run(FFPROBE, arguments, {"file": file}, folder)
    told = ran.said.split()
    return told[0].strip(",") if ran.ok and len(told) == 1 else ""


def _digests(file: Path, kinds: Sequence[str], bits: str, calls: Calls, layout: str = "") -> list[tuple[str, str]]:
    """(v or a, SHA-256 of the decoded stream), video first; pictures as they are, or in this layout."""
    maps = [part for kind in kinds for part in ("-map", f"0:{kind}?")]
    with calls.folder() as folder:
        arguments = [*QUIET, "-i", "{in}/file", *maps, "-dn", "-fps_mode", "passthrough", "-c:v", "rawvideo",
                     *(("-pix_fmt", layout) if layout else ()), "-c:a", f"pcm_s{bits}le",
                     "-f", "streamhash", "-hash", "sha256", "{out}/digests"]  # fmt: skip
        ran = calls.run(FFMPEG, arguments, {"file": file}, folder)
        told = folder / "digests"
        if not ran.ok or ran.said.strip() or not told.exists():
            raise Failed("FMT-CONVERT-FAILED", why(ran), FFMPEG.name)
        return _LINE.findall(told.read_text("ascii", "replace"))


WITH_PROGRAMS: dict[str, VerificationWithPrograms] = {"av.streams": streams, "av.lasts": lasts}
NEEDS = {"av.streams": (FFMPEG, FFPROBE), "av.lasts": (FFMPEG, FFPROBE)}
