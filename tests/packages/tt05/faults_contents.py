"""Faults of PREMIS, linked documents, formats, signatures, submission and certificate, by code."""

from __future__ import annotations

import io
from dataclasses import replace

import pikepdf

from tests.packages.tt05 import contents, pdfs
from tests.packages.tt05.fault import Fault, digitised, edited, plain
from tests.packages.tt05.fields import CERTIFICATE
from tests.packages.tt05.mets import REP_OBJID
from tests.packages.tt05.shape import (
    PREMIS,
    REP,
    REP_PREMIS,
    UUID,
    Doc,
    Shape,
    born_pdf,
    link,
    photo,
    plain_text,
    scanned,
)

_CHAIN = ("TT05-SIG-04",)
_AGENT = "<linkingAgentIdentifier>*</linkingAgentIdentifier>"

_NO_NAMESPACE = ' xmlns="http://www.loc.gov/premis/v3"', ' xmlns:premis="http://www.loc.gov/premis/v3"'
_CATEGORY = ' xsi:type="{}"(?s:(.*?))</objectIdentifier>', r"\{}</objectIdentifier><objectCategory>{}</objectCategory>"
_SAMPLE = (
    (PREMIS, *_NO_NAMESPACE),
    (PREMIS, "re:" + _CATEGORY[0].format("intellectualEntity"), _CATEGORY[1].format(1, "intellectual entity")),
    (REP_PREMIS, *_NO_NAMESPACE),
    (REP_PREMIS, "re:" + _CATEGORY[0].format("(file|representation)"), _CATEGORY[1].format(2, r"\1")),
)
"""PREMIS as the annex prints it (TT05-C12)."""

PRESERVATION = {
    "TT05-PRM-01": Fault(edited((PREMIS, "<eventDateTime>*</eventDateTime>", ""), type="AIP_hoso")),
    "TT05-PRM-01 syntax": Fault(edited((REP_PREMIS, "</premis>", ""), type="DIP", premis=True)),
    "TT05-PRM-01 version-2": Fault(
        edited((PREMIS, "http://www.loc.gov/premis/v3", "info:lc/xmlns/premis-v2"), type="AIP_hoso")
    ),
    "TT05-PRM-02": Fault(edited((PREMIS, ' xmlns="http://www.loc.gov/premis/v3"', ""), type="AIP_hoso")),
    "TT05-PRM-02 sample": Fault(plain("AIP_tailieu", edits=(*_SAMPLE,))),
    "TT05-PRM-03": Fault(edited((REP_PREMIS, REP_OBJID, f"urn:uuid:{UUID}"), type="AIP_hoso")),
    "TT05-PRM-04": Fault(edited((REP_PREMIS, "<fixity>*</fixity>", ""), type="AIP_hoso")),
    "TT05-PRM-04 object": Fault(edited((REP_PREMIS, '  <object xsi:type="file"*</object>', ""), type="AIP_tailieu")),
    "TT05-PRM-05": Fault(
        edited(
            (REP_PREMIS, "<messageDigest>*</messageDigest>", f"<messageDigest>{'0' * 64}</messageDigest>"),
            type="AIP_hoso",
        )
    ),
    "TT05-PRM-06": Fault(edited((PREMIS, "information package creation", "ingestion"), type="AIP_hoso")),
    "TT05-PRM-07": Fault(
        edited((PREMIS, "<linkingObjectRole>source</linkingObjectRole>", ""), type="AIP_hoso"),
    ),
    "TT05-PRM-08": Fault(
        digitised("AIP_hoso", edits=((PREMIS, "<eventType>transfer", "<eventType>ingestion"),)), also=_CHAIN
    ),
    "TT05-PRM-09": Fault(edited((PREMIS, _AGENT, ""), type="AIP_hoso")),
    "TT05-PRM-09 unknown": Fault(edited((PREMIS, "maker 1.0", "khong ai"), type="AIP_tailieu")),
    "TT05-PRM-10": Fault(edited((PREMIS, "virus check", "quet vi-rut"), type="AIP_hoso")),
    "TT05-PRM-11": Fault(edited((REP_PREMIS, "<formatRegistry>*</formatRegistry>", ""), type="AIP_hoso")),
}


def _linked(type: str, content: str | None = None) -> Shape:
    one = link(2, type[:3])
    return plain(type, documents=(born_pdf(1), replace(one, linked=content if content is not None else one.linked)))


_ELSEWHERE = (
    "urn_P999_99999999-2222-4333-8444-5555555555FF_representations/rep1/data/H99.01.2019.3.4.pdf 20480"
    " data/{stem}.pdf {docCode}"
)

LINKED = {
    "TT05-HOL-01": Fault(_linked("SIP_tailieu")),
    "TT05-HOL-01 dip": Fault(_linked("DIP", "H99.01.2019.3.4")),
    "TT05-HOL-02": Fault(_linked("SIP_hoso", "hai dòng\ntrong một tệp\n")),
    "TT05-HOL-02 aip": Fault(_linked("AIP_hoso", "urn_P001 data/x.pdf")),
    "TT05-HOL-03": Fault(_linked("AIP_hoso", _ELSEWHERE)),
    "TT05-HOL-05": Fault(replace(_linked("SIP_hoso"), edits=((REP, "MetadataLink/Holey", "MetadataLink/File"),))),
    "TT05-HOL-06": Fault(_linked("AIP_hoso", "H99.01.2019.3.4")),
}


def _holding(*documents: Doc, type: str = "SIP_hoso") -> Shape:
    return plain(type, documents=documents)


def _scans(more: dict[str, object], type: str = "SIP_hoso", **fields: str) -> Shape:
    return replace(digitised(type), documents=(scanned(1, 1, more, **fields), scanned(2)))


def _encrypted(number: int) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(born_pdf(number).data)) as made:
        made.save(out, encryption=pikepdf.Encryption(owner="luutru", user=""))
    return out.getvalue()


_SCRIPT = "/OpenAction<</S/JavaScript/JS(app.alert\\(1\\);)>>"
_OUTSIDE = "/OpenAction<</S/Launch/F(ngoai.pdf)>>"
_MISNAMED = Doc("pic", "jpg", contents.picture(1, "png"), pages=0)

FORMATS = {
    "TT05-FMT-01": Fault(_holding(Doc("media", "wav", contents.wave(1), pages=0), born_pdf(2))),
    "TT05-FMT-01 dip": Fault(_holding(Doc("media", "wav", contents.wave(1), pages=0), born_pdf(2), type="DIP")),
    "TT05-FMT-02": Fault(_holding(_MISNAMED, born_pdf(2))),
    "TT05-FMT-02 pdf": Fault(_holding(replace(born_pdf(1), extension="docx"), born_pdf(2), type="AIP_hoso")),
    "TT05-FMT-03": Fault(_scans({"pdfa": False}), also=_CHAIN),
    "TT05-FMT-04": Fault(_scans({"layer": False}), also=_CHAIN),
    "TT05-FMT-05": Fault(_scans({"dpi": 150}), also=_CHAIN),
    "TT05-FMT-05 map": Fault(_scans({"dpi": 250}, typeName="30", codeNotation=""), also=_CHAIN),
    "TT05-FMT-05 picture": Fault(
        digitised(documents=(scanned(1), Doc("pic", "jpg", contents.picture(2, dpi=96), pages=0))), also=_CHAIN
    ),
    "TT05-FMT-06": Fault(_scans({"colour": False}, "AIP_hoso"), also=_CHAIN),
    "TT05-FMT-07": Fault(_holding(Doc("doc", "pdf", pdfs.born("Một", catalog=_SCRIPT)), born_pdf(2))),
    "TT05-FMT-07 outside": Fault(
        _holding(Doc("doc", "pdf", pdfs.born("Một", catalog=_OUTSIDE)), born_pdf(2), type="DIP")
    ),
    "TT05-FMT-07 encrypted": Fault(_holding(Doc("doc", "pdf", _encrypted(1)), born_pdf(2), type="AIP_hoso")),
    "TT05-FMT-08": Fault(_holding(replace(born_pdf(1), data=born_pdf(1).data[:60]), born_pdf(2))),
    "TT05-FMT-08 picture": Fault(
        _holding(replace(photo(1, "png"), data=contents.picture(1, "png")[:40]), born_pdf(2), type="DIP")
    ),
    "TT05-FMT-09": Fault(_holding(Doc("media", "mp3", contents.sound(1, 64), pages=0), born_pdf(2))),
    "TT05-FMT-10": Fault(_holding(Doc("doc", "pdf", pdfs.born("Quyết định", font=".VnTime")), born_pdf(2))),
}


def _signed(data: bytes, type: str = "SIP_hoso") -> Shape:
    return replace(digitised(type), documents=(replace(scanned(1), data=data), scanned(2)))


SIGNATURES = {
    "TT05-SIG-01": Fault(_scans({"signature": ""}), also=_CHAIN),
    "TT05-SIG-02": Fault(_signed(pdfs.broken(scanned(1).data)), also=_CHAIN),
    "TT05-SIG-03": Fault(_signed(pdfs.continued(scanned(1).data), "AIP_hoso"), also=_CHAIN),
    "TT05-SIG-04": Fault(digitised()),
    "TT05-SIG-04 dip": Fault(digitised("DIP")),
    "TT05-SIG-05": Fault(_scans({"signature": "plain"}), also=_CHAIN),
}

_EICAR = ("X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*")
"""The harmless sample of all scanners, in two parts, so that this file is none."""

SUBMITTED = {
    "TT05-SUB-01": Fault(_holding(born_pdf(1), born_pdf(1))),
    "TT05-SUB-08": Fault(_holding(replace(plain_text(1), data="".join(_EICAR).encode()), born_pdf(2))),
}


def _certified(**items: str) -> Shape:
    told = {key: (label, items.get(key, value)) for key, (label, value) in CERTIFICATE.items()}
    return plain("DIP", certificate={key: item for key, item in told.items() if item[1]})


DISSEMINATED = {
    "TT05-DIP-01": Fault(plain("DIP", certificate={})),
    "TT05-DIP-02": Fault(_certified(l="")),
    "TT05-DIP-02 receiver": Fault(_certified(c="")),
    "TT05-DIP-03": Fault(plain("DIP", ead_drop=("description",)), also=("TT05-EAD-19",)),
    "TT05-DIP-03 required": Fault(plain("DIP", ead_drop=("purpose",)), also=("TT05-EAD-03", "TT05-EAD-19")),
    "TT05-DIP-03 other-set": Fault(plain("DIP", ead_extra=(("title", "x"),)), also=("TT05-EAD-19",)),
    "TT05-DIP-04": Fault(_certified(k="31/12/2020")),
}

FAULTS = PRESERVATION | LINKED | FORMATS | SIGNATURES | SUBMITTED | DISSEMINATED
