"""LibreOffice kept open: the same bytes as a call of its own makes, and a bad document costs nobody else anything."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pipeline.content.normalisation.actions.office import PDF, TABLES
from pipeline.content.normalisation.office import archival
from pipeline.content.normalisation.opendocument import canonical
from pipeline.tools.run import Bounds, run
from pipeline.tools.soffice import SETTINGS, SOFFICE, Offices, conversion

DATA = Path(__file__).resolve().parent.parent / "data"
OFFICE = DATA / "characterisation/office"
WORD = DATA / "vietnamese/office/unicode.docx"
DOCX, XLSX = "MS Word 2007 XML", "Calc MS Excel 2007 XML"
JOBS = (
    (WORD, DOCX, "odt"),
    (OFFICE / "unicode.doc", "MS Word 97", PDF.format("writer")),
    (OFFICE / "unicode.xlsx", XLSX, "ods"),
    (OFFICE / "unicode.xls", "MS Excel 97", TABLES),
    (OFFICE / "unicode.pptx", "Impress MS PowerPoint 2007 XML", "odp"),
    (OFFICE / "unicode.odp", "impress8", PDF.format("impress")),
    (DATA / "formats/office/wordprocessing/rtf/testRTF.rtf", "Rich Text Format", "txt:Text (encoded):UTF8"),
)
BOUNDS = Bounds(seconds=120, memory=3 << 29, output=1 << 30)


def as_kept(file: Path) -> str:
    """Digest of what normalisation makes of a file that LibreOffice left."""
    target = io.BytesIO()
    with file.open("rb") as source:
        if file.suffix in (".odt", ".ods", ".odp"):
            list(canonical(source, target, lambda: None))
        elif file.suffix == ".pdf":
            archival(source, {"pdf": target}, [], lambda: None)
        else:
            target.write(source.read())
    return hashlib.sha256(target.getvalue()).hexdigest()


@pytest.fixture
def offices(tmp_path: Path) -> Iterator[Offices]:
    folder = tmp_path / "offices"
    folder.mkdir()
    with Offices(folder / "x") as kept:
        yield kept
    assert not list(folder.iterdir()), "nothing is left"


def made(offices: Offices, job: tuple[Path, str, str], out: Path, bounds: Bounds = BOUNDS) -> dict[str, str] | None:
    out.mkdir()
    if not offices.convert(*job, out, bounds):
        return None
    return {file.name: as_kept(file) for file in out.iterdir()}


@pytest.mark.slow
def test_an_office_that_is_kept_open_makes_the_bytes_of_a_call_of_its_own(tmp_path: Path, offices: Offices) -> None:
    first = [made(offices, job, tmp_path / f"first-{number}") for number, job in enumerate(JOBS)]
    assert all(first)
    again = [made(offices, job, tmp_path / f"again-{number}") for number, job in reversed(list(enumerate(JOBS)))]
    assert again[::-1] == first, "whatever came before"
    for number, (source, import_filter, target) in enumerate(JOBS[::3]):
        out = tmp_path / f"alone-{number}"
        out.mkdir()
        run(SOFFICE, conversion(import_filter, target), {"source": source, "settings": SETTINGS}, out, BOUNDS)
        assert {file.name: as_kept(file) for file in out.iterdir()} == first[number * 3], source


@pytest.mark.slow
def test_a_document_that_fails_or_hangs_costs_itself_alone(tmp_path: Path, offices: Offices) -> None:
    good = WORD, DOCX, "odt"
    first = made(offices, good, tmp_path / "first")
    assert first
    corrupt = DATA / "vietnamese/corrupt"
    for number, bad in enumerate((corrupt / "random.docx", corrupt / "crc_error.docx", OFFICE / "unicode.xls")):
        assert made(offices, (bad, DOCX, "odt"), tmp_path / f"bad-{number}") is None, bad
    assert made(offices, (DATA / "vietnamese/office/encrypted.docx", DOCX, "odt"), tmp_path / "locked") is None
    short = Bounds(seconds=0.0, memory=BOUNDS.memory, output=BOUNDS.output)
    assert made(offices, good, tmp_path / "hung", short) is None, "killed at its limit"
    assert made(offices, good, tmp_path / "second") == first, "by another one"


STARTS = """
import sys, time
from pathlib import Path
from tests.tools.test_soffice import BOUNDS, JOBS
from pipeline.tools.soffice import Offices

with Offices(Path(sys.argv[1], "x")) as kept:
    Path(sys.argv[1], "out").mkdir()
    print(kept.convert(*JOBS[6], Path(sys.argv[1], "out"), BOUNDS), flush=True)
    time.sleep(600)
"""


@pytest.mark.slow
def test_a_killed_process_leaves_no_office(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTS, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=DATA.parent.parent
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) > 2
        process.kill()
    assert not psutil.wait_procs(children, timeout=30)[1]


def test_after_the_block_there_is_none_nor_in_the_reduced_sandbox(tmp_path: Path) -> None:
    with Offices(tmp_path / "x", "reduced") as kept:
        assert made(kept, JOBS[0], tmp_path / "none") is None
    (tmp_path / "none").rmdir()
    with Offices(tmp_path / "x") as kept:
        pass
    assert made(kept, JOBS[0], tmp_path / "out") is None
    assert [item.name for item in tmp_path.iterdir()] == ["out"]
