"""What the tests of all families do: identify a file, pick its rule, normalise it, look at what came of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from pathlib import Path

from pipeline.content.normalisation import (
    Converted,
    Derivative,
    NotConverted,
    Outcome,
    Rule,
    normalise,
    plan_for,
    rules,
)
from pipeline.content.reading import Learnt, read_all
from pipeline.findings import codes
from pipeline.records import PackagePath
from pipeline.tools.soffice import Offices
from pipeline.tree import Entry, FolderTree

ROOT = Path(__file__).resolve().parent.parent.parent.parent
DATA = ROOT / "tests/data/vietnamese"
PATH = PackagePath(b"a/b.xyz")


def known(file: Path, scratch: Path) -> Learnt:
    """What one reading tells."""
    entry = Entry(PackagePath(os.fsencode(file.name)), file.stat().st_size)
    (found,) = read_all(FolderTree(file.parent), [entry], (), identify=True, workers=1, scratch=scratch)
    assert isinstance(found, Learnt)
    return found


def rule_for(file: Path, scratch: Path, marks: Collection[str] = ()) -> Rule | None:
    """The rule for a real file, by what it is."""
    found = known(file, scratch).format
    with file.open("rb") as source:
        return plan_for(found, source.read(16), marks=marks)


def rule_named(name: str) -> Rule:
    return next(rule for rule in rules().rules if rule.name == name)


def made(
    file: Path, scratch: Path, rule: Rule | None = None, marks: Collection[str] = (), offices: Offices | None = None
) -> Outcome:
    """What normalising a file comes to; the original is as it was, nothing unproved is left in `scratch`."""
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    there = {item.name for item in scratch.iterdir()}
    rule = rule or rule_for(file, scratch, marks)
    assert rule is not None, known(file, scratch)
    result = normalise(file, PATH, rule, scratch, workers=1, marks=marks, offices=offices)
    assert hashlib.sha256(file.read_bytes()).hexdigest() == before, "the original is never touched"
    left = {item.name for item in scratch.iterdir()} - there
    assert left == ({one.path.name for one in result.derivatives} if isinstance(result, Converted) else set())
    return result


def converted(outcome: Outcome) -> Converted:
    """All derivatives, each as it is said to be, the first one the main one where it is not one of many."""
    assert isinstance(outcome, Converted), outcome
    many = outcome.derivatives[0].result.rpartition(".")[2].isdecimal()
    assert [at for at, one in enumerate(outcome.derivatives) if one.main] == ([] if many else [0])
    for one in outcome.derivatives:
        assert hashlib.sha256(one.path.read_bytes()).hexdigest() == one.sha256
        assert one.path.stat().st_size == one.size
        assert one.proved
    return outcome


def good(outcome: Outcome) -> Derivative:
    """The one derivative of a rule that makes one."""
    (result,) = converted(outcome).derivatives
    return result


def bad(result: Outcome, code: str) -> NotConverted:
    """Nothing was made, for this reason."""
    assert isinstance(result, NotConverted), result
    assert result.finding.code == code, result
    assert result.finding.file == PATH
    assert codes()[code].level == "warning"
    return result


def twice(file: Path, scratch: Path, rule: Rule | None = None, offices: Offices | None = None) -> Converted:
    """Made two times with the same bytes; the second time of a copy with another name and time."""
    first = converted(made(file, scratch, rule, offices=offices))
    copy = scratch.parent / f"another name{file.suffix}"
    copy.write_bytes(file.read_bytes())
    os.utime(copy, (1, 1))
    second = converted(made(copy, scratch, rule or rule_for(file, scratch), offices=offices))
    copy.unlink()
    assert [(one.extension, one.sha256) for one in first.derivatives] == [
        (one.extension, one.sha256) for one in second.derivatives
    ]
    return first
