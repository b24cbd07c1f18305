"""A document of `validate` or `ingest` as its readers need it: causes, what to do first, packages, documents."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from pipeline.findings import codes, fill
from pipeline.reports import cells
from pipeline.reports.cells import Document, Item, fit
from pipeline.reports.words import LEVELS, RESULTS, VERDICTS, Lang, Pair, mood, say, text, verdict

FIRST = 3
"""Causes among what is to be done first."""

_VARIANTS = 8
_NAMED = 3
_LONGEST = 160
_HERE = timezone(timedelta(hours=7))
_GENERIC: dict[str, Pair] = {
    "file": ("‹tệp›", "‹file›"),
    "line": ("‹số dòng›", "‹line›"),
    "expected": ("‹yêu cầu›", "‹expected›"),
    "found": ("‹thực tế›", "‹found›"),
}
_LEADING = re.compile(r"^‹[^›]*›(?: \([^)]*\))?: (.)")
_WEIGHT = {level: place for place, level in enumerate(LEVELS)}
_MOODS = {"error": "bad", "decision": "wait", "warning": "wait", "info": "same"}

WORDS: dict[str, Pair] = {
    "title": ("Báo cáo kết quả kiểm tra gói tài liệu lưu trữ điện tử", "Report on checks of digital archive packages"),
    "first": ("Việc cần làm trước tiên", "What to do first"),
    "packages": ("Kết quả theo gói", "Results by package"),
    "causes": ("Lỗi theo nguyên nhân", "Findings by cause"),
    "documents": ("Kết quả theo tài liệu", "Results by document"),
    "not_checked": ("Nội dung chưa kiểm tra được", "What could not be checked"),
    "all": ("Mọi lỗi", "All findings"),
    "number": ("Số thứ tự", "No."),
    "count": ("Số lượng", "Count"),
    "in_packages": ("Số gói", "Packages"),
    "in_files": ("Số tệp", "Files"),
    "what": ("Nguyên nhân", "Cause"),
    "places": ("Nơi gặp", "Where"),
    "document": ("Tài liệu hoặc tệp", "Document or file"),
    "description": ("Tệp mô tả", "Described in"),
    "reasons": ("Lý do", "Reasons"),
    "profile": ("Hồ sơ quy tắc", "Profile"),
    "path": ("Đường dẫn", "Path"),
    "counted": ("Mọi nguyên nhân, theo số lần gặp", "All causes by how often they occur"),
    "error": ("Lỗi", "Errors"),
    "decision": ("Cần quyết định", "Decisions"),
    "warning": ("Cảnh báo", "Warnings"),
    "info": ("Thông tin", "Notes"),
    "documents_good": ("Tài liệu đạt", "Documents passed"),
    "nothing": (
        "Không có việc gì phải làm: không phát hiện lỗi, cũng không có cảnh báo.",
        "Nothing needs to be done: there are no errors and no warnings.",
    ),
    "no_package": ("Không có gói nào được kiểm tra.", "No package was checked."),
    "no_documents": (
        "Không có tài liệu hay tệp nào bị nêu lỗi riêng.",
        "No document or file has a finding of its own.",
    ),
    "no_causes": ("Không phát hiện vấn đề.", "There are no findings."),
    "again": (
        "Sau khi sửa, chạy lại đúng lệnh kiểm tra này để xác nhận.",
        "After these corrections run the same check again.",
    ),
    "whole": ("toàn bộ gói", "the package as a whole"),
    "unchecked_hint": (
        "Các quy tắc sau không kiểm tra được trong lần chạy này; kết quả trên không bao gồm chúng.",
        "These rules could not be checked in this run; the results above do not cover them.",
    ),
}

_SUMMARY: Pair = (
    "Đã kiểm tra {items} gói: {verdicts}. Phát hiện {levels}.",
    "Packages checked: {items} ({verdicts}). Found: {levels}.",
)
_NOTHING: Pair = ("0 vấn đề", "nothing")
_SPREAD: Pair = ("{files} tệp, {packages} gói", "files: {files}, packages: {packages}")
_SPREAD_WHOLE: Pair = ("{packages} gói", "packages: {packages}")
_MORE: Pair = (
    "và {count} mục nữa; danh sách đầy đủ có trong báo cáo XLSX hoặc CSV (--report lỗi.xlsx) và trong bản JSON",
    "and {count} more; the whole list is in a report as XLSX or CSV (--report findings.xlsx) and in the JSON",
)
_OTHER_ADVICE: Pair = ("Từng chỗ có cách xử lý riêng, ghi bên dưới.", "Each place has its own advice, given below.")
_PROBLEM: Pair = ("{package}: chưa có kết quả. {message}", "{package}: no verdict. {message}")


class Both(NamedTuple):
    """One text in both languages, fit to be shown."""

    vi: str
    en: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cause was met. `message` is None where the sentence of the cause says all; `advice` where it has one."""

    number: int
    package: str
    where: Both
    message: Both | None
    advice: Both | None
    compared: tuple[tuple[Both, str], ...]


@dataclass(frozen=True, slots=True)
class Cause:
    """All findings of one code at one level. `variants`: how often each kind of it, where there are few kinds."""

    number: int
    level: str
    code: str
    reference: str
    count: int
    packages: int
    files: int
    what: Both
    advice: Both
    variants: tuple[tuple[int, Both], ...]
    places: tuple[Place, ...]
    more: int
    named: tuple[str, ...]

    @property
    def plain(self) -> bool:
        """Whether the sentence of the cause says everything about each place."""
        return not any(place.message or place.advice or place.compared for place in self.places)

    @property
    def word(self) -> Both:
        return both(LEVELS.get(self.level, (self.level, self.level)))

    @property
    def mood(self) -> str:
        return _MOODS.get(self.level, "none")

    @property
    def spread(self) -> Both:
        """In how many files and packages."""
        pair = _SPREAD if self.files else _SPREAD_WHOLE
        return filled(pair, files=self.files, packages=self.packages)


@dataclass(frozen=True, slots=True)
class Package:
    """One item. `levels` counts its findings; `documents` is how many it has and how many of them are good."""

    number: int
    name: str
    path: str
    verdict: Both
    mood: str
    kind: str
    profile: str
    files: int
    bytes: int
    levels: dict[str, int]
    documents: tuple[int, int] | None
    problem: dict[str, Any] | None
    not_checked: tuple[str, ...]


class DocumentRow(NamedTuple):
    """A document with its verdict, or, of kinds that know no documents, a file that has findings."""

    number: int
    package: str
    document: str
    file: str
    verdict: Both
    mood: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class View:
    """Everything a report shows, bounded: `Cause.more` and `documents_more` say what was left out."""

    ended: str
    moment: datetime | None
    version: str
    summary: Both
    first: tuple[Cause, ...]
    problems: tuple[tuple[Both, Both], ...]
    causes: tuple[Cause, ...]
    packages: tuple[Package, ...]
    documents: tuple[DocumentRow, ...]
    documents_more: int
    not_checked: tuple[tuple[str, Both], ...]

    @property
    def quiet(self) -> bool:
        """Whether nothing needs to be done."""
        return not self.first and not self.problems


def view(document: Document, places: int, documents: int) -> View:
    """The view with at most `places` per cause and `documents` rows; those that are not good come first."""
    items: list[Item] = document["items"]
    found = causes(items, places)
    rows, more = _some(items, documents)
    skipped = dict.fromkeys(code for item in items for code in item.get("not_checked") or ())
    called = names(items)
    problems = [(name, item["problem"]) for name, item in zip(called, items, strict=True) if item.get("problem")]
    if document.get("problem"):
        problems.append(("luutru", document["problem"]))
    return View(
        ended=fit(document.get("ended") or "–"),
        moment=_moment(document.get("ended")),
        version=fit(document.get("luutru") or "–"),
        summary=_summary(items),
        first=first(found),
        problems=tuple(_problem(name, problem) for name, problem in problems),
        causes=tuple(found),
        packages=tuple(
            _package(number, name, item) for number, (name, item) in enumerate(zip(called, items, strict=True), 1)
        ),
        documents=tuple(rows),
        documents_more=more,
        not_checked=tuple((fit(code), _general(code)) for code in skipped),
    )


def causes(items: list[Item], places: int) -> list[Cause]:
    """The three that are to be dealt with first, then the rest by weight and count; numbered from 1."""
    groups: dict[tuple[str, str], list[tuple[int, dict[str, Any]]]] = {}
    for number, item in enumerate(items):
        for finding in item.get("findings") or ():
            groups.setdefault((finding["level"], finding["code"]), []).append((number, finding))
    order = sorted(groups, key=lambda key: (_WEIGHT.get(key[0], len(_WEIGHT)), -len(groups[key]), key[1]))
    urgent = _urgent([(level, len(groups[level, code]), (level, code)) for level, code in order])
    order = [*urgent, *(key for key in order if key not in urgent)]
    called = names(items)
    return [_cause(place, key, groups[key], called, places) for place, key in enumerate(order, 1)]


def first(found: list[Cause]) -> tuple[Cause, ...]:
    """The causes at the head of the list that somebody has to act on."""
    return tuple(cause for cause in found[:FIRST] if cause.level != "info")


def documents_of(items: list[Item]) -> Iterator[DocumentRow]:
    """Every document in the order of the packages; all of them, not only some."""
    for number, (name, item) in enumerate(zip(names(items), items, strict=True), 1):
        if item.get("documents") is not None:
            for one in item["documents"]:
                yield DocumentRow(
                    number,
                    name,
                    fit(one["document"]),
                    fit(one.get("file") or ""),
                    _document_verdict(one["verdict"]),
                    {"valid": "good", "invalid": "bad", "decision": "wait"}.get(one["verdict"], "none"),
                    tuple(map(fit, one.get("codes") or ())),
                )
        else:
            yield from _files(number, name, item)


def names(items: list[Item]) -> list[str]:
    """What each package is called: the last part of its path, the whole path where two end alike."""
    ends = [cells.base(item) for item in items]
    counted = Counter(ends)
    return [end if counted[end] == 1 else fit(item.get("path") or "–") for end, item in zip(ends, items, strict=True)]


def both(pair: Pair) -> Both:
    return Both(fit(pair[0]), fit(pair[1]))


def filled(pair: Pair, **values: int) -> Both:
    """A sentence of the interface with numbers in it, their thousands parted."""

    def told(lang: Lang) -> str:
        shown = {key: cells.number(value, lang) for key, value in values.items()}
        return fill(say(pair, lang), shown)

    return Both(told("vi"), told("en"))


def more(count: int) -> Both:
    """What a report says below a list that was cut."""
    return filled(_MORE, count=count)


def _urgent(order: list[tuple[str, int, tuple[str, str]]]) -> list[tuple[str, str]]:
    """The most frequent of what rejects or waits for a person, then of the warnings; never a mere note."""
    acted = [one for one in order if one[0] != "info"]
    acted.sort(key=lambda one: (one[0] not in ("error", "decision"), -one[1]))
    return [key for *_, key in acted[:FIRST]]


def _cause(
    place: int, key: tuple[str, str], lines: list[tuple[int, dict[str, Any]]], called: list[str], most: int
) -> Cause:
    level, code = key
    found = [finding for _, finding in lines]
    packages = dict.fromkeys(number for number, _ in lines)
    files = {(number, finding["file"]) for number, finding in lines if finding.get("file") is not None}
    advices = {(finding["advice"]["vi"], finding["advice"]["en"]) for finding in found}
    one_advice = _texts(found[0]["advice"]) if len(advices) == 1 else None
    what = _sentence(code, found)
    return Cause(
        number=place,
        level=fit(level),
        code=fit(code),
        reference=fit(found[0].get("reference") or ""),
        count=len(found),
        packages=len(packages),
        files=len(files),
        what=what,
        advice=one_advice or both(_OTHER_ADVICE),
        variants=_variants(code, found),
        places=tuple(
            _place(number, called[number], finding, what, one_advice is None) for number, finding in lines[:most]
        ),
        more=max(0, len(lines) - most),
        named=_named(lines, called),
    )


def _named(lines: list[tuple[int, dict[str, Any]]], packages: list[str]) -> tuple[str, ...]:
    """The first few names of where it is: a file, with its package where there are several, or the package itself."""
    made: dict[str, None] = {}
    for number, finding in lines[:1000]:
        if finding.get("file") is None:
            name = packages[number]
        else:
            name = fit(finding["file"]) + (f" ({packages[number]})" if len(packages) > 1 else "")
        made[short(name)] = None
        if len(made) == _NAMED:
            break
    return tuple(made)


def short(name: str) -> str:
    """Both ends of a name that is too long for a line or two."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST // 2]}…{name[-_LONGEST // 2 :]}"


def _place(number: int, package: str, finding: dict[str, Any], what: Both, own_advice: bool) -> Place:
    message = _texts(finding["message"])
    where = Both(*(cells.place(finding, lang) for lang in ("vi", "en")))
    if finding.get("file") is None:
        where = both(WORDS["whole"])
    compared = tuple(
        (both((text(name, "vi"), text(name, "en"))), fit(finding[name]))
        for name in ("expected", "found")
        if finding.get(name) is not None and fit(finding[name]) not in message.vi
    )
    advice = _texts(finding["advice"]) if own_advice and finding["advice"]["vi"] else None
    return Place(number + 1, package, where, None if message == what else message, advice, compared)


def _sentence(code: str, found: list[dict[str, Any]]) -> Both:
    """One sentence for all findings of a code: what they agree on is filled in, the rest is named."""
    messages = {(finding["message"]["vi"], finding["message"]["en"]) for finding in found}
    known = codes().get(code)
    if len(messages) == 1 or known is None:
        return _texts(found[0]["message"])
    return _general(code, _agreed(found))


def _agreed(found: list[dict[str, Any]]) -> dict[str, str]:
    """What all findings of a code have in common."""
    same: dict[str, str] = {}
    for name in _GENERIC:
        values = {finding.get(name) for finding in found}
        if len(values) == 1 and (value := values.pop()) is not None:
            same[name] = fit(value)
    return same


def _given(names: list[str], values: tuple[object, ...]) -> dict[str, str]:
    return {name: fit(value) for name, value in zip(names, values, strict=True) if value is not None}


def _general(code: str, same: dict[str, str] | None = None) -> Both:
    """The text of a code with its open places named; the code itself where it has none."""
    known = codes().get(code)
    if known is None:
        return Both(fit(code), fit(code))
    made = []
    for place, template in enumerate((known.vi, known.en)):
        values = {name: pair[place] for name, pair in _GENERIC.items()} | (same or {})
        told = fill(template, values)
        made.append(_LEADING.sub(lambda match: match[1].upper(), told))
    return Both(*made)


def _variants(code: str, found: list[dict[str, Any]]) -> tuple[tuple[int, Both], ...]:
    """How often each kind of a cause occurs, where `expected` or `found` take few values."""
    known = codes().get(code)
    if known is None:
        return ()
    named = [name for name in ("expected", "found") if f"{{{name}}}" in known.vi]
    for chosen in (named, named[:1], named[1:]):
        if not chosen:
            continue
        counted = Counter(tuple(finding.get(name) for name in chosen) for finding in found)
        if 2 <= len(counted) <= _VARIANTS and len(counted) < len(found):
            fixed = {name: value for name, value in _agreed(found).items() if name not in chosen}
            rows = sorted(counted.items(), key=lambda row: (-row[1], str(row[0])))
            return tuple((count, _general(code, fixed | _given(chosen, values))) for values, count in rows)
    return ()


def _package(number: int, name: str, item: Item) -> Package:
    judged = item.get("documents")
    return Package(
        number=number,
        name=name,
        path=fit(item.get("path") or "–"),
        verdict=Both(fit(verdict(item, "vi")), fit(verdict(item, "en"))),
        mood=mood(item),
        kind=fit(item.get("kind") or "–"),
        profile=fit(item.get("profile") or "–"),
        files=item.get("files") or 0,
        bytes=item.get("bytes") or 0,
        levels=cells.count_levels(item),
        documents=(len(judged), sum(one["verdict"] == "valid" for one in judged)) if judged is not None else None,
        problem=item.get("problem"),
        not_checked=tuple(map(fit, item.get("not_checked") or ())),
    )


def _problem(name: str, problem: dict[str, Any]) -> tuple[Both, Both]:
    message = _texts(problem["message"])
    told = [fill(say(_PROBLEM, lang), {"package": name, "message": getattr(message, lang)}) for lang in ("vi", "en")]
    return Both(*told), _texts(problem["advice"])


def _summary(items: list[Item]) -> Both:
    if not items:
        return both(WORDS["no_package"])
    document = {"items": items}
    levels: Counter[str] = Counter()
    for item in items:
        levels.update(cells.count_levels(item))
    made = []
    for lang in ("vi", "en"):
        tally = ", ".join(f"{cells.number(count, lang)} {word}" for word, count in cells.tally(document, lang))
        counted = ", ".join(
            f"{cells.number(levels[level], lang)} {LEVELS[level][0]}"
            if lang == "vi"
            else f"{WORDS[level][1].lower()} {cells.number(levels[level], lang)}"
            for level in LEVELS
            if levels[level]
        )
        values = {"items": cells.number(len(items), lang), "verdicts": tally, "levels": counted or say(_NOTHING, lang)}
        made.append(fill(say(_SUMMARY, lang), values))
    return Both(*made)


def _some(items: list[Item], most: int) -> tuple[list[DocumentRow], int]:
    """At most so many rows, those first that are not good, and how many were left out."""
    bad: list[DocumentRow] = []
    good: list[DocumentRow] = []
    total = 0
    for row in documents_of(items):
        total += 1
        kept = good if row.mood in ("good", "same") else bad
        if len(kept) < most:
            kept.append(row)
    rows = [*bad, *good][:most]
    return rows, total - len(rows)


def _files(number: int, name: str, item: Item) -> Iterator[DocumentRow]:
    """Files that have findings, each under the heaviest of its levels."""
    heaviest: dict[str, int] = {}
    told: dict[str, dict[str, None]] = {}
    for finding in item.get("findings") or ():
        if finding.get("file") is not None:
            weight = _WEIGHT.get(finding["level"], len(_WEIGHT))
            heaviest[finding["file"]] = min(weight, heaviest.get(finding["file"], weight))
            told.setdefault(finding["file"], {})[finding["code"]] = None
    levels = list(LEVELS)
    for file, reasons in told.items():
        level = levels[heaviest[file]] if heaviest[file] < len(levels) else "info"
        yield DocumentRow(
            number, name, fit(file), "", both(LEVELS[level]), _MOODS.get(level, "none"), tuple(map(fit, reasons))
        )


def _document_verdict(value: str) -> Both:
    return both({**LEVELS, **VERDICTS, **RESULTS}.get(value, (value, value)))


def _texts(texts: dict[str, str]) -> Both:
    return Both(fit(texts["vi"]), fit(texts["en"]))


def _moment(value: object) -> datetime | None:
    """The end of the work in the time of Vietnam; None where the document has no proper time."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment.astimezone(_HERE) if moment.tzinfo is not None else None
