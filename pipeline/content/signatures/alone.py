"""Signatures that are files of their own: CMS (`.p7s`, `.p7m`) and time-stamps (`.tsr`, `.tst`), with what they sign.

Runs inside workers of the pool.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO, Final

from asn1crypto import tsp

from pipeline.content.signatures import cms
from pipeline.content.signatures.certificates import Material, Roots, words
from pipeline.content.signatures.cms import Unjudged
from pipeline.signatures import Coverage, Signature

LONGEST: Final = 64 << 20
_CHUNK: Final = 1 << 20
_MESSAGE: Final = re.compile(rb"(?i)(?:[\w-]+:[^\n]*\n(?:[ \t][^\n]*\n)*)*?content-type:\s*multipart/signed")
_PEM: Final = re.compile(rb"-----BEGIN [A-Z0-9 ]+-----\s(.*?)-----END", re.DOTALL)
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/=\s]+")


def verify(source: BinaryIO, beside: BinaryIO | None, roots: Roots, beat: Callable[[], None]) -> list[Signature]:
    """Every signer of a file of CMS. `beside` is the file that a detached signature would be about.

    Nothing when the bytes are no CMS at all. Never raises on content but MemoryError.
    """
    size = source.seek(0, os.SEEK_END)
    source.seek(0)
    if size > LONGEST:
        return [Signature(form="CMS", why=f"more than {LONGEST} bytes")]
    data = source.read(LONGEST)
    if _MESSAGE.match(data):
        return [Signature(form="S/MIME", why="signed messages of S/MIME are not judged")]
    der = _der(data)
    if not der.startswith(b"\x30"):
        return []
    try:
        return _verified(der, beside, roots, beat)
    except Unjudged as problem:
        return [Signature(form="CMS", why=str(problem))]
    except MemoryError:
        raise
    except Exception as problem:
        return [Signature(form="CMS", why=f"no CMS signature that can be read: {words(problem)}")]


def _verified(der: bytes, beside: BinaryIO | None, roots: Roots, beat: Callable[[], None]) -> list[Signature]:
    of = cms.signed_data(_token(der))
    held = cms.contained(of)
    stamp = of["encap_content_info"]["content_type"].native == "tst_info"
    if held is not None and not stamp:
        found = list(cms.signers(of, cms.digester(held), roots, roots.moment, Material(), "CMS"))
        return [replace(one, coverage=Coverage.FILE, covered="the content inside") for one in found]
    if beside is None:
        why = "the file that it signs does not lie beside it"
        info = next(iter(of["signer_infos"]), None)
        method = cms.method(info) if info is not None else ""
        return [Signature(form="RFC 3161" if stamp else "CMS detached", method=method, why=why)]
    about = beside

    def digest(name: str) -> bytes:
        made = cms.hasher(name)
        about.seek(0)
        while data := about.read(_CHUNK):
            made.update(data)
            beat()
        return bytes(made.digest())

    if stamp:
        return [replace(cms.token(of, digest, roots, roots.moment, Material())[1], coverage=Coverage.FILE)]
    found = list(cms.signers(of, digest, roots, roots.moment, Material(), "CMS detached"))
    return [replace(one, coverage=Coverage.FILE, covered="the file beside it") for one in found]


def _der(data: bytes) -> bytes:
    """The DER of bytes that may be PEM or base64."""
    if data[:1] == b"\x30":
        return data
    found = _PEM.search(data)
    text = found[1] if found else data.removeprefix(b"\xef\xbb\xbf")
    if _BASE64.fullmatch(text) is None:
        return b""
    try:
        return base64.b64decode(b"".join(text.split()))
    except (binascii.Error, ValueError):
        return b""


def _token(der: bytes) -> bytes:
    """The token of an answer of a time-stamping authority; everything else as it is."""
    try:
        answer = tsp.TimeStampResp.load(der, strict=True)
        if answer["status"]["status"].native in ("granted", "granted_with_mods"):
            return bytes(answer["time_stamp_token"].dump())
    except (ValueError, TypeError, KeyError):
        pass  # it is none
    return der
