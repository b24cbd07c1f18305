"""What normalisation would do to files, rule by rule, before anything is done."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.content.normalisation import Rule, preview, rules
from pipeline.content.normalisation.fit import not_fit, scans
from pipeline.content.normalisation.kept import reason_for
from pipeline.content.normalisation.rules import ACCESS, PRESERVATION, SCANNED
from pipeline.content.reading import Learnt, read_all
from pipeline.errors import UsageProblem
from pipeline.findings import as_json, problem_json
from pipeline.names import shown
from pipeline.packages.registry import recognise
from pipeline.records import Finding, Format, PackagePath, Use
from pipeline.settings import Limits, Settings
from pipeline.tree import ContentDamage, Entry, FolderTree, Tree, open_tree

_ARCHIVES = {"x-fmt/263", "x-fmt/265", "x-fmt/266"}
_HEAD = 16
_AT_ONCE = 500

_WHY: dict[str, tuple[str, str]] = {
    "rule": ("Quy tắc {rules} áp dụng cho {puid}", "Rule {rules} is about {puid}"),
    "signed": ("Quy tắc {rules} giữ nguyên tệp có chữ ký số", "Rule {rules} leaves signed files alone"),
    "conditions": (
        "Quy tắc {rules} có nêu {puid} nhưng điều kiện không thỏa; giữ nguyên tệp gốc",
        "Rule {rules} names {puid}, but its conditions do not hold; the original stays alone",
    ),
    "kept": ("Giữ nguyên {puid}: {vi}", "{puid} stays as it is: {en}"),
    "no rule": ("Không quy tắc nào nêu {puid}; giữ nguyên tệp gốc", "No rule names {puid}; the original stays alone"),
    "fit": (
        "Quy tắc {rules} không phải làm gì: tệp đã đúng yêu cầu",
        "Rule {rules} has nothing to do: the file is fit",
    ),
    "unknown": (
        "Không có PUID nên không quy tắc nào áp dụng; giữ nguyên tệp gốc",
        "Without a PUID no rule applies; the original stays alone",
    ),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of `outlook`: the set of rules by name or file, the purposes, the settings of this installation."""

    rules: str
    purposes: tuple[str, ...]
    settings: Settings
    scratch: Path


@cache
def rule_json(rule: Rule, sandbox: str) -> dict[str, Any]:
    """A rule as JSON, with what this machine has of its programs; the same object each time."""
    actions = []
    for action in rule.actions:
        needed = [asdict(need) for need in preview.needs(action)]
        actions.append(
            {
                "tool": action.tool, "arguments": list(action.arguments), "limits": asdict(action.limits),
                "results": [asdict(result) for result in action.results], "needs": needed,
                "ready": preview.ready(action, sandbox),
            }
        )  # fmt: skip
    return {
        "name": rule.name, "version": rule.version, "purpose": rule.purpose, "puids": list(rule.puids),
        "conditions": preview.conditions(rule), "signed": rule.signed, "actions": actions,
        "ready": any(action["ready"] for action in actions), "unknown_puids": preview.unknown_puids(rule),
    }  # fmt: skip


def rules_json(name: str, sandbox: str) -> list[dict[str, Any]]:
    """All rules of a set, in the order in which they are asked. UsageProblem names file and key of what is wrong."""
    return [rule_json(rule, sandbox) for rule in rules(name).rules]


def named(items: Sequence[dict[str, Any]], asked: Asked) -> list[dict[str, Any]]:
    """The rules that items name, each once, in the order in which they are asked."""
    found = {one["rule"] for one in items}
    return [rule_json(one, asked.settings.sandbox) for one in rules(asked.rules).rules if one.reference in found]


def explained(file: Path, asked: Asked) -> Iterator[dict[str, Any]]:
    """One item for each purpose: which rule is about a file, and why, with the `actions` of the rule.

    UsageProblem when it is no regular file.
    """
    if not file.is_file():
        raise UsageProblem("USE-PATH", path=shown(os.fsencode(file)))
    tree, entry = _alone(file)
    every = {one["name"]: one["actions"] for one in rules_json(asked.rules, asked.settings.sandbox)}
    for item in _items(tree, [entry], os.fsencode(file), asked):
        yield {**item, "actions": every[item["why"]["rules"][0]] if item["rule"] else []}


def outlook(path: Path, asked: Asked) -> Iterator[dict[str, Any]]:
    """One item a file and purpose, in raw-byte order; of a package (folder, zip, tar) its data files.

    What cannot be opened or read has an item with its `problem` or `findings`. UsageProblem when there is no such path.
    """
    if path.is_dir():
        yield from _package(FolderTree(path), os.fsencode(path), asked)
        return
    if not path.is_file():
        raise UsageProblem("USE-PATH", path=shown(os.fsencode(path)))
    tree, entry = _alone(path)
    (known,) = _read(tree, [entry], asked)
    if isinstance(known, Learnt) and known.format is not None and known.format.puid in _ARCHIVES:
        opened = open_tree(path, Limits(), asked.scratch)
        if opened.tree is not None:
            with contextlib.closing(opened.tree) as inside:
                yield from _package(inside, os.fsencode(path), asked)
            return
    yield from _items(tree, [entry], os.fsencode(path), asked)


def totals(items: Sequence[dict[str, Any]], cores: int) -> dict[str, Any]:
    """Files, bytes, seconds and bytes of copies per format and in all. Seconds in all are those of so many cores."""
    groups: dict[tuple[str, str, str], Counter[str]] = {}
    for one in items:
        key = (one["puid"] or "", one["rule"] or "", one["purpose"])
        told = groups.setdefault(key, Counter())
        told["files"] += 1
        told["bytes"] += one["bytes"]
        told["copies"] += one["copies"]
        told["milliseconds"] += round(1000 * one["seconds"])
        told["not ready"] += bool(one["rule"]) and not one["ready"]
    formats = [
        {
            "puid": puid or None, "rule": rule or None, "purpose": purpose, "files": told["files"],
            "bytes": told["bytes"], "seconds": round(told["milliseconds"] / 1000, 1), "copies": told["copies"],
            "not_ready": told["not ready"],
        }
        for (puid, rule, purpose), told in sorted(groups.items())
    ]  # fmt: skip
    seconds = sum(told["milliseconds"] for told in groups.values()) / 1000 / max(1, cores)
    return {
        "formats": formats,
        "seconds": round(seconds, 1),
        "copies": sum(told["copies"] for told in groups.values()),
    }


def _alone(file: Path) -> tuple[Tree, Entry]:
    folder, _, name = os.path.realpath(os.path.abspath(os.fsencode(file))).rpartition(b"/")
    return FolderTree(Path(os.fsdecode(folder or b"/"))), Entry(PackagePath(name), file.stat().st_size)


def _package(tree: Tree, told: bytes, asked: Asked) -> Iterator[dict[str, Any]]:
    kind, _ = recognise(tree)
    wanted: Callable[[PackagePath], bool] = lambda path: kind.place(path).use is Use.DATA  # noqa: E731
    files = (entry for entry in tree.entries() if not entry.is_folder and wanted(entry.path))
    while batch := list(islice(files, _AT_ONCE)):
        yield from _items(tree, batch, told, asked, below=True)


def _read(tree: Tree, batch: list[Entry], asked: Asked) -> list[Any]:
    """What reading told, in the order of the batch."""
    results = read_all(tree, batch, (), identify=True, workers=asked.settings.workers, scratch=asked.scratch)
    found = {one.path: one for one in results}
    return [found[entry.path] for entry in batch]


def _items(
    tree: Tree, batch: list[Entry], told: bytes, asked: Asked, *, below: bool = False
) -> Iterator[dict[str, Any]]:
    read = list(zip(batch, _read(tree, batch, asked), strict=True))
    chosen: dict[tuple[PackagePath, str], tuple[Rule | None, preview.Why]] = {}
    known = [(entry, one.format) for entry, one in read if isinstance(one, Learnt)]
    for purpose in asked.purposes:
        pages = scans(tree, known, asked.rules, workers=asked.settings.workers, scratch=asked.scratch, purpose=purpose)
        for entry, one in read:
            marks = {SCANNED} if entry.path in pages else set[str]()
            if isinstance(one, Learnt) and not isinstance(head := _head(tree, entry), Finding):
                chosen[entry.path, purpose] = preview.why(one.format, head, asked.rules, purpose, marks)
        ruled = [(entry, rule) for entry, _ in read if (rule := chosen.get((entry.path, purpose), (None,))[0])]
        left = {entry.path for entry, _ in not_fit(tree, ruled, workers=asked.settings.workers, scratch=asked.scratch)}
        for entry, rule in ruled:
            if entry.path not in left:
                chosen[entry.path, purpose] = None, preview.Why("fit", (rule.name,))
    for entry, one in read:
        item: dict[str, Any] = {
            "path": shown(told.rstrip(b"/") + b"/" + entry.path if below else told), "bytes": entry.size,
            "puid": None, "name": "", "purpose": asked.purposes[0], "rule": None,
            "why": {"word": "unread", "rules": [], "text": {"vi": "", "en": ""}}, "ready": False, "seconds": 0.0,
            "copies": 0, "findings": [], "problem": None,
        }  # fmt: skip
        if isinstance(one, Learnt):
            for purpose in asked.purposes:
                yield {**item, **_told(tree, entry, one.format, chosen.get((entry.path, purpose)), asked),
                       "purpose": purpose}  # fmt: skip
        else:
            finding, problem = getattr(one, "finding", None), getattr(one, "problem", None)
            item["findings"] = [as_json(finding)] if finding else []
            item["problem"] = problem_json(problem) if problem else None
            yield item


def _head(tree: Tree, entry: Entry) -> bytes | Finding:
    try:
        with tree.open(entry.path) as source:
            return source.read(_HEAD)
    except ContentDamage as damage:
        return damage.finding


def _told(
    tree: Tree, entry: Entry, found: Format | None, chosen: tuple[Rule | None, preview.Why] | None, asked: Asked
) -> dict[str, Any]:
    """What an item says of the rule of a file."""
    if chosen is None:
        damage = _head(tree, entry)
        return {"findings": [as_json(damage)] if isinstance(damage, Finding) else []}
    rule, why = chosen
    puid = found.puid if found else None
    known = reason_for(puid) if puid else None
    reason = {"vi": known.vi, "en": known.en} if known else {}
    vi, en = (text.format(rules=", ".join(why.rules), puid=puid, **reason) for text in _WHY[why.word])
    told: dict[str, Any] = {
        "puid": puid,
        "name": found.name if found else "",
        "why": {"word": why.word, "rules": list(why.rules), "text": {"vi": vi, "en": en}},
    }
    if rule is None:
        return told
    shape = rule_json(rule, asked.settings.sandbox)
    return {
        **told,
        "rule": rule.reference,
        "ready": shape["ready"],
        "seconds": round(rule.estimate.time(entry.size), 2),
        "copies": rule.estimate.space(entry.size),
    }


PURPOSES = (PRESERVATION, ACCESS)
