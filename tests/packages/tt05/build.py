"""A generator of packages of Circular 05/2025, written from the specification alone; it uses nothing of `pipeline`.

In tests:    `build(plain("AIP_hoso"))` gives the files by path, `folder(built, parent)` writes them below
             `parent/<package folder>`, `archive(built, parent)` as a ZIP; `tests.packages.tt05.faults.FAULTS` holds
             one or more broken packages per code (name = code, a suffix tells variants), `CLEAN` the clean ones.
By hand:     python -m tests.packages.tt05.build FOLDER [NAME…]
             writes FOLDER/clean/<name>/<package> and FOLDER/<code>[ suffix]/<package>, all or those whose names begin
             so; a package that is about its archive is written as a ZIP.
"""

from __future__ import annotations

import io
import shutil
import sys
import zipfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

from tests.packages.tt05.fields import DOCUMENT
from tests.packages.tt05.fields import EAD as EAD_SETS
from tests.packages.tt05.mets import premis, rep_mets, rep_premis, root_mets
from tests.packages.tt05.pdfs import scan
from tests.packages.tt05.shape import (
    CERTIFICATE_FILE,
    DATA,
    DESCRIPTIONS,
    EAD,
    FONDS,
    PREMIS,
    REP,
    REP_PREMIS,
    ROOT,
    SCHEMAS,
    Built,
    Doc,
    Files,
    Placed,
    Shape,
    changed,
)

_SAME = {
    "title": "Hồ sơ thử nghiệm về công tác văn thư xã A", "maintenance": "01", "mode": "01", "language": "01",
    "startDate": "02/01/2020", "endDate": "31/12/2020", "source": "0", "riskRecovery": "0",
    "requestID": "YC-2026-0001", "requestDate": "04/01/2026", "purpose": "01",
    "purposeContent": "Nghiên cứu lịch sử xã A",
    "feeObjectType": "10", "researchTopic": "Lịch sử địa phương",
    "typeName": "02", "codeNumber": "12", "codeNotation": "QĐ-UBND", "issuedDate": "15/03/2020",
    "organName": "Ủy ban nhân dân xã A",
    "typePic": "02", "archivesNumber": "A-01", "eventName": "Lễ kỷ niệm của xã A", "photographer": "Nguyễn Văn Mẫu",
    "photoPlace": "Xã A", "photoTime": "02/09/2020", "colour": "01", "filmSize": "9x12", "docAttached": "0",
    "typeMedia": "01", "recorder": "Nguyễn Văn Mẫu", "recordPlace": "Xã A", "recordDate": "02/09/2020",
    "playTime": "00:00:02", "quality": "bình thường",
}  # fmt: skip
"""Values that every package of ours has, invented."""


def _ordered(names: Sequence[str], order: Sequence[str], drop: Sequence[str]) -> list[str]:
    return [name for name in (order or names) if name not in drop]


def _xml(pairs: Sequence[tuple[str, str]]) -> str:
    rows = (f"  <{name}>{escape(value)}</{name}>\n" if value else f"  <{name}/>\n" for name, value in pairs)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<simpledc>\n{"".join(rows)}</simpledc>\n'


def _ead(shape: Shape) -> str:
    pages = sum(
        int(value) for doc in shape.documents if (value := doc.fields.get("numberOfPage", str(doc.pages))).isdecimal()
    )
    paper = shape.origin != "01"
    values = _SAME | {
        "fileCode": shape.file_code,
        "arcFileCode": shape.arc_code,
        "totalDoc": str(len(shape.documents)),
        "numberOfPage": str(pages),
        "numberOfPaper": str(pages if paper else 0),
        "confidenceLevel": shape.origin,
        "paperFileCode": "H99.05.K1-G2-H3.15" if paper else "",
        **shape.ead,
    }
    names = _ordered(EAD_SETS[shape.type], shape.ead_order, shape.ead_drop)
    return _xml([*((name, values.get(name, "")) for name in names), *shape.ead_extra])


def document_values(shape: Shape, doc: Doc, number: int) -> Mapping[str, str]:
    """What its description says, before anything is dropped or added."""
    titles = {"doc": "subject", "pic": "imageTitle", "media": "movieTitle"}
    paper = shape.origin == "02"
    return _SAME | {
        titles[doc.kind]: f"Về việc thử nghiệm số {number}",
        "docId": f"{shape.file_code if shape.of == 'SIP' else Shape(shape.type).file_code}.{number}",
        "docCode": f"{shape.file_code if shape.of == 'SIP' else Shape(shape.type).file_code}.{number:07}",
        "arcFileCode": shape.arc_code,
        "arcDocCode": f"{shape.arc_code}.{number:07}",
        "docOrdinal": str(number),
        "numberOfPage": str(doc.pages),
        "confidenceLevel": "02" if paper else "01",
        "process": "" if paper else "0",
        **doc.fields,
    }


def _described(shape: Shape, doc: Doc, values: Mapping[str, str]) -> str:
    names = _ordered(DOCUMENT[shape.type][doc.kind], doc.order, doc.drop)
    return _xml([*((name, values.get(name, "")) for name in names), *doc.extra])


def schema(names: Sequence[str], form: str) -> bytes:
    """One of the four schemas of descriptions; `form` is all or sequence."""
    inner = "".join(f'      <xs:element name="{name}" type="xs:string"/>\n' for name in names)
    group = '<xs:group ref="elementsGroup"/>'
    held = group if form == "all" else f"<xs:choice>{group}</xs:choice>"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" '
        'elementFormDefault="qualified">\n  <xs:element name="simpledc" type="elementContainer"/>\n'
        f'  <xs:complexType name="elementContainer">{held}</xs:complexType>\n'
        f'  <xs:group name="elementsGroup">\n    <xs:{form}>\n{inner}    </xs:{form}>\n  </xs:group>\n</xs:schema>\n'
    ).encode()


@cache
def _shipped(type: str, form: str) -> tuple[tuple[str, bytes], ...]:
    mets = (SCHEMAS / "mets.xsd").read_bytes()
    found = {"METS.xsd": mets, "mets1_12.xsd": mets}
    others = ["xlink.xsd", "DILCISExtensionMETS.xsd"]
    if type.startswith("SIP"):
        others.append("DILCISExtensionSIPMETS.xsd")
    if type.startswith("AIP"):
        others.append("premis-v3-0.xsd")
    found |= {name: (SCHEMAS / name).read_bytes() for name in others}
    found["EAD.xsd"] = schema(EAD_SETS[type], form)
    found |= {f"EAD_{kind}.xsd": schema(names, form) for kind, names in DOCUMENT[type].items()}
    return tuple((f"schemas/{name}", data) for name, data in found.items())


def places(shape: Shape) -> list[Placed]:
    """Where each document and its description lie."""
    found = []
    for number, doc in enumerate(shape.documents, 1):
        values = document_values(shape, doc, number)
        own = f"{shape.file_code if shape.of == 'SIP' else Shape(shape.type).file_code}.{number}"
        stem = doc.stem or (values["docId"] if doc.kind == "doc" and "docId" in doc.fields else own)
        described = doc.described or f"{doc.kind}_{stem}"
        name = f"{stem}.{doc.extension}" + (".fetch.txt" if doc.linked is not None else "")
        found.append(Placed(doc, number, f"{DESCRIPTIONS}EAD_{described}.xml", DATA + name))
    return found


def certificate(items: Mapping[str, tuple[str, str]]) -> bytes:
    """The document of Art. 42(2): eleven items, a line each."""
    return scan(*(f"{key}) {label}: {value}" for key, (label, value) in items.items()))


def build(shape: Shape) -> Built:
    """All files of a package."""
    edits: dict[str, list[tuple[str, str]]] = {}
    for path, old, new in shape.edits:
        edits.setdefault(path, []).append((old, new))
    files: Files = {}

    def write(path: str, text: str) -> None:
        for old, new in edits.pop(path, ()):
            text = changed(text, old, new)
        data = text.encode()
        files[path] = shape.rewrite(path, data) if shape.rewrite and path.endswith(".xml") else data

    for path, data in _shipped(shape.type, shape.xsd):
        if path in edits:
            write(path, data.decode())
        else:
            files[path] = data
    write(EAD, _ead(shape))
    placed = places(shape)
    for one in placed:
        values = document_values(shape, one.doc, one.number)
        write(one.description, _described(shape, one.doc, values))
        data = one.doc.data
        if one.doc.linked is not None:
            stem = one.data[len(DATA) :].removesuffix(f".{one.doc.extension}.fetch.txt")
            data = one.doc.linked.format(fonds=FONDS, stem=stem, docCode=values["docCode"]).encode()
        files[one.data] = data
    if shape.of == "DIP" and shape.certificate:
        files[CERTIFICATE_FILE] = certificate(shape.certificate)
    for change in shape.before:
        change(files)
    if shape.has_premis:
        write(PREMIS, premis(shape))
        write(REP_PREMIS, rep_premis(files, placed))
    write(REP, rep_mets(shape, files, placed))
    write(ROOT, root_mets(shape, files))
    assert not edits, f"edits of files that are not there: {edits}"
    for change in shape.after:
        change(files)
    return Built(shape.folder or shape.objid.replace(":", "_"), files, shape)


def folder(built: Built, parent: Path) -> Path:
    """The package as a folder below `parent`."""
    root = parent / built.folder
    for name, data in built.files.items():
        target = root / name
        if name.endswith("/"):
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return root


def zipped(built: Built) -> bytes:
    """The package folder in a ZIP, deterministic."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, data in sorted(built.files.items()):
            info = zipfile.ZipInfo(f"{built.folder}/{name}", (2026, 1, 2, 3, 4, 4))
            made.writestr(info, data)
    return out.getvalue()


def archive(built: Built, parent: Path) -> Path:
    """The package as `[ordinal][OBJID].zip` (a SIP) or `[folder].zip` below `parent`."""
    shape = built.shape
    name = shape.archive_name or (f"1{built.folder}.zip" if shape.of == "SIP" else f"{built.folder}.zip")
    parent.mkdir(parents=True, exist_ok=True)
    target = parent / name
    target.write_bytes((shape.archive or zipped)(built))
    return target


def written(shape: Shape, parent: Path) -> Path:
    """The package below `parent`, as a ZIP when it is about its archive."""
    built = build(shape)
    return archive(built, parent) if shape.archive or shape.archive_name else folder(built, parent)


def main(arguments: Sequence[str]) -> None:
    from tests.packages.tt05.faults import CLEAN, FAULTS

    target, wanted = Path(arguments[0]), tuple(arguments[1:])
    everything = {f"clean/{name}": shape for name, shape in CLEAN.items()}
    everything |= {name: fault.shape for name, fault in FAULTS.items()}
    for name, shape in everything.items():
        if not wanted or name.startswith(wanted):
            shutil.rmtree(target / name, ignore_errors=True)
            print(written(shape, target / name))


if __name__ == "__main__":
    main(sys.argv[1:])
