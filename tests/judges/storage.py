"""ocfl-py as the judge of OCFL storage roots."""

from __future__ import annotations

import re
from pathlib import Path

from ocfl.object import Object
from ocfl.storage_root import StorageRoot, StorageRootException

from tests.judges.verdict import NoVerdict, Verdict, pronounce

JUDGE = "ocfl-py"


def ocfl_root(folder: Path) -> Verdict:
    """The storage root and every object in it, digests included.

    Good needs the root to be valid AND as many good objects as there are: the first alone says nothing about objects.
    It does not see an object of a later OCFL version than its root (E081).
    """
    root_folder = folder.resolve(strict=True)
    root = StorageRoot(root=str(root_folder))
    try:
        root_is_valid = root.validate(log_warnings=True, max_errors=1_000_000)
    except StorageRootException as fault:
        return pronounce(JUDGE, root_folder, [("root", "error", str(fault))], "not a storage root")
    found = [complaint(message, "") for message in root.log.messages]
    objects = getattr(root, "num_objects", 0) or 0
    good = getattr(root, "good_objects", 0) or 0
    for place, messages in getattr(root, "errors", None) or []:
        found += [complaint(message, place) for message in messages.splitlines()]
    if not any(level == "error" for _, level, _ in found):
        if not root_is_valid:
            found.append(("root", "error", f"{root.num_traversal_errors} errors on the way through the folders"))
        if good != objects:
            found.append(("objects", "error", f"only {good} of {objects} objects are good"))
    return pronounce(JUDGE, root_folder, found, f"{good} of {objects} objects good")


def complaint(message: str, place: str) -> tuple[str, str, str]:
    """(rule, level, text) of a message such as "[[path]][E092a] …"."""
    code = re.search(r"\[([EW]\d+)[a-z]*\]\s*(.*)", message, re.S)
    if code is None:
        return "unnumbered", "error", message
    return code[1], "warning" if code[1].startswith("W") else "error", f"{place} {code[2]}".strip()


def ocfl_object(folder: Path) -> Verdict:
    """One object by itself, digests included."""
    subject = folder.resolve(strict=True)
    good, judge = Object(path=str(subject)).validate(str(subject))
    found = [complaint(message, "") for message in judge.log.messages]
    if not good and not any(level == "error" for _, level, _ in found):
        found.append(("object", "error", "not valid"))
    return pronounce(JUDGE, subject, found, f"{getattr(judge, 'id', None) or 'no id'}")


def newest(folder: Path, target: Path) -> Path:
    """The newest version of an object, taken out by ocfl-py into an empty folder; NoVerdict when it cannot."""
    try:
        Object().extract(str(folder), "head", str(target))
    except Exception as broken:
        raise NoVerdict(f"{JUDGE} takes no version out of {folder}: {broken}") from broken
    return target
