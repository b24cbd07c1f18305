"""Signatures in XML: XML-DSig 1.1 and XAdES (ETSI EN 319 132-1), with what exactly they cover.

Runs inside workers of the pool. No DTD, no entities, no network, no transform that runs a program; a reference leads
into the document or to a file that the caller hands over, never elsewhere.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote

import cryptography.exceptions
import cryptography.x509
from asn1crypto import x509
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidDigest, InvalidInput, InvalidSignature, SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from pipeline.content.signatures import certificates, cms
from pipeline.content.signatures.certificates import Material, Roots, iso, line, words
from pipeline.content.signatures.cms import Stamp, Unjudged
from pipeline.signatures import Coverage, Integrity, Signature, Trust

Resolver = Callable[[str], bytes | None]
"""Bytes of a file beside the signature by the URI of a reference; None when there is none."""

LONGEST: Final = 32 << 20
MOST_SIGNATURES: Final = 100
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
SIGNATURE: Final = f"{{{DS}}}Signature"
RELATIONSHIPS: Final = "http://schemas.openxmlformats.org/package/2006/RelationshipTransform"
_D: Final = f"{{{DS}}}"
_MOST_REFERENCES: Final = 5_000
_MOST_CERTIFICATES: Final = 20
_ENVELOPED: Final = f"{DS}enveloped-signature"
_BASE64: Final = f"{DS}base64"
C14N: Final = frozenset(one.value for one in CanonicalizationMethod)
_PROPERTIES: Final = re.compile(r"http://uri\.etsi\.org/01903(/v[\d.]+)?#SignedProperties")
_DIGEST: Final = re.compile(
    r"(sha3[-_])?(sha1|sha224|sha256|sha384|sha512|md5|ripemd160|224|256|384|512)(?:-rsa-mgf1|-mgf1)?$"
)
_WHOLE: Final = ("", "#xpointer(/)")
_POINTER: Final = re.compile(r"#xpointer\(id\(['\"]([^'\"()]+)['\"]\)\)")


@dataclass(frozen=True, slots=True)
class Reference:
    """One ds:Reference. `target` is the element that a reference into the document names."""

    uri: str
    kind: str
    transforms: tuple[str, ...]
    digest: str
    target: etree._Element | None


@dataclass(slots=True)
class Told:
    """A signature that was judged, and what an office package asks further: its references and its manifests."""

    signature: Signature
    references: list[Reference] = field(default_factory=list)
    element: etree._Element | None = None


class _Deaf:
    """Parsers that hear nothing from outside."""

    @staticmethod
    def parser() -> Any:
        return etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_blank_text=False
        )


class _Verifier(XMLVerifier):
    """signxml's verifier for the signature with this number in document order."""

    def __init__(self, number: int, resolver: Resolver) -> None:
        super().__init__()
        self._number = number
        self._beside = resolver

    def _get_signature(self, root: Any) -> Any:
        return list(root.iter(SIGNATURE))[self._number]

    def _tostring(self, xml_node: Any, **kwargs: Any) -> Any:
        return etree.tostring(xml_node, with_tail=False, **kwargs)

    def _resolve_reference(self, doc_root: Any, reference: Any, uri_resolver: Any = None) -> Any:
        uri = reference.get("URI")
        if uri in _WHOLE:
            return doc_root
        if uri is not None and uri.startswith("#"):
            found = _named(doc_root, uri)
            if len(found) != 1:
                raise InvalidInput(f"{uri} names {len(found)} elements")
            return found[0]
        data = self._beside(uri or "")
        if data is None:
            raise InvalidInput(f"{uri} is not beside the signature")
        kinds = {one.get("Algorithm") for one in reference.iter(f"{_D}Transform")}
        return document(data) if kinds & C14N else data


def document(data: bytes) -> etree._Element:
    """The root of a document without DTD; raises Unjudged."""
    if len(data) > LONGEST:
        raise Unjudged(f"more than {LONGEST} bytes of XML")
    try:
        root: etree._Element = etree.fromstring(data, _Deaf.parser())
    except (etree.XMLSyntaxError, ValueError) as problem:
        raise Unjudged(f"not well-formed XML: {words(problem)}") from None
    information = root.getroottree().docinfo
    if information.internalDTD is not None or information.doctype:
        raise Unjudged("a document with a DTD is not judged: entities could change what is signed")
    return root


def outside(root: etree._Element) -> list[str]:
    """URIs of references that lead out of the document, each once."""
    found: dict[str, None] = {}
    for one in root.iter(f"{_D}Reference"):
        uri = one.get("URI")
        if uri and not uri.startswith("#"):
            found[uri] = None
    return list(found)[:_MOST_REFERENCES]


def verify(data: bytes, root: etree._Element, resolver: Resolver, roots: Roots, beat: Callable[[], None]) -> list[Told]:
    """Every signature of a document, in document order. Never raises on content but MemoryError."""
    found: list[Told] = []
    for number, element in enumerate(list(root.iter(SIGNATURE))[:MOST_SIGNATURES]):
        beat()
        form = "XAdES" if _first(element, "QualifyingProperties") is not None else "XML-DSig"
        try:
            found.append(_one(data, root, element, number, form, resolver, roots))
        except Unjudged as problem:
            found.append(Told(Signature(form=form, why=str(problem))))
        except MemoryError:
            raise
        except Exception as problem:
            found.append(Told(Signature(form=form, why=f"the signature cannot be read: {words(problem)}")))
    return found


def _one(
    data: bytes, root: etree._Element, element: etree._Element, number: int, form: str, resolver: Resolver, roots: Roots
) -> Told:
    information = element.find(f"{_D}SignedInfo")
    if information is None:
        raise Unjudged("no SignedInfo")
    method = _algorithm(information.find(f"{_D}SignatureMethod"))
    value = decoded(element.findtext(f"{_D}SignatureValue"))
    material, own = _material(element)
    base = Signature(
        form=form, method=_method(method), claimed=_claimed(element),
        value=base64.b64encode(value).decode() if len(value) < 1 << 12 else "",
    )  # fmt: skip
    try:
        references = [_reference(root, one) for one in information.findall(f"{_D}Reference")]
        _safe(references)
    except Unjudged as problem:
        return Told(replace(base, why=str(problem), **certificates.told(own[0] if own else None)), [], element)
    coverage, covered = _coverage(root, element, references)
    integrity, signer, why = _integrity(data, number, own, resolver, element)
    if integrity is Integrity.WHOLE and form == "XAdES":
        integrity, why = _properties(element, references, signer)
    signer = signer or (own[0] if own else None)
    digests = dict.fromkeys([digest_name(method), *(digest_name(one.digest) for one in references)])
    weak = [
        text for name in digests for text in certificates.weaknesses(name, signer, material.certificates)
    ]  # fmt: skip
    stamp = next(iter(sorted(_stamps(element, material, roots), key=lambda one: not one.counts)), None)
    at = stamp.time if stamp is not None and stamp.counts and stamp.time is not None else roots.moment
    told = replace(
        base, integrity=integrity, coverage=coverage, covered=covered, weak="; ".join(dict.fromkeys(weak)),
        stamped=iso(stamp.time) if stamp is not None else "", stamp=stamp.told if stamp is not None else "",
        **certificates.told(signer),
    )  # fmt: skip
    if signer is None:
        told = replace(told, why=line("; ".join(part for part in (why, "no certificate of the signer") if part)))
    else:
        chain = certificates.path(signer, material, roots, at)
        why = line("; ".join(part for part in (why, chain.why) if part))
        told = replace(told, trust=chain.trust, revocation=chain.revocation, why=why)
    return Told(told, references, element)


def _reference(root: etree._Element, one: etree._Element) -> Reference:
    uri = one.get("URI")
    if uri is None:
        raise Unjudged("a reference without URI")
    transforms = tuple(str(part.get("Algorithm") or "") for part in one.findall(f"{_D}Transforms/{_D}Transform"))
    digest = str(_algorithm(one.find(f"{_D}DigestMethod")))
    target = None
    if uri in _WHOLE:
        target = root
    elif uri.startswith("#"):
        found = _named(root, uri)
        if len(found) != 1:
            raise Unjudged(f"reference {line(uri)} names {len(found)} elements")
        target = found[0]
    return Reference(uri, str(one.get("Type") or ""), transforms, digest, target)


def _safe(references: list[Reference]) -> None:
    """Refuses what is not followed: too much, transforms that filter or run programs, places outside."""
    if not references:
        raise Unjudged("the signature refers to nothing")
    if len(references) > _MOST_REFERENCES:
        raise Unjudged(f"more than {_MOST_REFERENCES} references")
    for one in references:
        for transform in one.transforms:
            if transform not in C14N and transform not in (_ENVELOPED, _BASE64):
                raise Unjudged(f"transform {line(transform)} is not followed")
        if len(one.transforms) > 5:
            raise Unjudged("a reference with more than five transforms")


def _named(root: etree._Element, uri: str) -> list[etree._Element]:
    """Every element that the fragment could mean: attributes Id, ID, id of any namespace."""
    pointer = _POINTER.fullmatch(uri)
    wanted = pointer[1] if pointer else uri[1:]
    expression = "//*[@*[translate(local-name(), 'ID', 'id')='id'] = $wanted]"
    found = root.xpath(expression, wanted=wanted)
    if not found and "%" in wanted:
        found = root.xpath(expression, wanted=unquote(wanted))
    return [one for one in found if isinstance(one, etree._Element)] if isinstance(found, list) else []


def _integrity(
    data: bytes, number: int, own: list[x509.Certificate], resolver: Resolver, element: etree._Element
) -> tuple[Integrity, x509.Certificate | None, str]:
    """Signature value and every digest; the certificate whose key made the value."""
    keys: list[x509.Certificate | None] = [*own[:_MOST_CERTIFICATES]] or [None]
    if keys == [None] and element.find(f"{_D}KeyInfo/{_D}KeyValue") is None:
        return Integrity.UNVERIFIABLE, None, "the key of the signer is not in the signature"
    for key in keys:
        try:
            _verified(data, number, key, resolver)
            return Integrity.WHOLE, key, ""
        except InvalidDigest as problem:
            return Integrity.CHANGED, key, _said(problem)
        except InvalidSignature:
            continue  # another certificate of the chain may be the signer's
        except (InvalidInput, SignXMLException, cryptography.exceptions.UnsupportedAlgorithm) as problem:
            if len(keys) > 1 and "match" in str(problem):
                continue
            return Integrity.UNVERIFIABLE, key, words(problem)
        except cryptography.exceptions.InvalidSignature:
            continue
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as problem:
            return Integrity.UNVERIFIABLE, key, words(problem)
    return Integrity.CHANGED, keys[0], "the signature value does not hold"


def _verified(data: bytes, number: int, key: x509.Certificate | None, resolver: Resolver) -> None:
    certificate = cryptography.x509.load_der_x509_certificate(key.dump()) if key is not None else None
    configuration = SignatureConfiguration(
        require_x509=certificate is not None,
        expect_references=True,
        signature_methods=frozenset(SignatureMethod),
        digest_algorithms=frozenset(DigestAlgorithm),
        verification_time=certificate.not_valid_before_utc if certificate is not None else None,
        default_reference_c14n_method=CanonicalizationMethod.CANONICAL_XML_1_0,
    )
    _Verifier(number, resolver).verify(
        data, x509_cert=certificate, expect_config=configuration, validate_schema=False, parser=_Deaf.parser()
    )


def _said(problem: InvalidDigest) -> str:
    found = re.search(r"reference \d+ \((.*)\)", str(problem))
    return line(f"the digest of {found[1] or 'the document'} differs" if found else str(problem))


def _properties(
    element: etree._Element, references: list[Reference], signer: x509.Certificate | None
) -> tuple[Integrity, str]:
    """XAdES: the signed properties are this signature's own, signed, and name the certificate of the signer."""
    signed = [one for one in references if _PROPERTIES.fullmatch(one.kind)]
    own = [one for one in signed if one.target is not None and element in list(one.target.iterancestors())]
    if not own:
        return Integrity.UNVERIFIABLE, "the signed properties of XAdES are not signed"
    if signer is None:
        return Integrity.WHOLE, ""
    for one in own:
        assert one.target is not None
        first = _first(one.target, "CertDigest")
        if first is None:
            continue
        name = digest_name(_algorithm(first.find(f"{_D}DigestMethod")))
        if cms.hashed(name, signer.dump()) != decoded(first.findtext(f"{_D}DigestValue")):
            return Integrity.UNVERIFIABLE, "the certificate is not the one that the signer named"
    return Integrity.WHOLE, ""


def _coverage(root: etree._Element, element: etree._Element, references: list[Reference]) -> tuple[Coverage, str]:
    """Whole file when the root is covered, or all objects of a signature that is the root; else what is, by place."""
    about = [one for one in references if not _PROPERTIES.fullmatch(one.kind)]
    inside = [one.target for one in about if one.target is not None]
    files = [line(one.uri) for one in about if one.target is None]
    if any(one is root for one in inside):
        return Coverage.FILE, ""
    if element is root:
        objects = [one for one in root.findall(f"{_D}Object") if _first(one, "QualifyingProperties") is None]
        left = [one for one in objects if not any(one is each or one in each.iterancestors() for each in inside)]
        if not left and (objects or files):
            return Coverage.FILE, line(f"files beside it: {', '.join(files)}") if files else ""
    places = [_place(one) for one in inside if element not in list(one.iterancestors())]
    told = [*places, *(f"file {name}" for name in files)]
    return Coverage.PART, line("; ".join(told[:20]) or "nothing of the document")


def _place(element: etree._Element) -> str:
    names = [etree.QName(one).localname for one in (*reversed(list(element.iterancestors())), element)]
    return "/" + "/".join(names)


def _stamps(element: etree._Element, material: Material, roots: Roots) -> Iterator[Stamp]:
    """Time-stamps over the value of the signature."""
    value = element.find(f"{_D}SignatureValue")
    for box in [one for one in element.iter() if _local(one) == "SignatureTimeStamp"][: cms.MOST_SIGNERS]:
        kind = _algorithm(box.find(f"{_D}CanonicalizationMethod"))
        exclusive = kind.startswith("http://www.w3.org/2001/10/xml-exc-c14n#")
        stamped = b"" if value is None else etree.tostring(value, method="c14n", exclusive=exclusive)
        for held in [one for one in box.iter() if _local(one) == "EncapsulatedTimeStamp"][: cms.MOST_SIGNERS]:
            try:
                yield cms.token(decoded(held.text), cms.digester(stamped), roots, roots.moment, material)[0]
            except Unjudged as problem:
                yield Stamp(Integrity.UNVERIFIABLE, None, Trust.UNKNOWN, "", str(problem))
            except MemoryError:
                raise
            except Exception as problem:
                yield Stamp(Integrity.UNVERIFIABLE, None, Trust.UNKNOWN, "", words(problem))


def _material(element: etree._Element) -> tuple[Material, list[x509.Certificate]]:
    """Everything that may help to judge, and the certificates of KeyInfo in their order."""
    found = Material()
    for one in element.findall(f"{_D}KeyInfo/{_D}X509Data/{_D}X509Certificate"):
        found.certificate(decoded(one.text))
    own = list(found.certificates)
    for one in element.findall(f"{_D}KeyInfo/{_D}X509Data/{_D}X509CRL"):
        found.crl(decoded(one.text))
    for one in element.iter():
        name = _local(one)
        if name == "EncapsulatedX509Certificate":
            found.certificate(decoded(one.text))
        elif name == "EncapsulatedCRLValue":
            found.crl(decoded(one.text))
        elif name == "EncapsulatedOCSPValue":
            found.ocsp(decoded(one.text))
    return found, own


def _claimed(element: etree._Element) -> str:
    """The time that the signer tells, in XAdES or as Office does it."""
    for name in ("SigningTime", "date", "Value"):
        found = _first(element, name)
        if found is not None and found.text:
            text = found.text.strip()
            try:
                return iso(datetime.fromisoformat(text.replace("Z", "+00:00")))
            except ValueError:
                continue
    return ""


def _first(element: etree._Element, name: str) -> etree._Element | None:
    return next((one for one in element.iter() if _local(one) == name), None)


def _local(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2] if isinstance(element.tag, str) else ""


def _algorithm(element: etree._Element | None) -> str:
    return "" if element is None else str(element.get("Algorithm") or "")


def digest_name(uri: str) -> str:
    """`sha256` of any URI of a digest or signature algorithm."""
    found = _DIGEST.search(uri.lower())
    if found is None:
        return ""
    return f"sha3_{found[2]}" if found[1] or found[2].isdigit() else found[2]


def _method(uri: str) -> str:
    lower = uri.lower()
    scheme = (
        "RSASSA-PSS" if "mgf1" in lower
        else "RSASSA-PKCS1-v1_5" if "rsa-" in lower
        else "ECDSA" if "ecdsa" in lower
        else "DSA" if "dsa" in lower
        else "HMAC" if "hmac" in lower else ""
    )  # fmt: skip
    return f"{scheme} with {digest_name(uri).upper()}" if scheme else line(uri)


def decoded(text: str | None) -> bytes:
    try:
        return base64.b64decode("".join((text or "").split()))
    except (binascii.Error, ValueError):
        return b""
