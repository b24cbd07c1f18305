"""Documents of `validate` as an archive of many packages makes them: real codes, two packages, documents, a problem."""

from __future__ import annotations

from typing import Any

from pipeline.findings import as_json
from pipeline.records import Finding, PackagePath
from tests.reports.hostile import document, finding


def package(path: str, verdict: str | None, findings: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "path": path,
        "kind": "bagit/1.0",
        "profile": "tt05",
        "verdict": verdict,
        "submission_digest": None,
        "files": 240,
        "bytes": 1_572_864,
        "seconds": 1.5,
        "findings": findings,
        "problem": None,
        **more,
    }


def found(code: str, file: str | None = None, **more: Any) -> dict[str, Any]:
    path = PackagePath(file.encode("utf-8", "surrogateescape")) if file is not None else None
    return as_json(Finding(code, path, more.get("line"), more.get("expected"), more.get("found")))


def digest(number: int) -> dict[str, Any]:
    return found("BAG-MAN-04", f"data/Công văn {number}.pdf", line=number, expected=f"{number:064x}", found="f" * 64)


def delivery() -> dict[str, Any]:
    """Two packages: 212 wrong digests, 3 missing files, warnings, notes; a third that could not be read."""
    first = [digest(number) for number in range(1, 213)]
    first += [found("FLD-NAME-FORM", f"data/{name}", line=3, found="NFD") for name in ("a", "b")]
    second = [found("BAG-MAN-03", f"data/Tờ trình {n}.pdf", line=n) for n in (1, 2, 3)]
    second.append(found("PKG-EMPTY"))
    second += [found("FMT-EXTENSION", f"data/{n}.doc", expected="fmt/18", found=".doc") for n in range(400)]
    judged: list[dict[str, Any]] = [
        {"document": "01.0001", "file": "data/EAD_doc_1.xml", "verdict": "valid", "codes": []},
        {"document": "01.0002", "file": "data/EAD_doc_2.xml", "verdict": "invalid", "codes": ["BAG-MAN-03"]},
        {"document": "01.0003", "file": None, "verdict": "decision", "codes": ["FMT-UNKNOWN"]},
    ]
    problem = {
        "code": "SYS-READ",
        "transient": True,
        "message": {"en": "The disk cannot be read", "vi": "Không đọc được ổ đĩa"},
        "advice": {"en": "Try again", "vi": "Chạy lại"},
    }
    return document(
        [
            package("giao nộp/Hồ sơ đất đai 2019", "invalid", first),
            package("giao nộp/Hồ sơ hộ tịch", "invalid", second, documents=judged, not_checked=["FMT-UNKNOWN"]),
            package("giao nộp/Ổ đĩa hỏng", None, [], kind=None, profile=None, files=0, bytes=0, problem=problem),
        ],
        "luutru/validate/1",
        exit=3,
    )


def good() -> dict[str, Any]:
    return document([package("giao nộp/Hồ sơ tốt", "valid", [])], "luutru/validate/1")


def hostile_names() -> tuple[str, ...]:
    """Names that are long, from right to left, of other scripts, of marks alone, or read as letters by Excel."""
    return (
        "ả" * 4000,
        "thư mục/" * 500 + "tệp.pdf",
        "漢字 日本語 한국어",
        "سجل عقاري.pdf",
        "😀" * 40,
        "e" + "\u0301" * 300,
        "_x003D_1+1 _x202E_txt.exe",
        "\ue000\uf8ff",
        "Hồ sơ\u00a0\u200b\u200f\ufeff",
        "nfd: " + "Biên bản",
    )


def hostile_places() -> dict[str, Any]:
    lines = [
        finding("BAG-MAN-04", "error", name, name, name, expected=name, found=name, reference=name)
        for name in hostile_names()
    ]
    return document([package(f"giao nộp/{name}", "invalid", lines) for name in hostile_names()], "luutru/validate/1")


def hundred_thousand() -> dict[str, Any]:
    """As many findings as a delivery of 10,000 documents with ten faults each."""
    lines = [digest(number) for number in range(70_000)]
    lines += [found("BAG-MAN-03", f"data/{n // 100}/Tờ trình {n}.pdf", line=n + 1) for n in range(30_000)]
    judged = []
    for n in range(10_000):
        verdict, codes = ("invalid", ["BAG-MAN-03"]) if n % 2 else ("valid", [])
        judged.append({"document": f"{n:08d}", "file": f"data/EAD_doc_{n}.xml", "verdict": verdict, "codes": codes})
    return document([package("giao nộp/Lớn", "invalid", lines, documents=judged)], "luutru/validate/1")
