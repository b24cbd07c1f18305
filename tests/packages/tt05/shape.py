"""What a package to be built is made of: the records that a generator reads and a fault changes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.packages.tt05 import contents
from tests.packages.tt05.fields import CERTIFICATE
from tests.packages.tt05.pdfs import born, scan

SCHEMAS = Path(__file__).resolve().parents[3] / "schemas" / "xsd"
MOMENT = "2026-01-02T03:04:05.000+07:00"
ROOT, REP = "METS.xml", "representations/rep1/METS.xml"
EAD = "metadata/descriptive/EAD.xml"
REP_FOLDER = "representations/rep1/"
DESCRIPTIONS = REP_FOLDER + "metadata/descriptive/"
DATA = REP_FOLDER + "data/"
PREMIS = "metadata/preservation/PREMIS.xml"
REP_PREMIS = REP_FOLDER + "metadata/preservation/PREMIS_rep1.xml"
CERTIFICATE_FILE = "documentation/van_ban_xac_thuc.pdf"
UUID = "11111111-2222-4333-8444-5555555555FF"
FONDS = "P001"
FILE_CODE, BATCH_CODE = "H99.01.2020.7", "H99.01.2020.01.0000001"
ARC_FILE_CODE, ARC_BATCH_CODE = "H99.05.H99.01.2020.7.02", "H99.05.H99.01.2020.01.0000001"

Files = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Doc:
    """One document: `kind` doc, pic or media. `fields` replace values, `drop` takes elements away, `extra` adds some.

    `linked` makes a `.fetch.txt` with this content. `stem` is the name of the data file without its extension,
    `described` what stands between `EAD_` and `.xml`; empty = by the rule.
    """

    kind: str
    extension: str
    data: bytes
    fields: dict[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    extra: tuple[tuple[str, str], ...] = ()
    order: tuple[str, ...] = ()
    pages: int = 1
    linked: str | None = None
    stem: str = ""
    described: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """A document with its paths in the package."""

    doc: Doc
    number: int
    description: str
    data: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A package. `writes` is the profile whose form METS takes; `xsd` all or sequence.

    `edits` are (file, old, new), see `changed`, made when a generated file is written, so that digests stay right;
    so is `rewrite`, which gets the path and the bytes of every METS, PREMIS and description;
    `before` change the files before any METS is written, `after` when all is done.
    """

    type: str = "SIP_hoso"
    writes: str = "tt05-strict"
    xsd: str = "all"
    documents: tuple[Doc, ...] = ()
    ead: dict[str, str] = field(default_factory=dict)
    ead_drop: tuple[str, ...] = ()
    ead_extra: tuple[tuple[str, str], ...] = ()
    ead_order: tuple[str, ...] = ()
    code: str = ""
    origin: str = "01"
    premis: bool = False
    certificate: dict[str, tuple[str, str]] = field(default_factory=lambda: dict(CERTIFICATE))
    edits: tuple[tuple[str, str, str], ...] = ()
    rewrite: Callable[[str, bytes], bytes] | None = None
    before: tuple[Callable[[Files], None], ...] = ()
    after: tuple[Callable[[Files], None], ...] = ()
    folder: str = ""
    archive: Callable[[Built], bytes] | None = None
    archive_name: str = ""
    settings: tuple[str, ...] = ()

    @property
    def of(self) -> str:
        return self.type[:3]

    @property
    def is_file(self) -> bool:
        return self.type.endswith("_hoso")

    @property
    def file_code(self) -> str:
        return self.code or (FILE_CODE if self.is_file or self.of == "DIP" else BATCH_CODE)

    @property
    def arc_code(self) -> str:
        if self.of != "SIP" and self.code:
            return self.code
        return ARC_BATCH_CODE if self.type == "AIP_tailieu" else ARC_FILE_CODE

    @property
    def objid(self) -> str:
        return f"urn:uuid:{UUID}" if self.of == "AIP" else f"uuid-{UUID}"

    @property
    def has_premis(self) -> bool:
        return self.of == "AIP" or (self.premis and self.of == "DIP")


@dataclass(frozen=True, slots=True)
class Built:
    """Files by path below the package folder; a name that ends with `/` is an empty folder."""

    folder: str
    files: Files
    shape: Shape


def changed(text: str, old: str, new: str) -> str:
    """`old` gives way to `new`: after the part before NUL, `*` stands for anything up to what follows it.

    An `old` that begins with `re:` is a regular expression, all of whose matches give way.
    """
    if old.startswith("re:"):
        found, count = re.subn(old[3:], new, text)
        assert count, old
        return found
    lead, _, rest = old.rpartition("\0")
    begin = text.index(lead) + len(lead) if lead else 0
    head, star, tail = rest.partition("*")
    at = text.index(head, begin)
    end = text.index(tail, at + len(head)) + len(tail) if star else at + len(head)
    return text[:at] + new + text[end:]


# --- the documents that packages are filled with ---


def born_pdf(number: int = 1, pages: int = 1, **fields: str) -> Doc:
    return Doc("doc", "pdf", born(f"Quyết định số {number}", pages=pages), fields, pages=pages)


def scanned(number: int = 1, pages: int = 1, more: dict[str, Any] | None = None, **fields: str) -> Doc:
    return Doc("doc", "pdf", scan(f"Quyết định số {number}", pages=pages, **(more or {})), fields, pages=pages)


def plain_text(number: int = 1, **fields: str) -> Doc:
    return Doc("doc", "txt", contents.text(number), fields)


def word_text(number: int = 1, **fields: str) -> Doc:
    return Doc("doc", "docx", contents.docx(number), fields)


def photo(number: int = 1, kind: str = "jpeg", **fields: str) -> Doc:
    return Doc("pic", {"jpeg": "jpg", "tiff": "tif"}.get(kind, kind), contents.picture(number, kind), fields, pages=0)


def record(number: int = 1, **fields: str) -> Doc:
    return Doc("media", "mp3", contents.sound(number), fields, pages=0)


def link(number: int = 1, of: str = "SIP", **fields: str) -> Doc:
    """A document that was handed in with another file, in 2019."""
    return Doc("doc", "pdf", b"", fields, linked=f"H99.01.2019.3.{number}" if of == "SIP" else AIP_LINK)


AIP_LINK = (
    "urn_{fonds}_99999999-2222-4333-8444-5555555555FF_representations/rep1/data/H99.01.2019.3.4.pdf 20480"
    " data/{stem}.pdf {docCode}"
)


def plain(type: str = "SIP_hoso", **more: Any) -> Shape:
    """The plainest package of a type: two born-digital texts, in the letter's form: nothing is said of it."""
    documents = (born_pdf(1), born_pdf(2))
    return replace(Shape(type, documents=documents), **more)


def digitised(type: str = "SIP_hoso", **more: Any) -> Shape:
    """Two signed scans; only the chain of their certificates cannot be checked."""
    return replace(Shape(type, documents=(scanned(1), scanned(2)), origin="02"), **more)


def full(type: str = "SIP_hoso", **more: Any) -> Shape:
    """Every kind of document, documentation, linked documents where the type has them."""
    documents = [born_pdf(1, 3), plain_text(2), word_text(3), photo(4), photo(5, "png"), photo(6, "tiff"), record(7)]
    if type.endswith("_hoso"):
        documents.append(link(8, type[:3]))
    wordy = {"keyword": "thử nghiệm", "description": "Gói thử nghiệm", "inforSign": "KH-01", "format": "01"}
    return replace(Shape(type, documents=tuple(documents), ead=wordy, premis=True, before=(_documentation,)), **more)


def _documentation(files: Files) -> None:
    files["documentation/UserManual.pdf"] = born("Hướng dẫn sử dụng")
