"""A small real AIP to compose, break and read again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pipeline.packages import Generated
from pipeline.packages.eark import EarkAip
from pipeline.records import (
    Agent,
    AipIdentity,
    Description,
    Event,
    FileRow,
    Format,
    Link,
    MemoryRows,
    Outcome,
    PackagePath,
    Representation,
    Right,
    Use,
)
from pipeline.standards.xml import SCHEMAS

UUID = "3f1d2c5e-6a1b-5c0d-9e2f-0a1b2c3d4e5f"
WHEN = datetime(2026, 1, 31, 3, 0, 0, tzinfo=UTC)

IDENTITY = AipIdentity(UUID, 1, "Hồ sơ <số> 1 & 2", "Mixed", WHEN, WHEN)

TEXT = Format(
    "x-fmt/111", "Plain Text File", "", "text/plain", "text", "text match UTF-8 Unicode", "match on text only",
    "siegfried", "1.11.9", "V125",
)  # fmt: skip
BMP = Format(
    "fmt/119", "Windows Bitmap", "5.0", "image/bmp", "signature", "byte match at [[0 2] [14 4]]", "",
    "siegfried", "1.11.9", "V125", 8388608,
)  # fmt: skip
TIFF = replace(BMP, puid="fmt/353", name="Tagged Image File Format", version="", mime="image/tiff", clipped=None)
ODD = Format(None, "", "", "application/x-odd", "none", "", "no match", "libmagic", "5.44", "")

SHIPPED = ("mets.xsd", "xlink.xsd", "premis-v3-0.xsd", "DILCISExtensionMETS.xsd", "oai_dc.xsd", "dc.xsd", "xml.xsd")


def row(root: Path, path: str | bytes, content: bytes, use: Use, mime: str, **more: object) -> FileRow:
    """Writes a file below the AIP's root folder and returns its row."""
    raw = path.encode() if isinstance(path, str) else path
    target = root / raw.decode()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return FileRow(
        PackagePath(raw), len(content), hashlib.sha256(content).hexdigest(), use, mime, WHEN, **more  # type: ignore[arg-type]
    )


def sample_rows(root: Path) -> MemoryRows:
    """Two representations, odd names, derivation, submitted metadata, descriptions of all kinds."""
    data = "representations/rep1/data/"
    bmp = PackagePath(f"{data}Ảnh chụp.bmp".encode())
    tif = PackagePath("representations/rep2/data/Ảnh chụp.tif".encode())
    files = [
        row(root, "documentation/readme.txt", b"read me\n", Use.DOCUMENTATION, "text/plain", format=TEXT),
        row(root, "metadata/descriptive/metadata.csv", b"a,b\n", Use.DESCRIPTIVE, "text/csv",
            original_name=PackagePath(b"metadata/metadata.csv")),
        row(root, "metadata/preservation/submission/premis.xml", b"<x/>", Use.PRESERVATION, "text/xml"),
        row(root, f"{data}100%.txt", b"x", Use.DATA, "text/plain", representation="rep1",
            original_name=PackagePath(b"100%.txt"), format=TEXT, modified=WHEN),
        row(root, f"{data}a b/c&d<e>.txt", b"", Use.DATA, "text/plain", representation="rep1",
            original_name=PackagePath(b"a b/c&d<e>.txt")),
        row(root, f"{data}a b/x%FF.odd", b"odd", Use.DATA, "application/x-odd", representation="rep1",
            original_name=PackagePath(b"a b/x\xff.odd"), format=ODD),
        row(root, bmp, b"BM", Use.DATA, "image/bmp", representation="rep1",
            original_name=PackagePath("Ảnh chụp.bmp".encode()), format=BMP),
        row(root, tif, b"II*\0", Use.DATA, "image/tiff", representation="rep2",
            format=TIFF, derived_from=bmp, derived_by="normalization/x"),
        row(root, "representations/rep2/documentation/note.txt", b"n", Use.DOCUMENTATION, "text/plain",
            representation="rep2"),
    ]  # fmt: skip
    files += [
        row(root, f"schemas/{name}", (SCHEMAS / name).read_bytes(), Use.SCHEMA, "text/xml") for name in SHIPPED
    ]
    luutru, sf = ("luutru", "executing program"), ("siegfried", "executing program")
    (root / "representations/rep1/data/trống/rỗng").mkdir(parents=True)
    return MemoryRows(
        IDENTITY,
        (
            Representation("rep1", (PackagePath("trống/rỗng".encode()),)),
            Representation("rep2", (), "rep1"),
        ),
        tuple(sorted(files, key=lambda file: file.path)),
        (
            Description(None, (("title", "Hồ sơ <số> 1 & 2"), ("creator", "Sở Nội vụ"), ("creator", "A\r\nB\tC"))),
            Description(PackagePath(b"documentation/readme.txt"), (("title", "đọc"),)),
            Description(PackagePath(f"{data}100%.txt".encode()), (("title", "một"),)),
            Description(PackagePath(f"{data}a b".encode()), (("title", "thư mục"), ("relation", ""))),
        ),
        (
            Event("creation", "information package creation", WHEN, WHEN, "", Outcome.SUCCESS, "",
                  (luutru,), (Link("package", "", "outcome"), Link("representation", "rep1", "outcome"))),
            Event("formats/rep1", "format identification", WHEN, WHEN, "siegfried", Outcome.WARNING, "one\nunknown",
                  (sf, luutru), (Link("representation", "rep1"),)),
            Event("normalization/x", "normalization", WHEN, WHEN, "vips", Outcome.SUCCESS, "",
                  (luutru,), (Link("file", bmp), Link("file", tif, "outcome"))),
            Event("start", "ingestion start", WHEN, WHEN, "bắt đầu", Outcome.SUCCESS, "",
                  (luutru,), (Link("package", ""),)),
        ),
        (
            Agent("luutru", "luutru", "software", "0.1.0", ""),
            Agent("organization", "Trung tâm Lưu trữ", "organization"),
            Agent("siegfried", "siegfried", "software", "1.11.9", "V125"),
        ),
        (
            Right("policy", "institutional policy", "replication", "giữ", "mọi bản", "OPEN", ""),
            Right("statute", "statute", "dissemination", "Luật Lưu trữ", "", "2026-01-01", "2027-01-01"),
        ),
    )  # fmt: skip


def composed(parent: Path, change: Callable[[MemoryRows], MemoryRows] = lambda rows: rows) -> Path:
    """The sample as an AIP below `parent`; returns its root folder."""
    root = parent / IDENTITY.root
    rows = change(sample_rows(root))
    for _ in EarkAip().compose(rows, root):
        pass
    return root


def generated(rows: MemoryRows, root: Path) -> Iterator[Generated]:
    return EarkAip().compose(rows, root)
