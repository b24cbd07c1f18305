"""Reports asked for on the command line: refused before any work, written whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from pipeline.errors import SystemProblem, UsageProblem
from pipeline.reports import files, pdf
from pipeline.settings import PROJECT
from tests.command import House
from tests.reports.hostile import ATTACKS, hostile
from tests.reports.packages import delivery, hundred_thousand

SAMPLES = PROJECT / "sample_packages"
BAD = SAMPLES / "rejected--BAG-MAN-03--thieu-tep"


def refused(files_: list[Path], packages: list[Path]) -> str:
    with pytest.raises(UsageProblem) as told:
        files.planned(files_, packages)
    return told.value.code


def test_every_kind_is_taken_whatever_the_case_of_its_letters(tmp_path: Path) -> None:
    asked = [tmp_path / name for name in ("a.html", "b.PDF", "c.csv", "d.Xlsx")]
    assert [path.name for path in files.planned(asked, [tmp_path / "gói"])] == ["a.html", "b.PDF", "c.csv", "d.Xlsx"]


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    package = tmp_path / "gói"
    (package / "data").mkdir(parents=True)
    (tmp_path / "x.html").mkdir()
    (tmp_path / "cửa").symlink_to(package / "data")
    assert refused([tmp_path / "a.docx"], []) == "USE-REPORT-KIND"
    assert refused([tmp_path / "a"], []) == "USE-REPORT-KIND"
    assert refused([tmp_path / "không" / "a.html"], []) == "USE-REPORT-FOLDER"
    assert refused([tmp_path / "x.html"], []) == "USE-REPORT-FOLDER"
    assert refused([tmp_path / "a.html", tmp_path / "cửa" / ".." / ".." / "a.html"], []) == "USE-REPORT-TWICE"
    assert refused([package / "data" / "a.html"], [package]) == "USE-REPORT-INSIDE"
    assert refused([tmp_path / "cửa" / "a.html"], [package]) == "USE-REPORT-INSIDE"
    assert refused([tmp_path / "gói.csv"], [tmp_path / "gói.csv"]) == "USE-REPORT-INSIDE"
    (tmp_path / "liên kết.zip").symlink_to(tmp_path / "gói.csv")
    assert refused([tmp_path / "gói.csv"], [tmp_path / "liên kết.zip"]) == "USE-REPORT-INSIDE"
    assert not list(package.rglob("*.html"))


def test_a_pdf_without_letters_is_refused_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Any:
        raise UsageProblem("USE-REPORT-FONT", font="Liberation Serif", package="fonts-liberation2")

    monkeypatch.setattr(pdf, "_letters", none)
    assert refused([tmp_path / "a.pdf"], []) == "USE-REPORT-FONT"
    assert files.planned([tmp_path / "a.html"], [])


def test_a_report_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("báo cáo cũ")
    broken = delivery()
    del broken["items"][0]["findings"][5]["message"]
    for name in ("a.html", "a.pdf", "a.csv", "a.xlsx"):
        with pytest.raises(KeyError):
            files.write(tmp_path / name, broken)
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]
    assert (tmp_path / "a.html").read_text() == "báo cáo cũ"
    with pytest.raises(SystemProblem) as told:
        files.write(tmp_path / "mất" / "a.html", delivery())
    assert told.value.code == "SYS-WRITE"


def test_csv_names_every_package_and_begins_with_a_mark_for_excel(tmp_path: Path) -> None:
    files.write(tmp_path / "a.csv", delivery())
    raw = (tmp_path / "a.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfpackage,verdict,level,code,")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert len(rows) == 212 + 2 + 3 + 1 + 400 + 1
    assert (rows[-1]["level"], rows[-1]["code"]) == ("problem", "SYS-READ")
    assert rows[-1]["message_vi"] == "Không đọc được ổ đĩa" and rows[-1]["advice_en"] == "Try again"
    good = {**delivery(), "items": [{**delivery()["items"][0], "findings": [], "verdict": "valid"}]}
    files.write(tmp_path / "b.csv", good)
    (row,) = csv.DictReader(io.StringIO((tmp_path / "b.csv").read_text("utf-8-sig"), newline=""))
    assert (row["verdict"], row["code"], row["message_vi"]) == ("valid", "", "Không phát hiện vấn đề.")


def test_no_cell_of_csv_begins_a_formula(tmp_path: Path) -> None:
    files.write(tmp_path / "a.csv", hostile("luutru/validate/1"))
    text = (tmp_path / "a.csv").read_bytes().decode("utf-8-sig")
    for row in list(csv.reader(io.StringIO(text, newline="")))[1:]:
        for cell in row:
            assert not cell.lstrip(" \u3000").startswith(("=", "+", "-", "@", "＝")) and cell.isprintable()
    assert len(ATTACKS) * 4 + 1 == text.count("\r\n")


def test_validate_writes_every_report_asked_for(tmp_path: Path) -> None:
    house = House(tmp_path, {"LUUTRU_CLOCK": "2026-11-24T10:00:00+07:00"})
    house.settings(organisation="Sở Nội vụ <tỉnh>")
    asked = [tmp_path / f"báo cáo.{end}" for end in ("html", "pdf", "csv", "xlsx")]
    options = [word for path in asked for word in ("--report", path)]
    answer = house.run("validate", BAD, SAMPLES / "accepted--ok--bao-cao-2019", *options, "--json")
    assert answer.exit == 1, answer.err
    assert len(answer.items) == 2 and answer.document is not None and "problem" not in answer.document
    html, letters, table, book = asked
    assert "BAG-MAN-03" in html.read_text("utf-8") and html.read_text("utf-8").rstrip().endswith("</html>")
    first = pypdfium2.PdfDocument(letters)[0].get_textpage().get_text_bounded()
    assert "SỞ NỘI VỤ <TỈNH>" in first and "BÁO CÁO" in first
    assert b"BAG-MAN-03" in table.read_bytes()
    assert zipfile.is_zipfile(book)
    assert answer.err.count("Report: ") == 4
    assert sorted(path.name for path in tmp_path.glob("*báo cáo*")) == sorted(path.name for path in asked)


def test_validate_refuses_a_report_before_it_looks_at_a_package(tmp_path: Path) -> None:
    house = House(tmp_path)
    for name, code in (("a.txt", "USE-REPORT-KIND"), ("không/a.pdf", "USE-REPORT-FOLDER")):
        answer = house.run("validate", BAD, "--report", tmp_path / "a.html", "--report", tmp_path / name, "--json")
        assert answer.exit == 2
        assert answer.document is not None and answer.document["problem"]["code"] == code
        assert answer.items == [] and "invalid" not in answer.err
    assert not (tmp_path / "a.html").exists()


def test_verdicts_are_told_although_a_report_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from commands import reports

    told: list[str] = []
    monkeypatch.setattr(reports, "note", told.append)
    monkeypatch.setenv("LUUTRU_DATA", str(tmp_path / "data"))
    from pipeline.workspace import workspace

    gone, good = tmp_path / "gone" / "a.html", tmp_path / "a.csv"
    problem = reports.written(
        workspace(), "validate/1", (gone, good), delivery()["items"], "2026-11-24T10:00:00Z", "vi"
    )
    assert problem is not None and (problem.code, problem.exit_code) == ("SYS-WRITE", 3)
    assert told[0].startswith("SYS-WRITE") and told[1].startswith("Báo cáo: ") and good.exists()


def test_ingest_writes_reports_and_not_of_what_is_only_queued(tmp_path: Path) -> None:
    house = House(tmp_path).stores()
    answer = house.run("ingest", BAD, "--report", tmp_path / "a.html", "--report", tmp_path / "a.xlsx", "--json")
    assert answer.exit == 1, answer.err
    assert "không đạt" in (tmp_path / "a.html").read_text("utf-8")
    assert zipfile.is_zipfile(tmp_path / "a.xlsx")
    answer = house.run("ingest", BAD, "--queue", "--report", tmp_path / "b.html", "--json")
    assert answer.exit == 2
    assert answer.document is not None and answer.document["problem"]["code"] in ("USE-REPORT-QUEUE", "USE-QUEUE")


BIG = """
import json, resource, sys
from pathlib import Path
from pipeline.reports import files
from tests.reports.packages import hundred_thousand
document = hundred_thousand()
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = peak()
for end in ("html", "pdf", "csv", "xlsx"):
    files.write(Path(sys.argv[1]) / f"a.{end}", document)
print(json.dumps(peak() - before))
"""


@pytest.mark.slow
def test_a_hundred_thousand_findings_take_no_memory_of_their_own(tmp_path: Path) -> None:
    command = [sys.executable, "-c", BIG, str(tmp_path)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) < 220, "MiB on top of the document"
    assert (tmp_path / "a.html").stat().st_size < 2 << 20
    assert len(pypdfium2.PdfDocument(tmp_path / "a.pdf")) < 40
    assert (tmp_path / "a.csv").read_bytes().count(b"\r\n") == 100_001
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        rows = [len(re.findall(b"<row ", archive.read(f"xl/worksheets/sheet{n}.xml"))) for n in (3, 4)]
    assert rows == [100_001, 10_001]
    assert len(hundred_thousand()["items"][0]["findings"]) == 100_000
