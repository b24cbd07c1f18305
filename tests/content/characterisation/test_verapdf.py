"""Claims to be PDF/A: the built-in check against veraPDF, and veraPDF's verdict in its place where a site has it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest

from pipeline.content.characterisation import versions
from pipeline.content.validity import pdf
from pipeline.content.validity.programs import archival
from pipeline.tools import program
from pipeline.tools.decoders import VERAPDF
from tests.content.characterisation.test_outcomes import DATA
from tests.judges.pdfa import JARS, MAIN

pytestmark = pytest.mark.judge


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A file that keeps its claim, and one that does not."""
    made = tmp_path / "lưu trữ"
    made.mkdir()
    shutil.copy(DATA / "vietnamese/pdf/text_pdfa2b.pdf", made / "đúng.pdf")
    with pikepdf.open(made / "đúng.pdf") as document:
        del document.Root["/OutputIntents"]
        document.save(made / "sai.pdf")
    return made


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A site's own veraPDF: the judge's jars behind a script, where everybody may read them."""
    assert JARS.is_dir(), "the judge is missing"
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        shutil.copytree(JARS, place / "jars", symlinks=False)
        script = place / "verapdf"
        script.write_text(f'#!/bin/sh\nexec java -cp "{place}/jars/*" {MAIN} "$@"\n')
        for path in (script, *place.rglob("*")):
            path.chmod(0o755)
        monkeypatch.setattr(program, "PLACES", f"{place}:{program.PLACES}")
        yield


def test_verdicts_of_an_installed_verapdf(folder: Path, tmp_path: Path, installed: None) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    assert VERAPDF.fit and "verapdf" in versions(("verapdf",))
    (folder / "rác.pdf").write_bytes(b"%PDF-1.4\nrubbish")
    files = [folder / name for name in ("đúng.pdf", "rác.pdf", "sai.pdf")]
    right, none, wrong = archival(files, scratch, "reduced")
    assert none is None and right == ("passed", "") and wrong is not None
    assert wrong[0] == "failed" and "ISO 19005-2:2011 6.2" in wrong[1]
    for file, verdict in ((files[0], right), (files[2], wrong)):
        with pikepdf.open(file) as document:
            assert pdf.archival(document, pdf.claim(document))[0] == verdict[0], "the built-in check agrees"
