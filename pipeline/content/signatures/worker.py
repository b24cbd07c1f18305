"""The verification of one file's signatures, as a worker of the pool does it."""

from __future__ import annotations

import importlib
import logging
import os
import time
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

from pipeline.content.signatures import alone, office, pdf, xmldsig
from pipeline.content.signatures.certificates import Roots
from pipeline.content.signatures.cms import Unjudged
from pipeline.content.validity import Beat
from pipeline.pool import Job, TooLong
from pipeline.signatures import Signature

_MOST: Final = 200
_BEAT: Final = 2.0
_MOST_BEATS: Final = 150
"""After so many signs of life, two seconds apart, a file has had its five minutes."""

_LATE: Final = (
    "cryptography.hazmat.backends.openssl.backend", "encodings.cp437", "encodings.idna", "pyhanko.pdf_utils.crypt",
    "pyhanko.pdf_utils.filters",
)  # fmt: skip

_roots: tuple[bytes, str, Roots] | None = None


def prepare() -> None:
    """Called before workers are forked, while there are rights: what libraries would import later is imported now.

    They say what they think in their results, not on standard error.
    """
    for name in _LATE:
        importlib.import_module(name)
    logging.disable(logging.CRITICAL)


def verify(job: Job, form: str, moment: str, rules: str, counted: int, beside: list[str]) -> dict[str, Any]:
    """`signatures` as JSON, and `needs`: URIs of files that XML refers to.

    Descriptors: the file, the trust (PEM), then the files of `beside` in this order; for CMS the one that it signs.
    """
    roots = _trust(job.fds[1], moment)
    beat = _pulse(job.beat)
    found: list[Signature] = []
    needs: list[str] = []
    with os.fdopen(os.dup(job.fds[0]), "rb") as source:
        source.seek(0)
        if form == "pdf":
            found = pdf.verify(source, roots, beat, counted)
        elif form == "cms":
            if len(job.fds) > 2:
                with os.fdopen(os.dup(job.fds[2]), "rb") as other:
                    found = alone.verify(source, other, roots, beat)
            else:
                found = alone.verify(source, None, roots, beat)
        elif form == "xml":
            try:
                data = source.read(xmldsig.LONGEST + 1)
                root = xmldsig.document(data)
                needs = xmldsig.outside(root)
                held = dict(zip(beside, job.fds[2:], strict=False))
                told = xmldsig.verify(data, root, lambda uri: _bytes(held.get(uri)), roots, beat)
                found = [one.signature for one in told]
            except Unjudged as problem:
                found = [Signature(form="XML-DSig", why=str(problem))]
        else:
            found = office.verify(source, form, roots, beat, counted)
    return {"signatures": [asdict(replace(one, rules=rules)) for one in found[:_MOST]], "needs": needs}


def _trust(fd: int, moment: str) -> Roots:
    """What is trusted; read once for as long as it stays the same."""
    global _roots
    with os.fdopen(os.dup(fd), "rb") as source:
        source.seek(0)
        data = source.read()
    if _roots is None or _roots[:2] != (data, moment):
        _roots = (data, moment, Roots.read(data, datetime.fromisoformat(moment)))
    return _roots[2]


def _bytes(fd: int | None) -> bytes | None:
    if fd is None:
        return None
    with os.fdopen(os.dup(fd), "rb") as source:
        source.seek(0)
        data = source.read(xmldsig.LONGEST + 1)
    if len(data) > xmldsig.LONGEST:
        raise Unjudged("a file that the signature refers to is too big")
    return data


def _pulse(beat: Beat) -> Beat:
    """A sign of life now and then; no more of them than a file may take time."""
    last = time.monotonic()
    left = _MOST_BEATS

    def pulse() -> None:
        nonlocal last, left
        if time.monotonic() - last > _BEAT:
            last = time.monotonic()
            left -= 1
            if not left:
                raise TooLong("it took longer than five minutes")
            beat()

    return pulse
