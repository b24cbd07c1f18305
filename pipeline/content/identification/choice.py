"""The one answer of two engines, by a rule that anybody can follow (docs/identification.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.records import Agreement, Opinion

_STRENGTH = {"container": 3, "signature": 2, "text": 1}


def choose(first: Opinion, second: Opinion, over: Mapping[str, frozenset[str]]) -> tuple[Opinion, Agreement]:
    """The opinion that counts, and what both come to.

    Both name the same PUID: the one with newer signatures. Only one names a PUID: that one. Else container over
    signature over text, then the format that PRONOM ranks above the other (`over`, through any number of steps), then
    the newer signatures.
    """
    newer, older = (second, first) if _age(second) > _age(first) else (first, second)
    if newer.puid == older.puid:
        return newer, Agreement.SAME if newer.puid else Agreement.NONE
    if newer.puid is None or older.puid is None:
        return (older if newer.puid is None else newer), Agreement.SINGLE
    strength = _STRENGTH.get(newer.match, 0) - _STRENGTH.get(older.match, 0)
    if strength:
        return (newer if strength > 0 else older), Agreement.DIFFER
    if _above(older.puid, newer.puid, over) and not _above(newer.puid, older.puid, over):
        return older, Agreement.DIFFER
    return newer, Agreement.DIFFER


def _above(puid: str, other: str, over: Mapping[str, frozenset[str]]) -> bool:
    seen = {puid}
    waiting = [puid]
    while waiting:
        for lower in over.get(waiting.pop(), frozenset()) - seen:
            if lower == other:
                return True
            seen.add(lower)
            waiting.append(lower)
    return False


def _age(opinion: Opinion) -> int:
    found = re.match(r"V(\d+)", opinion.signature_version)
    return int(found[1]) if found else 0
