"""Faults of descriptions and of the codes in them, by code."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

from tests.packages.tt05.fault import Fault, digitised, edited, first, plain, told, with_first, with_second
from tests.packages.tt05.fields import DOCUMENT
from tests.packages.tt05.fields import EAD as EAD_SETS
from tests.packages.tt05.shape import EAD, FILE_CODE, Shape, born_pdf, photo, record

_DOC = "representations/rep1/metadata/descriptive/EAD_doc_H99.01.2020.7.1.xml"
_OWN = ("TT05-EAD-19",)
"""Whatever is too many or too few is not what the package's own schema says either."""
_CHAIN = ("TT05-SIG-04",)
"""Nobody trusts the certificate of our signatures."""
_TITLE = "Hồ sơ thử nghiệm về công tác văn thư xã A"
_TCVN3 = "Hå s¬ thö nghiÖm vÒ c«ng t¸c v¨n th\xad cña \xf1y ban nh©n d©n x· A n¨m 2020"
_VNI = "Hoà sô thöû nghieäm veà coâng taùc vaên thö cuûa xaõ A naêm 2020"

PACKAGE = {
    "TT05-EAD-01": Fault(edited((EAD, "<simpledc>", "<ead>"), (EAD, "</simpledc>", "</ead>"))),
    "TT05-EAD-01 syntax": Fault(edited((EAD, "</simpledc>", ""), type="AIP_tailieu")),
    "TT05-EAD-01 doc": Fault(edited((_DOC, "</simpledc>", ""))),
    "TT05-EAD-02": Fault(plain(ead_extra=(("ghiChuThem", "x"),)), also=_OWN),
    "TT05-EAD-02 doc": Fault(first("DIP", {"extra": (("ghiChuThem", "x"),)}), also=_OWN),
    "TT05-EAD-03": Fault(told(title="")),
    "TT05-EAD-03 tailieu": Fault(told("SIP_tailieu", source="")),
    "TT05-EAD-03 dip": Fault(told("DIP", researchTopic="")),
    "TT05-EAD-03 absent": Fault(plain("AIP_hoso", ead_drop=("title",)), also=_OWN),
    "TT05-EAD-04": Fault(plain(ead_extra=(("title", _TITLE),)), also=_OWN),
    "TT05-EAD-04 doc": Fault(first("AIP_hoso", {"extra": (("subject", "x"),)}), also=_OWN),
    "TT05-EAD-05": Fault(told(title="ồ" * 1001)),
    "TT05-EAD-05 aip": Fault(told("AIP_hoso", keyword="ơ" * 101)),
    "TT05-EAD-06": Fault(told(maintenance="09")),
    "TT05-EAD-06 boolean": Fault(told("AIP_hoso", riskRecovery="2")),
    "TT05-EAD-06 dip": Fault(told("DIP", feeObjectType="11")),
    "TT05-EAD-07": Fault(told(maintenance="Vĩnh viễn")),
    "TT05-EAD-07 doc": Fault(first(typeName="Quyết định")),
    "TT05-EAD-08": Fault(told(startDate="2020-01-02")),
    "TT05-EAD-08 calendar": Fault(told("AIP_hoso", startDate="30/02/2020")),
    "TT05-EAD-08 doc": Fault(first("SIP_tailieu", issuedDate="15.03.2020")),
    "TT05-EAD-08 dip": Fault(told("DIP", requestDate="2026")),
    "TT05-EAD-09": Fault(told(startDate="01/2020")),
    "TT05-EAD-09 year": Fault(told(endDate="2020")),
    "TT05-EAD-10": Fault(told(startDate="01/06/2020", endDate="01/03/2020")),
    "TT05-EAD-10 partial": Fault(told("AIP_hoso", startDate="2021", endDate="12/2020")),
    "TT05-EAD-11": Fault(told(totalDoc="hai")),
    "TT05-EAD-11 negative": Fault(told("AIP_hoso", numberOfPage="-2")),
    "TT05-EAD-11 doc": Fault(first("DIP", numberOfPage="1.0")),
    "TT05-EAD-12": Fault(
        replace(
            plain(ead={"maintenance": "02"}, settings=("tt05.receiver=historical",)),
            documents=(born_pdf(1, maintenance="02"), born_pdf(2, maintenance="02")),
        )
    ),
    "TT05-EAD-13": Fault(told(maintenance="06")),
    "TT05-EAD-14": Fault(told(mode="03")),
    "TT05-EAD-14 aip": Fault(first("AIP_tailieu", mode="03")),
    "TT05-EAD-15": Fault(digitised(ead={"paperFileCode": ""}), also=_CHAIN),
    "TT05-EAD-16": Fault(told(riskRecovery="1")),
    "TT05-EAD-16 doc": Fault(first("DIP", riskRecovery="1")),
    "TT05-EAD-17": Fault(told(confidenceLevel="")),
    "TT05-EAD-18": Fault(digitised("AIP_hoso", ead={"numberOfPaper": ""}), also=_CHAIN),
    "TT05-EAD-20": Fault(plain(ead_order=tuple(reversed(EAD_SETS["SIP_hoso"])))),
    "TT05-EAD-20 doc": Fault(first("DIP", {"order": tuple(reversed(DOCUMENT["DIP"]["doc"]))})),
    "TT05-EAD-21": Fault(first(issuedDate="15/03/2019")),
    "TT05-EAD-21 aip": Fault(
        with_first(plain("AIP_hoso", ead={"startDate": "2020", "endDate": "06/2020"}), issuedDate="01/07/2020")
    ),
    "TT05-EAD-22": Fault(told(title=_TCVN3)),
    "TT05-EAD-22 vni": Fault(told("AIP_hoso", title=_VNI)),
    "TT05-EAD-22 nfd": Fault(told("DIP", researchTopic=unicodedata.normalize("NFD", "Lịch sử địa phương"))),
    "TT05-EAD-22 doc": Fault(first("SIP_tailieu", subject=_TCVN3)),
    "TT05-EAD-23": Fault(told(title="Hồ sơ  thử nghiệm về công tác văn thư xã A")),
    "TT05-EAD-23 zero-width": Fault(told("AIP_hoso", title="Hồ sơ\u200b thử nghiệm về công tác văn thư xã A")),
    "TT05-EAD-23 trailing": Fault(first("DIP", subject="Về việc thử nghiệm ")),
    "TT05-EAD-23 break": Fault(first("SIP_tailieu", subject="Về việc\nthử nghiệm")),
    "TT05-EAD-24": Fault(plain(ead_extra=(("source", "0"),)), also=_OWN),
    "TT05-EAD-24 renamed": Fault(
        plain(ead_drop=("fileCode",), ead_extra=(("arcFileCode", "H99.05.H99.01.2020.7"),)), also=("TT05-EAD-03", *_OWN)
    ),
    "TT05-EAD-24 absent": Fault(plain("AIP_hoso", ead_drop=("keyword",)), also=_OWN, levels=("warning", "error")),
    "TT05-EAD-24 many-absent": Fault(plain(ead_drop=("keyword", "inforSign", "description")), also=_OWN),
    "TT05-EAD-25": Fault(told(format="Tốt")),
    "TT05-EAD-25 doc": Fault(first("DIP", format="hơi ố")),
}

_LONG = "H99.01.2020.777.HC-UBND-XAA"
_ORGAN = {"extra": (("organName", "Ủy ban nhân dân xã A"),)}


def _pictured(type: str = "SIP_hoso", **values: str) -> Shape:
    return plain(type, documents=(photo(1, **values), born_pdf(2)))


def _recorded(type: str = "SIP_hoso", **values: str) -> Shape:
    return plain(type, documents=(record(1, **values), born_pdf(2)))


DOCUMENTS = {
    "TT05-DOC-01": Fault(first(more={"extra": (("arcDocCode", "H99.05.1"),)}), also=_OWN),
    "TT05-DOC-01 absent": Fault(first("AIP_hoso", {"drop": ("keyword", "inforSign", "autograph")}), also=_OWN),
    "TT05-DOC-02": Fault(first(subject="")),
    "TT05-DOC-02 aip": Fault(first("AIP_tailieu", organName="")),
    "TT05-DOC-02 absent": Fault(first("DIP", {"drop": ("subject",)}), also=_OWN),
    "TT05-DOC-03": Fault(first(subject="ệ" * 501)),
    "TT05-DOC-03 dip": Fault(first("DIP", codeNumber="1" * 12)),
    "TT05-DOC-04": Fault(first(typeName="77")),
    "TT05-DOC-04 language": Fault(first("AIP_hoso", language="01,12")),
    "TT05-DOC-05": Fault(first(docCode="H99.01.2020.8.0000001")),
    "TT05-DOC-05 unpadded": Fault(first(docCode="H99.01.2020.7.1")),
    "TT05-DOC-06": Fault(first(docCode="H99.01.1994.7.0000001"), also=("TT05-DOC-05",)),
    "TT05-DOC-07": Fault(with_second(plain(), docCode=f"{FILE_CODE}.0000001")),
    "TT05-DOC-07 aip": Fault(with_second(plain("AIP_hoso"), docOrdinal="1", docCode=f"{FILE_CODE}.0000001")),
    "TT05-DOC-07 dip": Fault(with_second(plain("DIP"), arcDocCode="H99.05.H99.01.2020.7.02.0000001")),
    "TT05-DOC-08": Fault(with_second(plain(), docId=f"{FILE_CODE}.3", docCode=f"{FILE_CODE}.0000003")),
    "TT05-DOC-08 aip": Fault(with_second(plain("AIP_hoso"), docOrdinal="4", docCode=f"{FILE_CODE}.0000004")),
    "TT05-DOC-09": Fault(with_second(plain(), {"stem": f"{FILE_CODE}.2"}, docId=f"{FILE_CODE}.1")),
    "TT05-DOC-09 dip": Fault(with_second(plain("DIP"), {"stem": f"{FILE_CODE}.2"}, docId=f"{FILE_CODE}.1")),
    "TT05-DOC-10": Fault(plain(code=_LONG)),
    "TT05-DOC-11": Fault(first(process="")),
    "TT05-DOC-11 mixed": Fault(first("AIP_hoso", confidenceLevel="03", process="")),
    "TT05-DOC-12": Fault(first(typeName="03")),
    "TT05-DOC-13": Fault(first("SIP_tailieu", issuedDate="15/03/2099")),
    "TT05-DOC-13 old": Fault(first("DIP", issuedDate="15/03/0020")),
    "TT05-DOC-14": Fault(first("DIP", _ORGAN), also=_OWN),
    "TT05-DOC-15": Fault(first("AIP_hoso", docOrdinal="5")),
    "TT05-DOC-16": Fault(first("AIP_hoso", arcFileCode="H99.05.H99.01.2020.8.02")),
    "TT05-DOC-17": Fault(first(numberOfPage="2")),
    "TT05-DOC-17 dip": Fault(first("DIP", numberOfPage="7")),
    "TT05-PIC-01": Fault(with_first(_pictured(), {"extra": (("arcFileCode", "H99.05.1"),)}), also=_OWN),
    "TT05-PIC-01 other-annex": Fault(
        with_first(
            _pictured("AIP_hoso"),
            {"order": DOCUMENT["AIP_tailieu"]["pic"]},
            arcDocCode="H99.05.H99.01.2020.7.02.0000001",
        ),
        also=_OWN,
        levels=("warning", "warning"),
    ),
    "TT05-PIC-02": Fault(_pictured(typePic="09")),
    "TT05-PIC-02 colour": Fault(_pictured("AIP_tailieu", colour="x")),
    "TT05-MED-01": Fault(with_first(_recorded(), {"extra": (("arcFileCode", "H99.05.1"),)}), also=_OWN),
    "TT05-MED-02": Fault(_recorded(typeMedia="09")),
    "TT05-MED-02 dip": Fault(_recorded("DIP", docAttached="2")),
    "TT05-MED-03": Fault(_recorded(playTime="2 phút")),
    "TT05-MED-03 aip": Fault(_recorded("AIP_hoso", playTime="00:61:00")),
}

IDENTIFIERS = {
    "TT05-ID-01": Fault(plain(code="H98.01.2020.7")),
    "TT05-ID-02": Fault(plain(code="H99.01.A.7")),
    "TT05-ID-03": Fault(plain("AIP_hoso", settings=("tt05.archive_body=H01.05",))),
    "TT05-ID-03 two-bodies": Fault(with_second(plain("DIP"), arcDocCode="H98.05.H99.01.2020.7.02.0000002")),
    "TT05-ID-04": Fault(plain("AIP_hoso", settings=("tt05.fonds_state=closed", "tt05.fonds=P001"))),
    "TT05-ID-05": Fault(plain(code="H22.01.2026.7", ead={"startDate": "02/01/2020"})),
    "TT05-ID-06": Fault(plain(code="001.03.08.H30.2020.7")),
    "TT05-ID-07": Fault(plain("SIP_tailieu", code="H99.01.2020.1.1")),
    "TT05-ID-08": Fault(plain(code="H99.01.2020.7 A")),
}

FAULTS = PACKAGE | DOCUMENTS | IDENTIFIERS
