"""signatureInformation of a PREMIS file: what is known of one digital signature, to bytes and back."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from pipeline.standards import xml
from pipeline.standards.xml import PREMIS, Writer

DS = "http://www.w3.org/2000/09/xmldsig#"
_P = f"{{{PREMIS}}}"
_D = f"{{{DS}}}"
NONE = "not known"
"""Stands where PREMIS asks for a word and nothing is known."""


@dataclass(frozen=True, slots=True)
class SignaturePart:
    """One signature; `value` and `certificate` (X.509, DER) are base64, `properties` one string a signatureProperties.

    An element that PREMIS asks for is written as `not known` where the field is empty, and read back as empty.
    """

    signer: str = ""
    method: str = ""
    value: str = ""
    rules: str = ""
    properties: tuple[str, ...] = ()
    certificate: str = ""


def write(document: Writer, part: SignaturePart) -> None:
    """signatureInformation with one signature, in the order of the schema."""
    with document.box(f"{_P}signatureInformation"), document.box(f"{_P}signature"):
        document.leaf(f"{_P}signatureEncoding", "base64")
        if part.signer:
            document.leaf(f"{_P}signer", part.signer)
        document.leaf(f"{_P}signatureMethod", part.method or NONE)
        document.leaf(f"{_P}signatureValue", part.value or NONE)
        document.leaf(f"{_P}signatureValidationRules", part.rules or NONE)
        for text in part.properties:
            document.leaf(f"{_P}signatureProperties", text)
        if part.certificate:
            with document.box(f"{_P}keyInformation"), document.box(f"{_D}X509Data"):
                document.leaf(f"{_D}X509Certificate", part.certificate)


def read(element: etree._Element) -> tuple[SignaturePart, ...]:
    """The signatures of an object, in its order; extensions of others are passed over."""
    return tuple(_part(one) for one in element.iterfind(f"{_P}signatureInformation/{_P}signature"))


def _part(element: etree._Element) -> SignaturePart:
    told = {"signer": "", "signatureMethod": "", "signatureValue": "", "signatureValidationRules": ""}
    properties: list[str] = []
    certificate = ""
    for child in element:
        name = str(child.tag).removeprefix(_P)
        if name in told:
            text = xml.text_of(child)
            told[name] = "" if text == NONE else text
        elif name == "signatureProperties":
            properties.append(xml.text_of(child))
        elif name == "keyInformation" and not certificate:
            found = child.find(f"{_D}X509Data/{_D}X509Certificate")
            certificate = "" if found is None else xml.text_of(found)
    signer, method, value, rules = told.values()
    return SignaturePart(signer, method, value, rules, tuple(properties), certificate)
