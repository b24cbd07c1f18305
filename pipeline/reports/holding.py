"""What is held of one AIP, and what happened to it, as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pipeline.reports import cells
from pipeline.reports.console import cell_width, wrapped
from pipeline.reports.words import COPY_STATES, EVIDENCE, LEVELS, RESULTS, TEXTS, Lang, Pair, say, text, word

_WORDS: dict[str, Pair] = {
    "version": ("Phiên bản", "Version"),
    "received": ("Nhận từ", "Received as"),
    "made": ("Lập thành", "Made into"),
    "created": ("Lập lúc", "Created"),
    "committed": ("Ghi vào kho lúc", "Committed"),
    "ingest": ("Lượt tiếp nhận", "Ingest"),
    "submission": ("Mã băm gói nộp", "Submission digest"),
    "stored": ("Trong mỗi kho", "In each store"),
    "validity": ("Tính hợp lệ của tệp", "Validity of files"),
    "copies": ("Bản sao", "Copies"),
    "history": ("Lịch sử", "History"),
    "audited": ("kiểm tra", "audited"),
    "never": ("chưa kiểm tra lần nào", "never audited"),
    "skipped": ("chưa kiểm tra được lúc", "could not be checked at"),
}

_VALIDITY: dict[str, Pair] = {
    "valid": ("hợp lệ", "valid"),
    "invalid": ("không hợp lệ", "invalid"),
    "not checked": ("chưa kiểm tra", "not checked"),
}

_KINDS: dict[str, Pair] = {
    "commit": ("ghi vào kho", "committed"),
    "audit": ("kiểm tra", "audited"),
    "not-checked": ("chưa kiểm tra được", "not checked"),
    "copy-made": ("lập bản sao", "copy made"),
    "export": ("xuất ra", "exported"),
    "intent-abandoned": ("bỏ lần ghi dở dang", "unfinished write given up"),
}


def holding(item: dict[str, Any], lang: Lang, width: int = 100) -> str:
    """An item of `show/1`: what the AIP is, its copies with their last audits, its history. `width` in cells."""
    lines = [*wrapped(cells.fit(item["label"]), width, "", "")]
    facts = list(_facts(item, lang))
    wide = max(cell_width(name) for name, _ in facts) + 2
    for name, value in facts:
        lines += wrapped(cells.fit(value), width, f"  {name}:{' ' * (wide - cell_width(name) - 1)}", " " * (wide + 2))
    lines += ["", say(_WORDS["copies"], lang)]
    for copy in item["copies"]:
        lines += wrapped(_copy(copy, lang), width, "  - ", "    ")
    lines += ["", say(_WORDS["history"], lang)]
    for line in item["history"]:
        lines += wrapped(_happened(line, lang), width, "  - ", "    ")
    return "\n".join(lines)


def _facts(item: dict[str, Any], lang: Lang) -> Iterator[tuple[str, str]]:
    newest = item["versions"][-1]
    carrier = item.get("carrier") or {}
    yield say(TEXTS["aip"], lang), item["aip"]
    yield say(_WORDS["version"], lang), ", ".join(f"v{version['version']}" for version in item["versions"])
    yield say(_WORDS["received"], lang), _joined([carrier.get("name"), item["kind"], carrier.get("kind")])
    yield say(_WORDS["made"], lang), _joined([item.get("makes"), item["profile"]])
    yield say(_WORDS["created"], lang), item["created"]
    yield say(_WORDS["committed"], lang), item.get("committed") or "–"
    yield text("files", lang), f"{cells.number(item['files'], lang)}, {cells.size(item['bytes'], lang)}"
    stored = cells.number(newest.get("stored_files"), lang), cells.size(newest.get("stored_bytes"), lang)
    yield say(_WORDS["stored"], lang), ", ".join(stored)
    yield text("formats", lang), cells.formats(item)
    if item.get("validity"):
        counts = item["validity"]
        whole = (f"{counts[key]} {say(pair, lang)}" for key, pair in _VALIDITY.items() if key in counts)
        yield say(_WORDS["validity"], lang), ", ".join(whole)
    yield text("findings", lang), _counted(item["findings"], lang)
    yield say(_WORDS["ingest"], lang), item["ingest"]
    yield say(_WORDS["submission"], lang), item["submission_digest"]


def _copy(copy: dict[str, Any], lang: Lang) -> str:
    said = [f"{copy['store']} v{copy['version']}: {word(COPY_STATES, copy['state'], lang)}"]
    if copy.get("evidence"):
        said.append(word(EVIDENCE, copy["evidence"], lang))
    audit, skipped = copy.get("audit"), copy.get("not_checked")
    if audit:
        result = word(RESULTS, audit["result"], lang)
        said.append(f"{say(_WORDS['audited'], lang)} {audit['time']}: {result}")
    else:
        said.append(say(_WORDS["never"], lang))
    if skipped:
        said.append(f"{say(_WORDS['skipped'], lang)} {skipped['time']} ({skipped['reason']})")
    return cells.fit("; ".join(said))


def _happened(line: dict[str, Any], lang: Lang) -> str:
    said = f"{line['time']} {line['who']}: {word(_KINDS, line['kind'], lang)}"
    if line.get("version") is not None:
        said += f" v{line['version']}"
    places = [line["store"]] if line.get("store") else [place["store"] for place in line.get("stores") or ()]
    if places:
        said += f" ({', '.join(places)})"
    if line.get("result"):
        said += f": {word(RESULTS, line['result'], lang)}"
    return cells.fit(said)


def _counted(findings: dict[str, int] | list[Any], lang: Lang) -> str:
    counts = findings if isinstance(findings, dict) else {}
    made = [f"{counts[level]} {word(LEVELS, level, lang)}" for level in LEVELS if counts.get(level)]
    return ", ".join(made) or text("all_well", lang)


def _joined(parts: Iterable[object]) -> str:
    return " · ".join(dict.fromkeys(str(part) for part in parts if part))
