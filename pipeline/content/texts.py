"""What encoding a text file is in, how it reads, and the same text as UTF-8."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.errors import SystemProblem, UsageProblem
from pipeline.findings import as_json, visible
from pipeline.records import Finding, PackagePath
from pipeline.text import Decoder, Detection, Unmapped, decode, detect_stream
from pipeline.workspace import durable, sync_folder

NAMES = {
    "tcvn3": "TCVN3 (ABC)",
    "tcvn3-h": "TCVN3 (ABC, .Vn…H)",
    "tcvn5712": "TCVN 5712-1",
    "vni": "VNI Windows",
    "vps": "VPS",
    "viscii": "VISCII",
    "cp1258": "Windows-1258",
    "viqr": "VIQR",
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16LE",
    "utf-16-be": "UTF-16BE",
}
"""Encodings as people write them."""

REASONS = {
    "empty": ("tệp rỗng", "the file is empty"),
    "ascii": ("chỉ có ký tự ASCII", "ASCII only"),
    "bom": ("có dấu thứ tự byte (BOM)", "it begins with a byte order mark"),
    "utf-8": ("mọi byte đều đúng UTF-8", "all bytes are valid UTF-8"),
    "utf-16": ("từng cặp byte đều là chữ, không có BOM", "every pair of bytes is a character, without a mark"),
    "syllables": (
        "đọc theo bảng mã này thì các từ là âm tiết tiếng Việt",
        "so read, its words are Vietnamese syllables",
    ),
    "font": ("theo tên phông chữ", "its font says so"),
    "neighbours": ("theo phần văn bản bên cạnh", "as the text around it"),
    "undone": ("đã bị lưu nhầm qua CP1252; đã đảo ngược", "it was taken for CP1252 and saved again; that is undone"),
    "asked": ("theo yêu cầu", "as asked"),
    "ambiguous": ("nhiều cách đọc đều ra tiếng Việt", "several readings are Vietnamese"),
    "short": ("quá ít chữ để kết luận", "too few words to tell"),
    "mixed": ("các dòng thuộc nhiều bảng mã", "its lines are in several encodings"),
    "damaged": ("UTF-8 bị hỏng một số chỗ", "UTF-8 with broken places"),
    "foreign": ("không cách đọc nào ra tiếng Việt", "no reading is Vietnamese"),
    "binary": ("không phải văn bản", "it is no text"),
}
"""Why, by the method of a detection: Vietnamese, English."""

_OPEN = {"ambiguous": "TXT-AMBIGUOUS", "short": "TXT-AMBIGUOUS", "mixed": "TXT-MIXED", "damaged": "TXT-DAMAGED",
         "foreign": "TXT-FOREIGN", "binary": "TXT-BINARY"}  # fmt: skip
_BLOCK = 1 << 16
_HEAD = 64 << 10
_LINES = 3
_WIDTH = 100
_LIKELY = 0.25
"""Readings below this share of syllables are not shown to a person who decides."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a text is. `text` is its whole text, or its beginning where `cut`; None without an encoding.

    `lines` are the first ones with words, `readings` the same by each candidate when a person decides.
    """

    detection: Detection
    size: int
    lines: tuple[str, ...] = ()
    readings: tuple[tuple[str, float, tuple[str, ...]], ...] = ()
    text: str | None = None
    cut: bool = False
    changed: bool = False
    unmapped: tuple[Unmapped, ...] = ()
    capitals: tuple[tuple[str, str], ...] = ()

    @property
    def whole(self) -> bool:
        """Whether it can be written as UTF-8 without losing anything."""
        encoding = self.detection.encoding
        return encoding is not None and not (self.unmapped and encoding.startswith("utf-"))


def look(source: BinaryIO, asked: str | None = None, keep: int = 0) -> Seen:
    """Reads a text from its beginning, twice, in constant memory; `keep` characters of it are handed back.

    `asked` is an encoding that a person named; what the bytes say against it stands in `against`.
    """
    source.seek(0)
    told = detect_stream(source)
    size = source.tell()
    found = told
    if asked is not None:
        other = told.encoding if told.method in ("syllables", "utf-8", "bom", "utf-16", "undone") else None
        against = other if other not in (None, asked, asked.removesuffix("-h")) else None
        found = Detection(asked, 1.0, 1.0, "asked", told.candidates, words=10.0, against=against)
    source.seek(0)
    if found.encoding is None:
        return Seen(found, size, readings=_readings(source, found))
    decoder, before, after = Decoder(found), hashlib.sha256(), hashlib.sha256()
    kept: list[str] = []
    left, begun = keep, ""
    for data, text in _pieces(source, decoder):
        before.update(data)
        after.update(text.encode("utf-8", "replace"))
        if len(begun) < _HEAD:
            begun += text[:_HEAD]
        if left > 0:
            kept.append(text[:left])
        left -= len(text)
    changed = before.digest() != after.digest()
    whole = "".join(kept) if keep else None
    cut = keep > 0 and left < 0
    return Seen(found, size, _first(begun), (), whole, cut, changed, decoder.unmapped, decoder.proposals)


def poured(source: BinaryIO, found: Detection) -> Iterator[bytes]:
    """The text as UTF-8, in pieces."""
    source.seek(0)
    return (text.encode("utf-8", "replace") for _, text in _pieces(source, Decoder(found)))


def written(source: BinaryIO, found: Detection, target: Path) -> None:
    """The text as UTF-8 in a file that appears whole. UsageProblem when there is one of that name already.

    SystemProblem when it cannot be written.
    """
    hidden = target.parent / f".{target.name[:100]}.{os.getpid()}.whole"
    try:
        with durable(hidden) as out:
            for piece in poured(source, found):
                out.write(piece)
        try:
            os.link(hidden, target)
        except FileExistsError:
            raise UsageProblem("USE-TEXT-EXISTS", file=target) from None
        except OSError:  # a disk without links
            if os.path.lexists(target):
                raise UsageProblem("USE-TEXT-EXISTS", file=target) from None
            os.rename(hidden, target)
        sync_folder(target.parent)
    except OSError as problem:
        raise SystemProblem("SYS-WRITE", file=target, cause=problem.strerror or problem) from problem
    finally:
        with contextlib.suppress(OSError):
            hidden.unlink(missing_ok=True)


def findings(path: PackagePath, seen: Seen) -> Iterator[Finding]:
    """What a person should know or decide about a text."""
    found = seen.detection
    if code := _OPEN.get(found.method):
        told = ", ".join(f"{NAMES[name]} {score:.2f}" for name, score, _ in seen.readings)
        yield Finding(code, path, None, "UTF-8", told or None)
    if found.against is not None:
        yield Finding("TXT-AGAINST", path, None, NAMES[found.against], NAMES[found.encoding or "utf-8"])
    if found.undo:
        yield Finding("TXT-UNDONE", path, None, NAMES[found.encoding or "utf-8"], str(found.undo))
    if seen.unmapped:
        code = "TXT-UNMAPPED" if seen.whole else "TXT-BROKEN"
        told = ", ".join(f"{one.byte} × {one.count}" for one in seen.unmapped[:20])
        yield Finding(code, path, seen.unmapped[0].line, NAMES[found.encoding or "utf-8"], told)
    if seen.capitals:
        told = ", ".join(f"{word} → {meant}" for word, meant in seen.capitals[:10])
        yield Finding("TXT-CAPITALS", path, None, None, told)


def document(path: str, raw: PackagePath, seen: Seen, output: str | None = None) -> dict[str, Any]:
    """`text/1` of one text, keys in the order of the contract."""
    found = seen.detection
    vi, en = REASONS[found.method]
    return {
        "path": path,
        "bytes": seen.size,
        "encoding": found.encoding,
        "confidence": found.confidence if found.encoding else None,
        "method": found.method,
        "reason": {"en": en, "vi": vi},
        "candidates": [
            {"encoding": name, "score": round(score, 3), "lines": list(lines)} for name, score, lines in seen.readings
        ],
        "undo": found.undo,
        "lines": list(seen.lines),
        "text": seen.text,
        "cut": seen.cut,
        "changed": seen.changed,
        "unmapped": [
            {"byte": one.byte, "shown": one.shown, "count": one.count, "line": one.line} for one in seen.unmapped
        ],
        "capitals": [{"word": word, "proposal": meant} for word, meant in seen.capitals],
        "output": output,
        "findings": [as_json(finding) for finding in findings(raw, seen)],
        "problem": None,
    }


def _pieces(source: BinaryIO, decoder: Decoder) -> Iterator[tuple[bytes, str]]:
    while data := source.read(_BLOCK):
        yield data, decoder.decode(data)
    yield b"", decoder.decode(b"", final=True)


def _first(text: str) -> tuple[str, ...]:
    """The first lines with anything in them, made fit for people."""
    lines = [" ".join(line.split(" ")).strip() for line in text.split("\n")]
    return tuple((visible(line[:_WIDTH]) or "") for line in lines if line)[:_LINES]


def _readings(source: BinaryIO, found: Detection) -> tuple[tuple[str, float, tuple[str, ...]], ...]:
    """The first lines that are not ASCII, by each likely candidate."""
    head = source.read(_HEAD)
    if found.method == "binary":
        return ()
    lines = [line for line in head.split(b"\n") if not line.isascii()] or head.split(b"\n")
    raw = b"\n".join(lines[:_LINES])[:4096]
    likely = [one for one in found.candidates if one[1] >= _LIKELY] or list(found.candidates[:1])
    return tuple((name, score, _first(decode(raw, name))) for name, score in likely)
