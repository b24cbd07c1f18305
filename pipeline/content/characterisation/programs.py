"""What ExifTool and MediaInfo tell of many files at one start, in the names of our list."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.tools.batch import together
from pipeline.tools.decoders import EXIFTOOL, MEDIAINFO
from pipeline.tools.run import Bounds

MEDIA_FAMILIES = ("wave", "aiff", "flac", "avi", "mp4", "matroska", "media")
EXIF_FAMILIES = ("jpeg", "png", "tiff", "gif", "jp2", "image", *MEDIA_FAMILIES)

_SECONDS = 30.0
_MEMORY = 512 << 20
_ARGUMENTS = ("-json", "-n", "-G1", "-x", "System:all", "-api", "LargeFileSupport=1", "-charset", "UTF8")
_WORDS = {"Progressive": "progressive", "Interlaced": "interlaced", "MBAFF": "interlaced"}
_DATE = re.compile(r"(\d{4}):(\d\d):(\d\d)(?:[ T](\d\d):(\d\d):(\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)?)?")


@dataclass(frozen=True, slots=True)
class Said:
    """What one program said of one file: by names of our list, what made the file, and its own words whole."""

    properties: Mapping[str, Any]
    creating: tuple[tuple[str, str, str], ...]
    raw: Mapping[str, Any]


def exiftool(files: Sequence[Path], scratch: Path, sandbox: str) -> list[Said | None]:
    """One ExifTool for all files; None for a file that it was stopped on, or of which it knows nothing."""
    bounds = Bounds(_SECONDS + len(files), _MEMORY, 64 << 20)
    found: list[Said | None] = [None] * len(files)
    for text, numbers in together(EXIFTOOL, _ARGUMENTS, files, scratch, bounds, sandbox=sandbox):
        told = _json(text)
        many = told if isinstance(told, list) and len(told) == len(numbers) else []
        for number, one in zip(numbers, many, strict=False):
            if isinstance(one, dict):
                one.pop("SourceFile", None)
                one.pop("ExifTool:ExifToolVersion", None)
                found[number] = _exif(one)
    return found


def _exif(raw: Mapping[str, Any]) -> Said:
    plain: dict[str, Any] = {}
    for name, value in raw.items():
        plain.setdefault(name.partition(":")[2] or name, value)
    maker, model = (str(plain.get(name, "")).strip() for name in ("Make", "Model"))
    device = model if maker and model.lower().startswith(maker.lower()) else f"{maker} {model}".strip()
    told = {
        "orientation": plain.get("Orientation"),
        "capture device": device,
        "capture date": _date(plain.get("DateTimeOriginal")),
        "location recorded": "GPSLatitude" in plain or "GPSPosition" in plain or "GPSCoordinates" in plain,
    }
    software = str(plain.get("Software") or plain.get("CreatorTool") or "").strip()
    made = _date(plain.get("CreateDate")) or _date(plain.get("ModifyDate"))
    return Said(told, ((software, "", made),) if software else (), raw)


def _date(value: Any) -> str:
    """ISO 8601 of Exif's form; empty for zeros and for what is no date."""
    found = _DATE.match(str(value or ""))
    if found is None or found[1] == "0000":
        return ""
    day = f"{found[1]}-{found[2]}-{found[3]}"
    return f"{day}T{found[4]}:{found[5]}:{found[6]}{found[7] or ''}" if found[4] else day


def mediainfo(files: Sequence[Path], scratch: Path, sandbox: str) -> list[Said | None]:
    """One MediaInfo for all files; None for a file that it was stopped on, or in which it finds no track."""
    bounds = Bounds(_SECONDS + 2 * len(files), _MEMORY, 64 << 20)
    found: list[Said | None] = [None] * len(files)
    for text, numbers in together(MEDIAINFO, ("--Output=JSON",), files, scratch, bounds, sandbox=sandbox):
        told = _json(text)
        many = told if isinstance(told, list) else [told]
        for number, one in zip(numbers, many if len(many) == len(numbers) else [], strict=False):
            tracks = (one.get("media") or {}).get("track") if isinstance(one, dict) else None
            if isinstance(tracks, list):
                found[number] = _media([track for track in tracks if isinstance(track, dict)])
    return found


def _media(tracks: list[dict[str, Any]]) -> Said:
    by_kind: dict[str, dict[str, Any]] = {}
    for track in tracks:
        by_kind.setdefault(str(track.get("@type")), track)
    whole, video, audio = (by_kind.get(kind, {}) for kind in ("General", "Video", "Audio"))
    told: dict[str, Any] = {
        "duration": _decimal(whole.get("Duration")),
        "bit rate": _integer(whole.get("OverallBitRate")),
    }
    if video:
        told |= {
            "image width": _integer(video.get("Width")),
            "image height": _integer(video.get("Height")),
            "video codec": _codec(video),
            "frame rate": _decimal(video.get("FrameRate")),
            "scan type": _WORDS.get(str(video.get("ScanType")), video.get("ScanType")),
            "bits per sample": _integer(video.get("BitDepth")),
        }
    if audio:
        told |= {
            "audio codec": _codec(audio),
            "sampling rate": _integer(audio.get("SamplingRate")),
            "channels": _integer(audio.get("Channels")),
        }
        told.setdefault("bits per sample", _integer(audio.get("BitDepth")))
    program = str(whole.get("Encoded_Application") or whole.get("Encoded_Library") or "").strip()
    raw = {str(number): {key: value for key, value in track.items() if not key.startswith("File_")}
           for number, track in enumerate(tracks)}  # fmt: skip
    return Said(told, ((program, "", ""),) if program else (), raw)


def _codec(track: Mapping[str, Any]) -> str:
    return " ".join(str(track[name]) for name in ("Format", "Format_Version", "Format_Profile") if track.get(name))


def _integer(value: Any) -> int | None:
    number = _decimal(value)
    return None if number is None else round(number)


def _decimal(value: Any) -> float | None:
    try:
        return float(str(value).split(" / ")[0])
    except ValueError:
        return None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
