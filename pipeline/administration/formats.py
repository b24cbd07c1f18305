"""The formats of the whole holdings, by the catalogue; the files that are odd, by the PREMIS of their AIPs."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

from pipeline.administration.archive import Archive, stored
from pipeline.errors import Problem, SystemProblem
from pipeline.names import shown, unhref
from pipeline.reports.format_profile import name_of
from pipeline.standards import premis, xml
from pipeline.storage.versions import StoredTree

_PREMIS = re.compile(rb"(?:representations/[^/]+/)?metadata/preservation/[^/]+\.xml")
_DATA = re.compile(r"representations/[^/]+/data/")


def holdings(at_hand: Archive, most: int) -> dict[str, Any]:
    """Keys of `formats/1`: `items` by format, sums, at most `most` files of each kind by name, AIPs not looked into.

    Sums are of everything that arrived; named are files of data that are not empty.
    """
    counts = at_hand.catalogue.formats()
    unknown: list[dict[str, str]] = []
    differing: list[dict[str, str]] = []
    unread: list[dict[str, str]] = []
    all_unknown = all_differing = 0
    for odd in at_hand.catalogue.odd_formats():
        all_unknown, all_differing = all_unknown + odd.unknown, all_differing + odd.differing
        if (odd.unknown and len(unknown) < most) or (odd.differing and len(differing) < most):
            try:
                for file, what, said in _odd_files(at_hand, odd.aip):
                    listed = unknown if what == "unknown" else differing
                    if len(listed) < most:
                        listed.append({"aip": odd.aip, "label": odd.label, "file": file, "found": said})
            except Problem as problem:
                unread.append({"aip": odd.aip, "label": odd.label, "cause": problem.code})
    return {
        "items": [
            {"puid": None if one.puid == "unknown" else one.puid, "name": name_of(one.puid), "files": one.files,
             "aips": one.aips} for one in counts
        ],
        "aips": at_hand.catalogue.count(), "files": sum(one.files for one in counts), "unknown": all_unknown,
        "differing": all_differing, "most": most, "unknown_files": unknown, "differing_files": differing,
        "not_read": unread,
    }  # fmt: skip


def _odd_files(at_hand: Archive, urn: str) -> Iterator[tuple[str, str, str]]:
    """(file, `unknown` or `differing`, what is said of it) of the data files of an AIP's newest version."""
    _, tree = stored(at_hand, urn)
    with contextlib.closing(tree):
        for path in [entry.path for entry in tree.entries() if _PREMIS.fullmatch(entry.path)]:
            try:
                yield from _of(tree, path)
            except (xml.Unreadable, KeyError) as problem:
                raise SystemProblem("SYS-READ", file=shown(path), cause=problem) from problem


def _of(tree: StoredTree, path: Any) -> Iterator[tuple[str, str, str]]:
    with contextlib.closing(tree.open(path)) as source:
        for part in premis.read(source):
            if not isinstance(part, premis.Object) or part.category != "file":
                continue
            named = next((one.value for one in part.identifiers if _DATA.match(one.value)), "")
            file = shown(unhref(named) or named.encode())
            for one in part.formats[:1] if named else ():
                notes = dict(note.partition(": ")[::2] for note in one.notes)
                if notes.get("agreement") == "differ":
                    second = f"{notes.get('second engine')} {notes.get('second PUID')}"
                    yield file, "differing", f"{notes.get('engine')} {one.key or '–'}, {second}"
                elif not one.key and part.size != "0":
                    yield file, "unknown", notes.get("MIME type", "")
