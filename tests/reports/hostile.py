"""Documents in the contract's shape: an ordinary one, and one whose every text attacks what shows it."""

from __future__ import annotations

from typing import Any

from pipeline.names import shown

ATTACKS = (
    '=HYPERLINK("http://example.org","Bấm vào")',
    "+cmd|' /C calc'!A0",
    "-2+3+cmd",
    "@SUM(1+1)*cmd",
    "\t=1+1",
    "\r=1+1",
    "  =1+1",
    "＝1＋1",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</td></table><h1>lớn</h1>",
    "&lt;b&gt;",
    "[Bấm](javascript:alert(1))",
    "![ảnh](http://example.org/a.png)",
    "| a | b |\n|---|---|",
    "# tiêu đề\n- mục",
    "1. mục",
    "`rm -rf /` $(reboot) ~~gạch~~ **đậm** _nghiêng_",
    "www.example.org http://example.org a@example.org",
    "{{ 7*7 }} {% raw %} {0!r} {flow_run.name} %s %(name)s",
    "\x1b[2J\x1b[31mđỏ\x1b[0m\x07\x08",
    "tài liệu \u202etxt.exe \u2066x\u2069",
    "đường\u2028mới\u0085và\u00a0rộng",
    "Quy\udcd5t \udcae\udcdenh",
    "cuối ]]> --> ''' \"\"\" \\ \\\\",
)


def finding(code: str, level: str, file: str | None, text: str, advice: str, **more: Any) -> dict[str, Any]:
    return {
        "code": code,
        "level": level,
        "file": file,
        "file_raw": None,
        "line": more.get("line"),
        "expected": more.get("expected"),
        "found": more.get("found"),
        "reference": more.get("reference", ""),
        "message": {"en": f"{text} (en)", "vi": f"{text} (vi)"},
        "advice": {"en": f"{advice} (en)", "vi": f"{advice} (vi)"},
    }


def item(path: str, verdict: str | None, **more: Any) -> dict[str, Any]:
    return {
        "path": path,
        "kind": "folder",
        "profile": "eark",
        "verdict": verdict,
        "ingest": None,
        "submission_digest": None,
        "aip": None,
        "version": None,
        "files": 3,
        "bytes": 1_572_864,
        "seconds": 1.25,
        "formats": {},
        "copies": [],
        "waiting_for": None,
        "findings": [],
        "problem": None,
        **more,
    }


def document(items: list[dict[str, Any]], schema: str = "luutru/ingest/1", **more: Any) -> dict[str, Any]:
    moment = "2026-11-24T10:00:00+07:00"
    return {"schema": schema, "luutru": "0.1.0", "started": moment, "ended": moment, "exit": 0, "items": items, **more}


def ordinary() -> dict[str, Any]:
    return document(
        [
            item(
                "gói/Báo cáo 2019",
                "accepted",
                aip="urn:uuid:0a1b2c3d-0000-5000-8000-000000000000",
                version="v1",
                formats={"fmt/18": 1, "fmt/412": 12},
                findings=[finding("FMT-TEXT", "info", "a.txt", "chữ 8 bit", "không cần làm gì")],
                copies=[
                    {"store": "vault", "state": "verified", "evidence": "read"},
                    {"store": "bucket", "state": "verified", "evidence": "server"},
                ],
            ),
            item(
                "gói/Túi hỏng",
                "rejected",
                kind="bagit/1.0",
                findings=[
                    finding(
                        "BAG-MAN-04",
                        "error",
                        "data/a.txt",
                        "sai mã băm",
                        "gửi lại tệp",
                        line=3,
                        expected="aa",
                        found="bb",
                        reference="RFC 8493 §2.1.3",
                    ),
                    finding(
                        "BAG-MAN-04",
                        "error",
                        "data/b.txt",
                        "sai mã băm b",
                        "gửi lại tệp",
                        line=4,
                        reference="RFC 8493 §2.1.3",
                    ),
                    finding("BAG-OXUM", "warning", None, "số lượng khác", "kiểm tra lại"),
                ],
            ),
            item(
                "gói/Đợi",
                "waiting",
                waiting_for="copy",
                copies=[{"store": "bucket", "state": "absent", "evidence": None}],
            ),
            item(
                "gói/Hỏi",
                "waiting",
                waiting_for="person",
                findings=[finding("DUP-01", "decision", None, "trùng", "quyết định")],
            ),
            item("gói/Cũ", "already archived", aip="urn:uuid:0a1b2c3d-0000-5000-8000-000000000001", version="v2"),
            item(
                "gói/Lỗi ổ đĩa",
                None,
                problem={
                    "code": "SYS-READ",
                    "transient": True,
                    "message": {"en": "cannot read", "vi": "không đọc được"},
                    "advice": {"en": "try again", "vi": "chạy lại"},
                },
            ),
        ]
    )


def hostile(schema: str = "luutru/ingest/1") -> dict[str, Any]:
    """Every attack in every place that a package or a tool can fill, as the pipeline hands it on or worse."""
    items = []
    for attack in ATTACKS:
        seen = shown(attack.encode("utf-8", "surrogateescape"))
        items.append(
            item(
                f"gói/{attack}",
                "rejected",
                kind=attack,
                formats={attack: 2},
                version=attack,
                aip=attack,
                copies=[
                    {"store": attack, "state": attack, "evidence": attack},
                    {"store": attack, "state": "verified", "evidence": "read"},
                ],
                findings=[
                    finding(attack, "error", seen, attack, attack, expected=attack, found=attack, reference=attack),
                    finding("X-2", "warning", attack, attack, attack),
                    finding("X-2", "warning", None, attack, attack + "2"),
                ],
                problem={
                    "code": attack,
                    "transient": False,
                    "message": {"en": attack, "vi": attack},
                    "advice": {"en": attack, "vi": attack},
                },
            )
        )
    return document(items, schema, started=ATTACKS[8], luutru=ATTACKS[9])


def audit(texts: tuple[str, ...] = ("data/a.txt",)) -> dict[str, Any]:
    copies: list[dict[str, Any]] = [
        {
            "aip": "urn:uuid:0a1b2c3d-0000-5000-8000-000000000000",
            "version": "v1",
            "store": "vault",
            "result": "intact",
            "evidence": "read",
            "files": 9,
            "bytes": 1000,
            "problems": [],
        },
        {
            "aip": "urn:uuid:0a1b2c3d-0000-5000-8000-000000000001",
            "version": "v1",
            "store": "bucket",
            "result": "not-checked",
            "evidence": None,
            "files": 0,
            "bytes": 0,
            "problems": [],
        },
    ]
    for text in texts:
        copies.append(
            {
                "aip": "urn:uuid:0a1b2c3d-0000-5000-8000-000000000002",
                "version": "v1",
                "store": text,
                "result": "damaged",
                "evidence": "read",
                "files": 9,
                "bytes": 1000,
                "problems": [
                    {"what": "changed", "path": text, "expected": text, "found": text, "repaired": False, "from": None},
                    {"what": "missing", "path": text, "expected": None, "found": None, "repaired": True, "from": text},
                    {
                        "what": "rolled-back",
                        "path": None,
                        "expected": "v2",
                        "found": "v1",
                        "repaired": False,
                        "from": None,
                    },
                ],
            }
        )
    return document(copies, "luutru/audit/1", overdue=0, next_due="2026-12-24T02:00:00+07:00")
