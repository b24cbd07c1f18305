"""Signatures as they are met: what each comes to in integrity, trust and coverage, and what is said about it."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pikepdf
import pytest
from lxml import etree
from pyhanko.sign.fields import MDPPerm
from signxml.signer import XMLSigner

from pipeline.content.signatures import alone, findings, office, pdf, xmldsig
from pipeline.content.signatures.certificates import Roots
from pipeline.content.signatures.cms import Unjudged
from pipeline.records import PackagePath
from pipeline.signatures import Coverage, Integrity, Signature, Trust
from tests.content.signatures import made
from tests.content.signatures.authority import MOMENT, authority

WHOLE, CHANGED, OPEN = Integrity.WHOLE, Integrity.CHANGED, Integrity.UNVERIFIABLE
TRUSTED, UNTRUSTED, EXPIRED, REVOKED = Trust.TRUSTED, Trust.UNTRUSTED, Trust.EXPIRED, Trust.REVOKED
FILE, REVISION, PART = Coverage.FILE, Coverage.REVISION, Coverage.PART
IN_TIME = datetime(2020, 6, 1, tzinfo=UTC)
A = authority()


def beat() -> None:
    """Nobody waits."""


def roots(pem: bytes | None = None) -> Roots:
    return Roots.read(A.pem if pem is None else pem, MOMENT)


def of_pdf(data: bytes, trust: Roots | None = None) -> list[Signature]:
    return pdf.verify(io.BytesIO(data), trust or roots(), beat, counted=1)


def of_xml(data: bytes | str, beside: dict[str, bytes] | None = None) -> list[Signature]:
    raw = data.encode() if isinstance(data, str) else data
    told = xmldsig.verify(raw, xmldsig.document(raw), (beside or {}).get, roots(), beat)
    return [one.signature for one in told]


def codes(signatures: list[Signature]) -> set[str]:
    return {one.code for one in findings(PackagePath(b"a"), signatures)}


@dataclass(frozen=True)
class Case:
    """One PDF and what its first signature comes to."""

    name: str
    make: Callable[[], bytes]
    integrity: Integrity
    trust: Trust
    coverage: Coverage
    codes: frozenset[str] = frozenset()
    later: str = ""


CASES = (
    Case("good", lambda: made.pdf(A.good), WHOLE, TRUSTED, FILE),
    Case("adobe", lambda: made.pdf(A.good, pades=False), WHOLE, TRUSTED, FILE),
    Case(
        "changed-byte", lambda: made.changed(made.pdf(A.good), b"Cong van", b"Cong vXn"), CHANGED, TRUSTED, FILE,
        frozenset({"DSIG-CHANGED"}),
    ),
    Case("expired", lambda: made.pdf(A.expired), WHOLE, EXPIRED, FILE, frozenset({"DSIG-EXPIRED"})),
    Case("expired-but-stamped", lambda: made.pdf(A.expired, when=IN_TIME), WHOLE, TRUSTED, FILE),
    Case(
        "expired-stamped-by-a-stranger", lambda: made.pdf(A.expired, when=IN_TIME, tsa=A.stranger), WHOLE, EXPIRED,
        FILE, frozenset({"DSIG-EXPIRED", "DSIG-TIMESTAMP"}),
    ),
    Case("self-signed", lambda: made.pdf(A.alone), WHOLE, UNTRUSTED, FILE, frozenset({"DSIG-UNTRUSTED"})),
    Case("another-root", lambda: made.pdf(A.stranger), WHOLE, UNTRUSTED, FILE, frozenset({"DSIG-UNTRUSTED"})),
    Case("not-for-signing", lambda: made.pdf(A.unfit), WHOLE, UNTRUSTED, FILE, frozenset({"DSIG-UNTRUSTED"})),
    Case(
        "revoked-by-its-own-list", lambda: made.pdf(A.revoked, crl=True), WHOLE, REVOKED, REVISION,
        frozenset({"DSIG-REVOKED"}), "validation data",
    ),
    Case(
        "revoked-after-its-time-stamp",
        lambda: made.pdf(A.revoked, crl=True, when=datetime(2026, 1, 1, tzinfo=UTC)), WHOLE, TRUSTED, REVISION,
        later="validation data",
    ),
    Case(
        "two-signatures", lambda: made.pdf(A.second, base=made.pdf(A.good), field="Ky2"), WHOLE, TRUSTED, REVISION,
        later="form fields or signatures",
    ),
    Case(
        "page-rewritten-behind-it", lambda: made.rewritten(made.pdf(A.good)), WHOLE, TRUSTED, REVISION,
        frozenset({"DSIG-LATER"}), "content",
    ),
    Case(
        "certified-then-rewritten",
        lambda: made.rewritten(made.pdf(A.good, certify=MDPPerm.NO_CHANGES)), WHOLE, TRUSTED, REVISION,
        frozenset({"DSIG-LATER"}), "content",
    ),
    Case(
        "sha-1-and-1024-bits", lambda: made.pdf(A.weak, digest="sha1", pades=False), WHOLE, TRUSTED, FILE,
        frozenset({"DSIG-WEAK"}),
    ),
    Case(
        "document-time-stamp",
        lambda: made.stamped(made.pdf(A.expired, when=IN_TIME), datetime(2020, 7, 1, tzinfo=UTC)), WHOLE, TRUSTED,
        REVISION, later="validation data",
    ),
    Case("bytes-behind", lambda: made.pdf(A.good) + b"more\n", WHOLE, TRUSTED, REVISION, later="nothing"),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_signature_of_a_pdf(case: Case) -> None:
    found = of_pdf(case.make())
    one = found[0]
    assert (one.integrity, one.trust) == (case.integrity, case.trust), one
    assert one.coverage is case.coverage, one
    assert one.later.startswith(case.later) and bool(one.later) == bool(case.later), one.later
    assert codes(found) == case.codes
    assert one.value and one.certificate and one.method.endswith(("SHA256", "SHA1"))


def test_what_a_signature_tells_of_its_signer() -> None:
    one = of_pdf(made.pdf(A.good, when=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)))[0]
    assert one.signer == "CN=Nguyễn Văn Tốt, O=Cơ quan Thử, C=VN"
    assert one.issuer == "CN=CA Thử, O=Cơ quan Thử, C=VN"
    assert one.serial == f"{A.good.certificate.serial_number:x}"
    assert (one.valid_from, one.valid_to) == ("2020-01-01T00:00:00Z", "2040-01-01T00:00:00Z")
    assert one.method == "ECDSA with SHA256" and one.form == "PAdES"
    assert one.stamped == "2026-01-02T03:04:05Z" and one.stamp.startswith("whole; trusted; by CN=Dấu Thời Gian")
    assert one.claimed.endswith("Z")


def test_the_second_signature_covers_the_whole_file() -> None:
    first, second = of_pdf(made.pdf(A.second, base=made.pdf(A.good), field="Ky2"))
    assert (first.signer.partition(",")[0], second.signer.partition(",")[0]) == ("CN=Nguyễn Văn Tốt", "CN=Trần Thị Hai")
    assert second.coverage is FILE


def test_without_roots_trust_is_left_open_and_a_list_of_the_archive_counts_too() -> None:
    one = of_pdf(made.pdf(A.good), roots(b""))[0]
    assert (one.integrity, one.trust) == (WHOLE, Trust.NO_ROOTS)
    assert codes([one]) == set()
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    listed = x509.load_der_x509_crl(A.crl).public_bytes(Encoding.PEM)
    assert of_pdf(made.pdf(A.revoked), roots(A.pem + listed))[0].trust is REVOKED
    assert of_pdf(made.pdf(A.good), roots(A.pem + listed))[0].revocation == "not revoked"
    assert of_pdf(made.pdf(A.good))[0].revocation == "not known"


def test_a_byte_range_that_leaves_out_more_than_the_signature_covers_a_part() -> None:
    data = made.pdf(A.good)
    start = data.index(b"/ByteRange [") + len(b"/ByteRange [")
    end = data.index(b"]", start)
    _, first, second, length = map(int, data[start:end].split())
    text = f"0 {first - 40} {second} {length}".encode()
    moved = data[:start] + text.ljust(end - start) + data[end:]
    one = of_pdf(moved)[0]
    assert one.coverage is PART and one.integrity is CHANGED
    assert {"DSIG-PART", "DSIG-CHANGED"} <= codes([one])


def test_a_pdf_that_a_strict_reader_cannot_follow_is_judged_by_its_bytes() -> None:
    """A broken table behind the signature, the oldest kind of signature, and one that no field holds."""
    broken = of_pdf(made.pdf(A.good) + b"startxref\n99999999\n%%EOF\n")
    assert [(one.integrity, one.trust, one.coverage) for one in broken] == [(WHOLE, TRUSTED, Coverage.UNKNOWN)]
    assert "damaged" in broken[0].covered and codes(broken) == {"DSIG-UNVERIFIABLE"}
    old = of_pdf(made.bare(A.tsa))
    assert [(one.form, one.integrity, one.trust) for one in old] == [("PDF, adbe.x509.rsa_sha1", WHOLE, UNTRUSTED)]
    assert old[0].coverage is FILE
    assert codes(old) == {"DSIG-UNTRUSTED", "DSIG-WEAK"}, "its issuing certificate is not in the file"
    assert of_pdf(made.changed(made.bare(A.tsa), b"Cong van", b"Cong vXn"))[0].integrity is CHANGED
    with pikepdf.open(io.BytesIO(made.bare(A.tsa))) as document:
        del document.Root.AcroForm.Fields
        out = io.BytesIO()
        document.save(out)
    assert of_pdf(out.getvalue())[0].integrity is not WHOLE


def test_encryption_hides_a_signature_only_behind_a_password() -> None:
    assert [triple(one) for one in of_pdf(made.locked(A.good))] == [(WHOLE, TRUSTED, FILE)]
    behind = of_pdf(made.locked(A.good, user="mat khau"))
    assert [one.integrity for one in behind] == [OPEN] and codes(behind) == {"DSIG-UNVERIFIABLE"}


def test_what_is_no_pdf_is_said_and_nothing_more() -> None:
    assert of_pdf(b"%PDF-1.7 no more")[0].integrity is OPEN
    assert of_pdf(made.plain()) == [Signature(form="PDF", why="no field of the document holds the signature")]
    assert pdf.verify(io.BytesIO(made.plain()), roots(), beat, counted=0) == []


# --- XML ----------------------------------------------------------------------------------------------------------


def triple(one: Signature) -> tuple[Integrity, Trust, Coverage]:
    return one.integrity, one.trust, one.coverage


def test_signatures_in_xml() -> None:
    assert triple(of_xml(made.xml(A.good))[0]) == (WHOLE, TRUSTED, FILE)
    assert triple(of_xml(made.xml(A.good, how="enveloping"))[0]) == (WHOLE, TRUSTED, FILE)
    assert triple(of_xml(made.xml(A.expired))[0]) == (WHOLE, EXPIRED, FILE)
    assert triple(of_xml(made.xml(A.alone))[0]) == (WHOLE, UNTRUSTED, FILE)
    changed = made.changed(made.xml(A.good), "Kính".encode(), b"Kinh!")
    assert of_xml(changed)[0].integrity is CHANGED
    old = of_xml(made.xml(A.good, digest="SHA1"))
    assert triple(old[0]) == (WHOLE, TRUSTED, FILE) and codes(old) == {"DSIG-WEAK"}


def test_a_key_without_a_certificate_is_nobodys() -> None:
    signer = XMLSigner(signature_algorithm="ecdsa-sha256")
    found = of_xml(etree.tostring(signer.sign(etree.fromstring(made.LETTER), key=A.good.key)))
    assert triple(found[0]) == (WHOLE, Trust.UNKNOWN, FILE) and codes(found) == {"DSIG-UNTRUSTED"}


def test_xades_tells_its_time_and_binds_its_certificate() -> None:
    data = made.xades(A.good)
    one = of_xml(data)[0]
    assert one.form == "XAdES" and triple(one) == (WHOLE, TRUSTED, FILE) and one.claimed.endswith("Z")
    assert of_xml(data.replace("không".encode(), b"khong"))[0].integrity is CHANGED
    late = of_xml(made.xades(A.expired, when=IN_TIME))[0]
    assert (late.integrity, late.trust, late.stamped) == (WHOLE, TRUSTED, "2020-06-01T00:00:00Z")
    foreign = made.xades(A.expired, when=IN_TIME).replace(b"</ds:SignatureValue>", b" </ds:SignatureValue>")
    assert codes(of_xml(foreign)) >= {"DSIG-TIMESTAMP", "DSIG-EXPIRED"}


def test_a_part_that_is_signed_is_named() -> None:
    one = of_xml(made.xml(A.good, uri="#nd1"))[0]
    assert triple(one) == (WHOLE, TRUSTED, PART)
    assert one.covered == "/van-ban/noi-dung" and codes([one]) == {"DSIG-PART"}


def test_a_wrapped_element_is_a_part_elsewhere_and_a_doubled_id_is_refused() -> None:
    """The classical attacks: the signed element moves aside, another one takes its place, with or without its Id."""
    signed = made.xml(A.good, uri="#nd1").decode()
    at = signed.index("<noi-dung")
    end = signed.index("</noi-dung>") + len("</noi-dung>")
    element = signed[at:end]
    false = "<noi-dung Id='nd2'>Chuyển một tỷ</noi-dung>"
    moved = signed.replace(element, false).replace("</van-ban>", f"<kho>{element}</kho></van-ban>")
    one = of_xml(moved)[0]
    assert one.coverage is PART and one.covered == "/van-ban/kho/noi-dung"
    doubled = signed.replace(element, element.replace("Kính gửi", "Chuyển") + element)
    assert "names 2 elements" in of_xml(doubled)[0].why and of_xml(doubled)[0].integrity is OPEN
    cased = signed.replace(element, "<noi-dung ID='nd1'>Chuyển một tỷ</noi-dung>" + element)
    assert "names 2 elements" in of_xml(cased)[0].why


XSLT = "<ds:Transform Algorithm='http://www.w3.org/TR/1999/REC-xslt-19991116'/>"
XPATH = "<ds:Transform Algorithm='http://www.w3.org/TR/1999/REC-xpath-19991116'/>"


@pytest.mark.parametrize(
    ("uri", "transforms", "why"),
    [
        ("http://127.0.0.1:9/x", "", "is not beside the signature"),
        ("file:///etc/passwd", "", "is not beside the signature"),
        ("../../etc/passwd", "", "is not beside the signature"),
        ("", XSLT, "xslt-19991116 is not followed"),
        ("", XPATH, "xpath-19991116 is not followed"),
        ("#none", "", "names 0 elements"),
    ],
)
def test_what_leads_outside_or_runs_programs_is_not_followed(uri: str, transforms: str, why: str) -> None:
    text = f"<a>{made.by_hand(A.good, [(uri, transforms, made.digest(b'x'))])}</a>"
    one = of_xml(text)[0]
    assert one.integrity is OPEN and why in one.why
    assert codes([one]) >= {"DSIG-UNVERIFIABLE"}


def test_a_file_beside_the_signature_is_read_where_it_is_handed_over() -> None:
    text = made.by_hand(A.good, [("c%C3%B4ng%20v%C4%83n.txt", "", made.digest(b"abc"))])
    assert xmldsig.outside(xmldsig.document(text.encode())) == ["c%C3%B4ng%20v%C4%83n.txt"]
    one = of_xml(text, {"c%C3%B4ng%20v%C4%83n.txt": b"abc"})[0]
    assert triple(one) == (WHOLE, TRUSTED, FILE) and "files beside it" in one.covered
    assert of_xml(text, {"c%C3%B4ng%20v%C4%83n.txt": b"abd"})[0].integrity is CHANGED


def test_entities_and_their_bombs_are_refused() -> None:
    bomb = "<!DOCTYPE a [<!ENTITY b 'xxxxxxxxxx'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]>"
    with pytest.raises(Unjudged, match="DTD|well-formed"):
        xmldsig.document((bomb + made.xml(A.good).decode().replace("không ký", "&c;")).encode())
    outside = "<!DOCTYPE a SYSTEM 'file:///etc/passwd'>"
    with pytest.raises(Unjudged, match="DTD"):
        xmldsig.document((outside + made.xml(A.good).decode()).encode())


def test_a_signature_of_another_key_than_its_certificates_does_not_hold() -> None:
    text = made.by_hand(A.good, [("", f"<ds:Transform Algorithm='{made.C14N}'/>", made.digest(b"x"))])
    own, other = made.by_hand(A.good, []), made.by_hand(A.second, [])
    at, end = "<ds:KeyInfo>", "</ds:KeyInfo>"
    stolen = text.replace(own[own.index(at) : own.index(end)], other[other.index(at) : other.index(end)])
    assert of_xml(f"<a>{stolen}</a>")[0].integrity is CHANGED
    assert of_xml("<a>" + made.by_hand(A.good, [("", "", "")], key_info="") + "</a>")[0].integrity is OPEN


# --- office packages and CMS --------------------------------------------------------------------------------------


def of_package(data: bytes, family: str) -> list[Signature]:
    return office.verify(io.BytesIO(data), family, roots(), beat)


def test_an_ooxml_package_is_whole_until_a_signed_part_changes() -> None:
    good = made.ooxml(A.good)
    assert triple(of_package(good, "ooxml")[0]) == (WHOLE, TRUSTED, FILE)
    members = made.unpacked(good)
    changed = made.packed({**members, "word/document.xml": b"<w/>"})
    assert of_package(changed, "ooxml")[0].integrity is CHANGED
    gone = made.packed({name: data for name, data in members.items() if name != "word/document.xml"})
    assert of_package(gone, "ooxml")[0].integrity is CHANGED
    relinked = made.packed(
        {**members, "word/_rels/document.xml.rels": made.RELS.replace("a.xml", "c.xml").encode()}
    )  # fmt: skip
    assert of_package(relinked, "ooxml")[0].integrity is CHANGED
    unsigned_link = made.packed(
        {**members, "word/_rels/document.xml.rels": made.RELS.replace("b.xml", "c.xml").encode()}
    )  # fmt: skip
    assert of_package(unsigned_link, "ooxml")[0].integrity is WHOLE, "the transform leaves that one out"
    retyped = made.packed({**members, "[Content_Types].xml": made.TYPES.replace("x-document", "x-macro").encode()})
    assert of_package(retyped, "ooxml")[0].integrity is CHANGED
    more = of_package(made.ooxml(A.good, {"word/vbaProject.bin": b"x"}), "ooxml")
    assert more[0].coverage is PART and codes(more) == {"DSIG-PART"}


def test_an_opendocument_is_whole_until_a_member_changes() -> None:
    good = made.odf(A.good)
    assert triple(of_package(good, "odf")[0]) == (WHOLE, TRUSTED, FILE)
    changed = made.packed({**made.unpacked(good), "content.xml": b"<o xmlns='urn:o'>khac</o>"})
    assert of_package(changed, "odf")[0].integrity is CHANGED
    assert of_package(made.odf(A.good, leave=("mimetype",)), "odf")[0].coverage is PART
    assert of_package(b"PK no zip", "odf") == [], "nobody saw a signature in it"
    seen = office.verify(io.BytesIO(b"PK no zip"), "odf", roots(), beat, counted=1)
    assert [one.integrity for one in seen] == [OPEN]


def of_cms(data: bytes, beside: bytes | None) -> list[Signature]:
    other = io.BytesIO(beside) if beside is not None else None
    return alone.verify(io.BytesIO(data), other, roots(), beat)


def test_cms_beside_a_file_and_around_one() -> None:
    detached = made.cms(A.good, b"abc", when=datetime(2026, 1, 1, tzinfo=UTC))
    one = of_cms(detached, b"abc")[0]
    assert triple(one) == (WHOLE, TRUSTED, FILE) and one.stamped == "2026-01-01T00:00:00Z"
    assert of_cms(detached, b"abd")[0].integrity is CHANGED
    assert of_cms(detached, None)[0].integrity is OPEN
    assert triple(of_cms(made.cms(A.good, b"abc", inside=True), None)[0]) == (WHOLE, TRUSTED, FILE)
    import base64

    text = b"-----BEGIN PKCS7-----\n" + base64.encodebytes(detached) + b"-----END PKCS7-----\n"
    assert of_cms(text, b"abc")[0].integrity is WHOLE
    assert of_cms(base64.encodebytes(detached), b"abc")[0].integrity is WHOLE
    assert of_cms(made.token(b"abc"), b"abc")[0].integrity is WHOLE
    assert of_cms(made.token(b"abc"), b"abd")[0].integrity is CHANGED
    assert of_cms(b"-----BEGIN PGP SIGNATURE-----\n=xx\n", b"abc") == []
    assert of_cms(b"\x30\x80\x01", b"abc")[0].integrity is OPEN
    message = b"MIME-Version: 1.0\nContent-Type: multipart/signed; boundary=x\n\n--x\n"
    assert [one.form for one in of_cms(message, b"abc")] == ["S/MIME"]
