"""Signed files for tests: PDF, XML, office packages, CMS, made by pyHanko, signxml and cryptography."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import pikepdf
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from lxml import etree
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.validation.dss import DocumentSecurityStore
from signxml.algorithms import SignatureConstructionMethod
from signxml.signer import XMLSigner
from signxml.xades.xades import XAdESSigner

from tests.content.signatures.authority import Authority, Holder, authority

DS = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"


def plain(text: str = "Cong van") -> bytes:
    """A PDF of one page, the same bytes each time."""
    document = pikepdf.new()
    page = document.add_blank_page(page_size=(300, 300))
    font = document.make_indirect(
        pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    )
    page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
    page.Contents = document.make_stream(f"BT /F1 24 Tf 40 200 Td ({text}) Tj ET".encode())
    out = io.BytesIO()
    document.save(out, deterministic_id=True, compress_streams=False)
    return out.getvalue()


def pdf(
    who: Holder, *, base: bytes | None = None, field: str = "Ky1", when: datetime | None = None,
    tsa: Holder | None = None, certify: fields.MDPPerm | None = None, digest: str = "sha256",
    pades: bool = True, crl: bool = False,
) -> bytes:  # fmt: skip
    """A signed PDF; `when` puts a time-stamp on it, `crl` the authority's revocation list into its DSS."""
    of = authority()
    writer = IncrementalPdfFileWriter(io.BytesIO(base or plain()))
    told = signers.PdfSignatureMetadata(
        field_name=field, md_algorithm=digest, certify=certify is not None,
        docmdp_permissions=certify or fields.MDPPerm.FILL_FORMS,
        subfilter=fields.SigSeedSubFilter.PADES if pades else fields.SigSeedSubFilter.ADOBE_PKCS7_DETACHED,
    )  # fmt: skip
    stamper = of.stamper(when, tsa) if when is not None else None
    out = io.BytesIO()
    signers.sign_pdf(writer, told, signer=of.signer(who), timestamper=stamper, output=out)
    if crl:
        out.seek(0)
        store = DocumentSecurityStore.supply_dss_in_writer
        update: Any = IncrementalPdfFileWriter(out)
        store(update, None, crls=[of.revocations], certs=of.chain)
        update.write_in_place()
    return out.getvalue()


def locked(who: Holder, user: str = "") -> bytes:
    """A signed PDF in AES-256; without a user password anybody may open it."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(plain())) as document:
        document.save(out, encryption=pikepdf.Encryption(owner="chu", user=user, R=6))
    writer: Any = IncrementalPdfFileWriter(out)
    writer.encrypt(user)
    made = io.BytesIO()
    told = signers.PdfSignatureMetadata(field_name="Ky1")
    signers.sign_pdf(writer, told, signer=authority().signer(who), output=made)
    return made.getvalue()


def stamped(base: bytes, when: datetime, field: str = "Dau1") -> bytes:
    """The PDF with a document time-stamp behind it."""
    writer = IncrementalPdfFileWriter(io.BytesIO(base))
    out = io.BytesIO()
    signers.PdfTimeStamper(authority().stamper(when), field_name=field).timestamp_pdf(
        writer, "sha256", validation_context=None, output=out
    )
    return out.getvalue()


def rewritten(base: bytes, text: str = "Gia mao") -> bytes:
    """The page says something else, in an incremental update behind the signature."""
    writer: Any = IncrementalPdfFileWriter(io.BytesIO(base))
    page = writer.root["/Pages"]["/Kids"][0].get_object()
    page["/Contents"].get_object()._data = f"BT /F1 24 Tf 40 200 Td ({text}) Tj ET".encode()
    page["/Contents"].get_object()._encoded_data = None
    writer.mark_update(page.raw_get("/Contents"))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def changed(data: bytes, old: bytes, new: bytes) -> bytes:
    """The same length, other bytes."""
    assert len(old) == len(new) and old in data
    return data.replace(old, new, 1)


def bare(who: Holder) -> bytes:
    """adbe.x509.rsa_sha1: a PKCS #1 value in an octet string, the certificate beside it."""
    document = pikepdf.open(io.BytesIO(plain()))
    room = 600
    value = pikepdf.Dictionary(
        Type=pikepdf.Name.Sig, Filter=pikepdf.Name("/Adobe.PPKLite"), SubFilter=pikepdf.Name("/adbe.x509.rsa_sha1"),
        ByteRange=pikepdf.Array([0, 1111111111, 1111111111, 1111111111]), Cert=pikepdf.String(who.asn1.dump()),
        Contents=pikepdf.String(b"\xff" * room),
    )  # fmt: skip
    field = document.make_indirect(
        pikepdf.Dictionary(FT=pikepdf.Name.Sig, T=pikepdf.String("Ky1"), V=document.make_indirect(value))
    )
    document.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([field]), SigFlags=3)
    out = io.BytesIO()
    document.save(out, deterministic_id=True, compress_streams=False)
    data = out.getvalue()
    start = data.index(b"<" + b"ff" * room + b">")
    end = start + 2 * room + 2
    numbers = f"0 {start} {end} {len(data) - end}".ljust(len("0 1111111111 1111111111 1111111111")).encode()
    data = data.replace(b"0 1111111111 1111111111 1111111111", numbers)
    assert isinstance(who.key, rsa.RSAPrivateKey)
    signed = who.key.sign(data[:start] + data[end:], padding.PKCS1v15(), hashes.SHA1())
    octets = b"\x04\x82" + len(signed).to_bytes(2, "big") + signed
    return data[:start] + b"<" + octets.ljust(room, b"\0").hex().encode() + b">" + data[end:]


# --- XML ----------------------------------------------------------------------------------------------------------

LETTER = (
    "<van-ban xmlns='urn:thu'><noi-dung Id='nd1'>Kính gửi Sở Nội vụ</noi-dung><ghi-chu>không ký</ghi-chu></van-ban>"
)


def xml(
    who: Holder, *, how: str = "enveloped", uri: str | None = None, text: str = LETTER, digest: str = "SHA256"
) -> bytes:
    """XML-DSig by signxml: enveloped, enveloping or detached."""
    method = SignatureConstructionMethod[how]
    signer = _Old(method=method, signature_algorithm=f"ecdsa-{digest.lower()}", digest_algorithm=digest.lower())
    root = etree.fromstring(text)
    signed = signer.sign(root, key=who.key, cert=[who.certificate, authority().issuing.certificate], reference_uri=uri)
    return etree.tostring(signed, encoding="utf-8")


def xades(who: Holder, when: datetime | None = None) -> bytes:
    """XAdES by signxml; `when` puts a time-stamp over the value of the signature among the unsigned properties."""
    signer = XAdESSigner(signature_algorithm="ecdsa-sha256", digest_algorithm="sha256", c14n_algorithm=C14N)
    root = etree.fromstring(LETTER)
    signed = signer.sign(
        root, key=who.key, cert=[who.certificate, authority().issuing.certificate], always_add_key_value=False
    )
    if when is not None:
        space = "http://uri.etsi.org/01903/v1.3.2#"
        (qualifying,) = signed.iter(f"{{{space}}}QualifyingProperties")
        (value,) = signed.iter(f"{{{DS}}}SignatureValue")
        below = qualifying
        for name in ("UnsignedProperties", "UnsignedSignatureProperties", "SignatureTimeStamp"):
            below = etree.SubElement(below, f"{{{space}}}{name}")
        etree.SubElement(below, f"{{{DS}}}CanonicalizationMethod", Algorithm=C14N)
        held = etree.SubElement(below, f"{{{space}}}EncapsulatedTimeStamp")
        held.text = base64.b64encode(token(etree.tostring(value, method="c14n"), when)).decode()
    return etree.tostring(signed, encoding="utf-8")


class _Old(XMLSigner):
    """Signs with SHA-1 too."""

    def check_deprecated_methods(self) -> None:
        """Old signatures exist."""


def by_hand(
    who: Holder, references: list[tuple[str, str, str]], objects: str = "", *, key_info: str | None = None,
    identifier: str = "KySo",
) -> str:  # fmt: skip
    """A ds:Signature over references (URI, transforms as XML, base64 of SHA-256), as other programs write them."""
    listed = "".join(
        f"<ds:Reference URI='{uri}'><ds:Transforms>{transforms}</ds:Transforms>"
        f"<ds:DigestMethod Algorithm='http://www.w3.org/2001/04/xmlenc#sha256'/>"
        f"<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>".replace("<ds:Transforms></ds:Transforms>", "")
        for uri, transforms, digest in references
    )
    information = (
        f"<ds:SignedInfo xmlns:ds='{DS}'><ds:CanonicalizationMethod Algorithm='{EXCLUSIVE}'/>"
        f"<ds:SignatureMethod Algorithm='http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256'/>{listed}</ds:SignedInfo>"
    )
    value = _signed(who, etree.tostring(etree.fromstring(information), method="c14n", exclusive=True))
    certificate = base64.b64encode(who.asn1.dump()).decode()
    known = f"<ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data>"
    issuing = base64.b64encode(authority().issuing.asn1.dump()).decode()
    known += f"<ds:X509Data><ds:X509Certificate>{issuing}</ds:X509Certificate></ds:X509Data>"
    inner = information.replace(f" xmlns:ds='{DS}'", "")
    return (
        f"<ds:Signature xmlns:ds='{DS}' Id='{identifier}'>{inner}<ds:SignatureValue>{value}</ds:SignatureValue>"
        f"<ds:KeyInfo>{known if key_info is None else key_info}</ds:KeyInfo>{objects}</ds:Signature>"
    )


def _signed(who: Holder, data: bytes) -> str:
    assert isinstance(who.key, ec.EllipticCurvePrivateKey)
    r, s = decode_dss_signature(who.key.sign(data, ec.ECDSA(hashes.SHA256())))
    return base64.b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).decode()


def digest(data: bytes) -> str:
    """Base64 of SHA-256."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def canonical(text: str | bytes) -> bytes:
    return etree.tostring(etree.fromstring(text), method="c14n")


# --- office packages ----------------------------------------------------------------------------------------------

TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/word/document.xml" ContentType="application/x-document"/></Types>'
)
RELS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId2" Type="urn:hai" Target="b.xml"/><Relationship Id="rId1" Type="urn:mot" Target="a.xml"/>'
    "</Relationships>"
)


def packed(members: dict[str, bytes]) -> bytes:
    """A zip with these members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in members.items():
            opened.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def ooxml(who: Holder, more: dict[str, bytes] | None = None) -> bytes:
    """A Word package signed as Office does it: a manifest in an object of the signature."""
    document = "<w xmlns='urn:w'>Quyết định</w>".encode()
    members = {
        "[Content_Types].xml": TYPES.encode(), "_rels/.rels": b"<Relationships/>", "word/document.xml": document,
        "word/_rels/document.xml.rels": RELS.encode(), "docProps/core.xml": b"<core/>",
    }  # fmt: skip
    kept = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Target="a.xml" TargetMode="Internal" Type="urn:mot"></Relationship></Relationships>'
    )
    rule = (
        "<ds:Transforms><ds:Transform Algorithm='http://schemas.openxmlformats.org/package/2006/RelationshipTransform'>"
        "<m:RelationshipReference xmlns:m='http://schemas.openxmlformats.org/package/2006/digital-signature'"
        f" SourceId='rId1'/></ds:Transform><ds:Transform Algorithm='{C14N}'/></ds:Transforms>"
    )
    method = "<ds:DigestMethod Algorithm='http://www.w3.org/2001/04/xmlenc#sha256'/>"
    manifest = (
        f"<ds:Object xmlns:ds='{DS}' Id='idPackageObject'><ds:Manifest>"
        f"<ds:Reference URI='/word/document.xml?ContentType=application/x-document'>{method}"
        f"<ds:DigestValue>{digest(document)}</ds:DigestValue></ds:Reference>"
        "<ds:Reference URI='/word/_rels/document.xml.rels?ContentType=application/vnd.openxmlformats-package."
        f"relationships+xml'>{rule}{method}<ds:DigestValue>{digest(kept.encode())}</ds:DigestValue></ds:Reference>"
        "</ds:Manifest></ds:Object>"
    )
    inside = manifest.replace(f" xmlns:ds='{DS}'", "")
    signature = by_hand(who, [("#idPackageObject", "", digest(canonical(manifest)))], inside)
    return packed({**members, "_xmlsignatures/sig1.xml": signature.encode(), **(more or {})})


def odf(who: Holder, more: dict[str, bytes] | None = None, leave: tuple[str, ...] = ()) -> bytes:
    """An OpenDocument text signed as LibreOffice does it."""
    members = {
        "mimetype": b"application/vnd.oasis.opendocument.text",
        "content.xml": "<o xmlns='urn:o'>Báo cáo</o>".encode(),
        "META-INF/manifest.xml": b"<manifest:manifest"
        b" xmlns:manifest='urn:oasis:names:tc:opendocument:xmlns:manifest:1.0'>"
        b"<manifest:file-entry manifest:full-path='content.xml'/></manifest:manifest>",
    }
    references = []
    for name, data in members.items():
        if name in leave:
            continue
        transform = f"<ds:Transform Algorithm='{C14N}'/>" if name.endswith(".xml") else ""
        references.append((name, transform, digest(canonical(data) if transform else data)))
    inner = by_hand(who, references)
    signatures = (
        "<document-signatures xmlns='urn:oasis:names:tc:opendocument:xmlns:digitalsignature:1.0' version='1.2'>"
        f"{inner}</document-signatures>"
    )
    return packed({**members, "META-INF/documentsignatures.xml": signatures.encode(), **(more or {})})


# --- CMS ----------------------------------------------------------------------------------------------------------


def cms(who: Holder, data: bytes, *, inside: bool = False, when: datetime | None = None) -> bytes:
    """A CMS signature over bytes, detached or with the content inside."""
    of: Authority = authority()
    signer = of.signer(who)
    made: Any = asyncio.run(
        signer.async_sign_general_data(
            data, "sha256", detached=not inside, timestamper=of.stamper(when) if when is not None else None
        )
    )
    return bytes(made.dump())


def token(data: bytes, when: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> bytes:
    """A time-stamp token over bytes."""
    made: Any = asyncio.run(authority().stamper(when).async_timestamp(hashlib.sha256(data).digest(), "sha256"))
    return bytes(made.dump())
