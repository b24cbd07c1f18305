"""bagit-python as the judge of bags."""

from __future__ import annotations

from pathlib import Path

import bagit as library

from tests.judges.verdict import Verdict, pronounce

JUDGE = "bagit-python"


def bagit(folder: Path) -> Verdict:
    """Structure, completeness and every digest of a bag."""
    bag_folder = folder.resolve(strict=True)
    try:
        bag = library.Bag(str(bag_folder))
    except library.BagError as fault:
        return pronounce(JUDGE, bag_folder, [("bag", "error", str(fault))], "not a bag")
    version = ".".join(str(part) for part in bag.version_info)
    saw = f"BagIt {version}, {len(bag.payload_entries())} files, {', '.join(bag.algorithms)}"
    try:
        bag.validate()
    except library.BagValidationError as fault:
        details = [("validation", "error", str(detail)) for detail in fault.details]
        return pronounce(JUDGE, bag_folder, details or [("validation", "error", str(fault))], saw)
    return pronounce(JUDGE, bag_folder, [], saw)
