"""The reading of one file for what it is and whether it is whole, as a worker of the pool does it."""

from __future__ import annotations

import codecs
import os
import time
from collections.abc import Callable
from typing import Any, BinaryIO

from pipeline.content.characterisation import office, pdf, pictures
from pipeline.content.validity import Beat, Invalid, Judgement, Limit, Unchecked, documents, images, media, opc
from pipeline.content.validity import pdf as validity_pdf
from pipeline.pool import Job
from pipeline.records import Validity

_BEAT = 2.0
_ENCODINGS = ("ascii", "cp437", "cp1252", "latin-1", "utf-16", "utf-16-le", "utf-16-be", "utf-32")
_NO_CHECKER = Judgement(Validity.NOT_CHECKED, "no checker for this format")

_CHECKS: dict[str, Callable[[BinaryIO, Beat], Judgement]] = {
    "png": images.png,
    "jpeg": images.jpeg,
    "gif": images.gif,
    "jp2": images.jp2,
    "tiff": images.tiff,
    "wave": media.wave,
    "aiff": media.aiff,
    "avi": media.avi,
    "mp4": media.mp4,
    "matroska": media.matroska,
    "ooxml": opc.ooxml,
    "odf": documents.odf,
    "zip": documents.packed,
    "text": documents.text,
}
_PICTURES = ("png", "jpeg", "gif", "jp2", "tiff", "image")
_MOST_BEATS = 300
"""After so many signs of life, two seconds apart, a file has had its ten minutes."""


def prepare() -> None:
    """Called before workers are forked: without rights they may not reach what is loaded later."""
    validity_pdf.prepare()
    for name in _ENCODINGS:
        codecs.lookup(name)


def examine(job: Job, family: str) -> dict[str, Any]:
    """JSON of what one file is: `properties`, `creating`, `inhibitors`, `judgement`, and what the family adds."""
    with os.fdopen(os.dup(job.fds[0]), "rb") as source:
        source.seek(0)
        try:
            answer = _examined(source, family, _Pulse(job.beat))
        except Invalid as broken:
            answer = {"judgement": Judgement(Validity.INVALID, str(broken))}
            if family in _PICTURES:
                answer["properties"] = pictures.read(source)
        except Unchecked as reason:
            answer = {"judgement": Judgement(Validity.NOT_CHECKED, str(reason)), "limit": isinstance(reason, Limit)}
            if family in _PICTURES:
                answer["properties"] = pictures.read(source)
    told: Judgement = answer["judgement"]
    answer["judgement"] = {"outcome": told.outcome, "detail": told.detail, "rest": told.rest}
    return answer


class _Pulse:
    """A sign of life now and then; no more of them than a file may take time."""

    def __init__(self, beat: Beat) -> None:
        self._beat = beat
        self._last = time.monotonic()
        self._left = _MOST_BEATS

    def __call__(self) -> None:
        now = time.monotonic()
        if now - self._last > _BEAT:
            self._last = now
            self._left -= 1
            if not self._left:
                raise Limit("it took longer than ten minutes")
            self._beat()


def _examined(source: BinaryIO, family: str, beat: Beat) -> dict[str, Any]:
    if family == "pdf":
        return pdf.examine(source, beat)
    if family == "compound":
        return office.compound(source, beat)
    if family == "xml":
        root = documents.root_of(source, beat)
        told = {"root element": root.name, "signatures": root.signatures or None}
        return {"properties": told, "judgement": Judgement(Validity.VALID, "XML: well-formed")}
    answer: dict[str, Any] = {}
    if family in _PICTURES:
        answer["properties"] = pictures.read(source)
    elif family == "ooxml":
        answer = office.ooxml(source)
    elif family == "odf":
        answer = office.odf(source)
        answer["encrypted"] = bool(answer["inhibitors"])
    source.seek(0)
    check = _CHECKS.get(family)
    if check is not None:
        try:
            answer["judgement"] = check(source, beat)
        except Invalid as broken:
            answer["judgement"] = Judgement(Validity.INVALID, str(broken))
        except Unchecked as reason:
            answer["judgement"] = Judgement(Validity.NOT_CHECKED, str(reason))
            answer["limit"] = isinstance(reason, Limit)
        else:
            answer["bare"] = pictures.bare(source, family)
    elif family == "flac":
        answer["judgement"] = Judgement(Validity.VALID, "FLAC", rest="flac")
    else:
        answer["judgement"] = _NO_CHECKER
    return answer
