"""Compound files (OLE2) of Office 97 to 2003: every sector chain can be walked, every stream read to its end."""

from __future__ import annotations

from typing import Any, BinaryIO

import olefile

from pipeline.content.validity import Beat, Invalid, Judgement, Unchecked, size_of
from pipeline.records import Validity

_STREAMS = 20_000


def opened(source: BinaryIO) -> Any:
    """The compound file, read strictly. Raises Invalid, and Unchecked where it is none at all."""
    size = size_of(source)
    head = source.read(len(olefile.MAGIC))
    source.seek(0)
    if head != olefile.MAGIC:
        # Nothing but the extension said so, and other programs used .doc and .xls long before this format was made.
        raise Unchecked("not a compound file, whatever its extension says")
    if size < 1536:
        raise Invalid(f"{size} bytes are no compound file")
    try:
        return olefile.OleFileIO(source, raise_defects=olefile.DEFECT_INCORRECT)
    except (OSError, ValueError, IndexError, KeyError, TypeError) as problem:
        raise Invalid(f"no whole compound file: {problem}") from None


def judge(found: Any, beat: Beat) -> Judgement:
    """Reads every stream. What the streams mean has no checker, so the best outcome is `not checked`."""
    names = found.listdir(streams=True, storages=False)
    for number, name in enumerate(names[:_STREAMS]):
        shown = "/".join(name)
        try:
            wanted = found.get_size(name)
            got = len(found.openstream(name).read())
        except (OSError, ValueError, IndexError, KeyError, TypeError) as problem:
            raise Invalid(f"stream {shown!r}: {problem}") from None
        if got != wanted:
            raise Invalid(f"stream {shown!r} has {got} instead of {wanted} bytes")
        if not number % 50:
            beat()
    return Judgement(
        Validity.NOT_CHECKED, f"compound file: all {len(names)} streams can be read; no checker for what they hold"
    )
