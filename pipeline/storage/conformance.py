"""A stored copy held against the specification of OCFL: what the judging of its bytes does not see."""

from __future__ import annotations

from pipeline.errors import SystemProblem
from pipeline.names import shown
from pipeline.storage import intents
from pipeline.storage.judging import Damage, Judgement, What
from pipeline.storage.layouts import ocfl as layout
from pipeline.storage.stores import Store
from pipeline.storage.validation.objects import validate_object
from pipeline.storage.validation.shelves import StoreShelf

_WHAT = {
    "OCFL-E001": What.EXTRA,
    "OCFL-E015": What.EXTRA,
    "OCFL-E023": What.EXTRA,
    "OCFL-E067": What.EXTRA,
    "OCFL-E090": What.EXTRA,
    "OCFL-E003": What.MISSING,
    "OCFL-E058": What.MISSING,
    "OCFL-E063": What.MISSING,
}
"""Everything else is a fault of what the inventories say."""


def conformance(store: Store, judged: Judgement) -> tuple[Damage, ...]:
    """Violations of OCFL 1.1 in a copy that was judged, without those files that the judgement names already.

    No content is read: the judgement has compared it. `found` is OCFL's code with its detail. A version that is being
    written (its intent is open) is no fault.
    """
    if judged.missing or judged.conforms:
        return ()
    told = {one.path for one in judged.problems}
    # A folder is not told beside the files in it.
    told |= {path[:at] for path in tuple(told) for at, char in enumerate(path) if char == "/"}
    in_work = ""
    if judged.version is not None and intents.find(store, judged.urn, judged.version + 1) is not None:
        in_work = f"v{judged.version + 1}"
    found: dict[tuple[str, str], Damage] = {}
    try:
        checked = validate_object(StoreShelf(store, layout.prefix(judged.urn)), content=False)
    except SystemProblem:
        # What cannot be read has been named; a store that fails as a whole is a problem of another sort.
        if not any(one.what is What.UNREADABLE for one in judged.problems):
            raise
        store.check()
        return ()
    for finding in checked.findings:
        path = shown(finding.file or b"")
        if not finding.code.startswith("OCFL-E") or path in told or (in_work and path.split("/")[0] == in_work):
            continue
        code = finding.code.removeprefix("OCFL-")
        words = f"{code}: {finding.found}" if finding.found else code
        found.setdefault((path, code), Damage(_WHAT.get(finding.code, What.INVENTORY), path, finding.expected, words))
    return tuple(found.values())
