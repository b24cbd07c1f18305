"""PDF to PDF/A-2b: what is made on which step, what stays as it is, what is never touched."""

from __future__ import annotations

from pathlib import Path

import pikepdf
import pytest
from pikepdf import pdfa

from pipeline.content.normalisation import Converted, Kept, NotConverted
from tests.content.normalisation.trial import DATA, bad, good, made, rule_for, rule_named, twice

PDF = DATA / "pdf"
MORE = DATA.parent / "characterisation"


def scratch_of(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.mark.parametrize(
    ("file", "note"), [(PDF / "text.pdf", ""), (MORE / "pdf/encrypted_owner.pdf", "owner password")]
)
def test_a_plain_pdf_becomes_pdfa_twice_with_the_same_bytes(tmp_path: Path, file: Path, note: str) -> None:
    (result,) = twice(file, scratch_of(tmp_path), rule_named("pdf")).derivatives
    assert result.format.puid == "fmt/477"
    assert "0.00 % of a page's pixels differ" in result.proved
    assert note in "; ".join(result.notes)
    assert [name for name, _ in result.programs] == ["pikepdf", "qpdf"]
    with pikepdf.open(result.path) as document:
        assert pdfa.check(document, "2b").passed
        assert b"MetadataDate" not in document.Root.Metadata.read_bytes()
    assert result.path.read_bytes() != file.read_bytes()


def test_what_is_pdfa_already_stays(tmp_path: Path) -> None:
    outcome = made(PDF / "text_pdfa2b.pdf", scratch_of(tmp_path))
    assert isinstance(outcome, Kept), outcome
    assert outcome.reason == "valid PDF/A-2b"


def test_a_false_claim_is_not_believed(tmp_path: Path) -> None:
    """A file that calls itself PDF/A but has JavaScript is made anew."""
    claimed = tmp_path / "false claim.pdf"
    with pikepdf.open(PDF / "text_pdfa2b.pdf") as document:
        document.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
        document.save(claimed)
    result = good(made(claimed, scratch_of(tmp_path), rule_named("pdf")))
    assert "action at opening taken out: /JavaScript" in result.notes
    with pikepdf.open(result.path) as document:
        assert "/OpenAction" not in document.Root


def test_a_signed_document_is_never_written_anew(tmp_path: Path) -> None:
    signed = MORE / "signed" / "tampered.pdf"
    outcome = made(signed, scratch_of(tmp_path), rule_named("pdf"))
    assert isinstance(outcome, Kept), outcome
    assert outcome.reason.startswith("signed")
    assert rule_for(signed, scratch_of(tmp_path), {"signed"}) is None


def test_a_password_says_so_and_ends_the_ladder(tmp_path: Path) -> None:
    outcome = bad(made(MORE / "pdf/encrypted_user.pdf", scratch_of(tmp_path), rule_named("pdf")), "FMT-CONVERT-FAILED")
    assert outcome.finding.found == "a password is needed to open it"
    assert rule_for(PDF / "text.pdf", scratch_of(tmp_path), {"encrypted"}) is None


@pytest.mark.parametrize("name", ["active.pdf", "no_embedded_fonts.pdf"])
def test_a_copy_that_reads_otherwise_is_not_kept(tmp_path: Path, name: str) -> None:
    """Forms that are flattened lose text, substitute fonts change it: the comparison stops them."""
    outcome = made(MORE / "pdf" / name, scratch_of(tmp_path), rule_named("pdf"))
    if isinstance(outcome, Converted):
        result = good(outcome)
        assert "pages with equal text" in result.proved
    else:
        assert isinstance(outcome, NotConverted)
        assert "FMT-CONVERT-DIFFERS" in str(outcome.finding) or "pdf.drawn" in str(outcome.finding)


@pytest.mark.parametrize("damage", ["empty", "cut", "noise", "head"])
def test_damage_is_named_and_the_original_stays(tmp_path: Path, damage: str) -> None:
    data = (PDF / "text.pdf").read_bytes()
    file = tmp_path / "hỏng.pdf"
    file.write_bytes({"empty": b"", "cut": data[:3000], "noise": data[:20] + b"\x00\xff" * 9000,
                      "head": b"%PDF-1.4\n"}[damage])  # fmt: skip
    outcome = made(file, scratch_of(tmp_path), rule_named("pdf"))
    assert isinstance(outcome, NotConverted), outcome
    assert outcome.finding.found


def test_a_page_that_changes_is_seen(tmp_path: Path) -> None:
    """The comparison itself: other text, another look, a page less, an attachment less."""
    from io import BytesIO

    from pipeline.content.normalisation.made import Differs, Proved
    from pipeline.content.normalisation.pdfs import same

    plain = PDF / "text.pdf"

    def against(change: object) -> object:
        target = BytesIO()
        with pikepdf.open(plain) as document:
            change(document)  # type: ignore[operator]
            document.save(target)
        with plain.open("rb") as source:
            return same(source, target, 0.5, lambda: None)

    def covered(document: pikepdf.Pdf) -> None:
        page = document.pages[0]
        page.contents_add(document.make_stream(b"q 0 0 0 rg 0 0 300 300 re f Q"))

    def longer(document: pikepdf.Pdf) -> None:
        document.pages.append(document.pages[0])

    def attached(document: pikepdf.Pdf) -> None:
        document.attachments["a.txt"] = b"a"

    assert isinstance(against(lambda document: None), Proved)
    for change, word in ((covered, "pixels"), (longer, "pages"), (attached, "attachments")):
        told = against(change)
        assert isinstance(told, Differs), change
        assert word in told.reason
