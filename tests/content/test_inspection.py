"""What is seen of single files: PDFs and their signatures, pictures, sound, office documents, schemas."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from pipeline.content import inspection
from pipeline.content.inspection import pictures, rates, signatures, sniff
from pipeline.pool import Job, Task, shared
from tests.packages.tt05 import contents, pdfs
from tests.packages.tt05.build import schema
from tests.packages.tt05.signing import signed

SHARED = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "vietnamese"


@contextmanager
def held(*files: bytes) -> Iterator[Job]:
    fds = []
    for data in files:
        fd = os.memfd_create("test")
        os.write(fd, data)
        fds.append(fd)
    try:
        yield Job(tuple(fds), lambda: None)
    finally:
        for fd in fds:
            os.close(fd)


def looked(data: bytes, lines: bool = False) -> dict[str, Any]:
    with held(data) as job:
        return inspection.look(job, lines)


def saved(data: bytes, **how: Any) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as made:
        made.save(out, **how)
    return out.getvalue()


def test_a_signed_scan_in_two_layers() -> None:
    told = looked(pdfs.scan("Một hai ba", pages=2))
    assert (told["kind"], told["why"], told["pages"], told["claim"], told["text"]) == (
        "application/pdf", "", 2, "2b", True
    )  # fmt: skip
    assert round(told["dpi"]) == 300 and told["bits"] == 24
    (one,) = told["signatures"]
    assert one["intact"] is True and one["stamped"] and one["self_signed"] and one["page"] == 1
    assert not told["rest"] and not told["active"] and not told["legacy"] and not told["encrypted"]


def test_what_is_wrong_with_a_scan() -> None:
    told = looked(pdfs.scan("Một", dpi=150, colour=False, layer=False, pdfa=False, signature="plain"))
    assert round(told["dpi"]) == 150 and told["bits"] == 8 and not told["text"] and not told["claim"]
    assert not told["signatures"][0]["stamped"]


def test_a_born_digital_page_has_no_scan() -> None:
    told = looked(pdfs.born("Một", font=".VnTime"))
    assert told["dpi"] is None and told["bits"] is None and told["legacy"] == [".VnTime"] and not told["signatures"]


def test_the_text_is_given_when_asked_for() -> None:
    assert looked(pdfs.born("Ngày cấp: 01/02/2026", "Số lượng bản: 1"), lines=True)["lines"] == [
        "Ngày cấp: 01/02/2026", "Số lượng bản: 1"
    ]  # fmt: skip


def test_signatures_that_no_longer_hold() -> None:
    scan = pdfs.scan("Một")
    assert looked(pdfs.broken(scan))["signatures"][0]["intact"] is False
    assert looked(pdfs.continued(scan))["rest"] > 0
    assert looked(saved(scan))["signatures"][0]["intact"] is False, "rewritten"


def test_active_and_encrypted_content() -> None:
    assert looked(pdfs.born("x", catalog="/OpenAction<</S/JavaScript/JS(1)>>"))["active"] == ["JavaScript"]
    assert looked(pdfs.born("x", catalog="/AA<</WC<</S/Launch/F(a.exe)>>>>"))["active"] == ["Launch"]
    open_to_all = looked(saved(pdfs.born("x"), encryption=pikepdf.Encryption(owner="o", user="")))
    assert open_to_all["encrypted"] and not open_to_all["why"]
    closed = looked(saved(pdfs.born("x"), encryption=pikepdf.Encryption(owner="o", user="u")))
    assert closed["encrypted"] and closed["why"] == "password"


def test_odd_objects_spoil_nothing() -> None:
    odd = looked(pdfs.born("x", catalog="/A\xff#ff 1/OpenAction<</S/JavaScript/JS(1)/B\xfe 2>>"))
    assert odd["active"] == ["JavaScript"] and not odd["why"]
    scan = pdfs.scan("Một")
    at = scan.index(b"/Contents<0") if b"/Contents<0" in scan else scan.index(b"/Contents<3")
    end = scan.index(b">", at) + 1
    no_value = scan[:at] + b"/Contents/None".ljust(end - at) + scan[end:]
    assert looked(no_value)["signatures"][0]["intact"] is False


@pytest.mark.parametrize("length", [20, 60, 400, 900])
def test_a_pdf_that_was_cut_off(length: int) -> None:
    assert looked(pdfs.born("x")[:length])["why"]


def test_a_signature_of_another_file_and_rubbish() -> None:
    good = signed(b"\0" * 32, stamped=True)
    assert signatures.judge(good + b"\0" * 20, lambda name: b"\0" * 32).intact is True
    assert signatures.judge(good, lambda name: b"\1" * 32).intact is False
    for cut in range(0, len(good), 37):
        assert signatures.judge(good[:cut], lambda name: b"\0" * 32).intact is False
    assert signatures.judge(b"\x30\x80\0\0", lambda name: b"").intact is None


def test_flipped_bytes_of_a_signature_never_raise() -> None:
    good = signed(b"\0" * 32)
    for at in range(0, len(good), 11):
        bad = good[:at] + bytes((good[at] ^ 0x41,)) + good[at + 1 :]
        assert signatures.judge(bad, lambda name: b"\0" * 32).intact in (True, False, None)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (contents.picture(1), "image/jpeg"),
        (contents.picture(1, "png"), "image/png"),
        (contents.picture(1, "tiff"), "image/tiff"),
        (contents.picture(1, "gif"), "image/gif"),
        (contents.picture(1, "bmp"), "image/bmp"),
        (contents.sound(1), "audio/mpeg"),
        (contents.sound(1)[contents.sound(1).index(b"\xff\xfb") :], "audio/mpeg"),
        (bytes(99) + contents.sound(1)[contents.sound(1).index(b"\xff\xfb") :], "audio/mpeg"),
        (contents.wave(1), "audio/x-wav"),
        (b"\xdb\xa5\x2d\0 Word 2", "application/msword"),
        ((b"G" + bytes(187)) * 3, "video/mpeg"),
        (contents.text(1), "text/plain"),
        (contents.text(1).decode().encode("utf-16"), "text/plain"),
        (b"\xff\xfe\x10\x00" + bytes(range(60)), "audio/mpeg"),
        (contents.docx(1), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (b"{\\rtf1 x}", "application/rtf"),
        (b"\xef\xbb\xbf <!DOCTYPE html><html>", "text/html"),
        (b"\0\0\0\x18ftypmp42", "video/mp4"),
        (b"\0\0\0\x14ftypqt  ", "video/quicktime"),
        (b"\0\0\x01\xba\x44", "video/mpeg"),
        (b"\xff\xf1\x50\x80", "audio/aac"),
        (b"Qu\xe9\xe8t \xbb \xe2n b\x02n s\xb8ch nh\xb6 n\xad\xedc c\xf1a x\xb7 n\x06m hai ngh\xd7n" * 2, "text/plain"),
        (bytes(64), ""),
    ],
)
def test_kinds_are_told_by_their_bytes(data: bytes, kind: str) -> None:
    assert sniff.media_type(io.BytesIO(data), len(data)) == kind


def test_office_documents_that_are_not_whole() -> None:
    whole = contents.docx(1)
    assert looked(whole)["why"] == ""
    assert looked(whole[: len(whole) // 2])["why"]
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        at = archive.getinfo("word/document.xml").header_offset + 60
    assert looked(whole[:at] + bytes((whole[at] ^ 0xFF,)) + whole[at + 1 :])["why"]
    assert looked(sniff.OLE + bytes(600))["why"]


def test_pictures_tell_resolution_and_depth() -> None:
    colour = pictures.look(io.BytesIO(contents.picture(1, dpi=200)), "image/jpeg")
    assert (colour.why, round(colour.dpi or 0), colour.bits, colour.pages) == ("", 200, 24, 1)
    assert pictures.look(io.BytesIO(contents.picture(1, "png", mode="L")), "image/png").bits == 8
    for kind in ("jpeg", "png", "gif", "tiff"):
        cut = contents.picture(1, kind)[:-40]
        assert pictures.look(io.BytesIO(cut[: len(cut) // 2]), f"image/{kind}").why, kind


@pytest.mark.parametrize("rate", [64, 128, 192])
def test_the_rate_of_sound(rate: int) -> None:
    assert round(rates.kilobits(io.BytesIO(contents.sound(1, rate)), "audio/mpeg") or 0) == pytest.approx(rate, abs=1)


def test_the_rate_of_film_by_its_headers() -> None:
    box = b"\0\0\0\x6cmvhd" + bytes(12) + (1000).to_bytes(4) + (2000).to_bytes(4) + bytes(80)
    film = b"\0\0\0\x10ftypmp42\0\0\0\0" + (len(box) + 8).to_bytes(4) + b"moov" + box
    film += bytes(500_000 - len(film))
    assert rates.kilobits(io.BytesIO(film), "video/mp4") == pytest.approx(2000)
    assert rates.kilobits(io.BytesIO(film[:40]), "video/mp4") is None
    header = b"\0\0\x01\xb3\x16\x01\x20\x13" + (3750 << 6).to_bytes(3) + bytes(40)
    assert rates.kilobits(io.BytesIO(header), "video/mpeg") == 1500
    assert rates.kilobits(io.BytesIO(b"\0" * 20), "video/x-msvideo") is None


def test_the_rate_of_film_of_the_corpus() -> None:
    if not SHARED.is_dir():
        pytest.skip("the shared corpus is not here")
    assert (rates.kilobits(io.BytesIO((SHARED / "av/test.mp4").read_bytes()), "video/mp4") or 0) > 10
    for name in ("tampered", "rewritten"):
        assert looked((SHARED / f"signed/{name}.pdf").read_bytes())["signatures"][0]["intact"] is False
    for name in ("b_b", "b_t", "b_lta", "b_t_on_pdfa2b", "two_signatures", "expired_signer"):
        told = looked((SHARED / f"signed/{name}.pdf").read_bytes())
        assert all(one["intact"] is True for one in told["signatures"]) and not told["rest"], name


def test_a_description_against_the_schema_of_its_package() -> None:
    known, ours = schema(("a", "b"), "all"), b"<simpledc><a>1</a><b>2</b></simpledc>"
    for data, right in ((ours, True), (b"<simpledc><a>1</a></simpledc>", False), (ours.replace(b"b>", b"c>"), False)):
        with held(known, data) as job:
            assert (inspection.fits(job, [])["faults"] == []) is right
    with held(known, ours.replace(b"<a>", b"<c/><a>")) as job:
        assert inspection.fits(job, ["c"])["faults"] == []
    for no_schema in (b"<xs:schema", b"<x/>", known.replace(b"</xs:schema>", b"<xs:element/></xs:schema>")):
        with held(no_schema, ours) as job:
            assert inspection.fits(job, [])["faults"] is None


def test_a_schema_asks_for_nothing_outside(tmp_path: Path) -> None:
    secret = tmp_path / "other.xsd"
    secret.write_bytes(b"not even XML")
    link = b'<xs:include schemaLocation="file://%s"/><xs:element' % os.fsencode(secret)
    with held(schema(("a",), "all").replace(b"<xs:element", link, 1), b"<simpledc><a/></simpledc>") as job:
        assert inspection.fits(job, [])["faults"] == []


def test_workers_do_all_this(tmp_path: Path) -> None:
    def task(data: bytes) -> Task:
        def opened() -> tuple[int, ...]:
            fd = os.memfd_create("test")
            os.write(fd, data)
            os.fchmod(fd, 0o444)
            return (fd,)

        return Task(data[:4], opened, (), len(data))

    pool = shared(inspection.MODULES, 1)
    files = [pdfs.scan("Một"), contents.docx(1), contents.picture(1), contents.sound(1), sniff.OLE + bytes(600)]
    told = [result.value for result in pool.map("pipeline.content.inspection:look", map(task, files), tmp_path)]
    assert [bool(one["why"]) for one in told] == [False, False, False, False, True]


@pytest.mark.parametrize("kind", ["rsa", "pss", "ec"])
@pytest.mark.parametrize("attributes", [True, False])
def test_signatures_of_another_maker(kind: str, attributes: bool) -> None:
    """The library signs, our reader judges; both share the arithmetic, not the reading of CMS."""
    if kind == "ec":
        key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = ec.generate_private_key(ec.SECP256R1())
    else:
        key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ủy ban")])
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(2**80)
        .not_valid_before(begin).not_valid_after(begin + timedelta(days=9)).sign(key, hashes.SHA256())
    )  # fmt: skip
    content = b"content of the file"
    how = padding.PSS(padding.MGF1(hashes.SHA384()), padding.PSS.DIGEST_LENGTH) if kind == "pss" else None
    options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
    options += [] if attributes else [pkcs7.PKCS7Options.NoAttributes]
    made = (
        pkcs7.PKCS7SignatureBuilder().set_data(content)
        .add_signer(certificate, key, hashes.SHA384(), rsa_padding=how).sign(serialization.Encoding.DER, options)
    )  # fmt: skip
    told = signatures.judge(made, lambda name: hashlib.new(name, content).digest())
    assert told.intact is True and told.self_signed and not told.stamped, told
    assert signatures.judge(made, lambda name: hashlib.new(name, content + b"x").digest()).intact is False
