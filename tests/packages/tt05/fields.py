"""Field sets of Circular 05/2025 as the annexes list them, for packages that are made to be judged."""

from __future__ import annotations

TYPES = ("SIP_hoso", "SIP_tailieu", "AIP_hoso", "AIP_tailieu", "DIP")
PROFILES = ("tt05", "tt05-strict")

_HOSO = (
    "title maintenance mode language startDate endDate keyword totalDoc numberOfPaper numberOfPage format inforSign"
    " confidenceLevel paperFileCode"
)
_SIP_DOC = (
    "docId docCode maintenance typeName codeNumber codeNotation issuedDate organName subject language numberOfPage"
    " inforSign keyword mode confidenceLevel autograph format process riskRecovery riskRecoveryStatus description"
)
_AIP_DOC = (
    "arcFileCode mode language keyword numberOfPage format inforSign confidenceLevel description docCode docOrdinal"
    " typeName codeNumber codeNotation issuedDate organName subject autograph process"
)
_DIP_DOC = (
    "docId arcDocCode maintenance typeName codeNumber codeNotation issuedDate subject language numberOfPage inforSign"
    " keyword mode confidenceLevel autograph format process riskRecovery riskRecoveryStatus description"
)
_SIP_PIC = (
    "docCode maintenance typePic archivesNumber inforSign eventName imageTitle photographer photoPlace photoTime colour"
    " filmSize docAttached mode format riskRecovery riskRecoveryStatus description"
)
_SIP_MEDIA = (
    "docCode maintenance typeMedia archivesNumber inforSign eventName movieTitle recorder recordPlace recordDate"
    " language playTime docAttached mode quality format riskRecovery riskRecoveryStatus description"
)
_AIP_PIC = (
    "arcFileCode mode format inforSign description docOrdinal typePic archivesNumber eventName imageTitle photographer"
    " photoPlace photoTime colour filmSize docAttached"
)
_AIP_MEDIA = (
    "arcFileCode mode language format inforSign description docOrdinal archivesNumber eventName docAttached typeMedia"
    " movieTitle recorder recordPlace recordDate playTime quality"
)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _arc(text: str) -> tuple[str, ...]:
    return tuple("arcDocCode" if name == "docCode" else name for name in text.split())


EAD: dict[str, tuple[str, ...]] = {
    "SIP_hoso": _words(f"fileCode {_HOSO} riskRecovery riskRecoveryStatus description"),
    "SIP_tailieu": _words("fileCode title source totalDoc description"),
    "AIP_hoso": _words(f"arcFileCode {_HOSO} description riskRecovery riskRecoveryStatus"),
    "AIP_tailieu": _words("arcFileCode title source description"),
    "DIP": _words("requestID requestDate purpose purposeContent feeObjectType researchTopic description"),
}
DOCUMENT: dict[str, dict[str, tuple[str, ...]]] = {
    "SIP_hoso": {"doc": _words(_SIP_DOC), "pic": _words(_SIP_PIC), "media": _words(_SIP_MEDIA)},
    "SIP_tailieu": {"doc": _words(_SIP_DOC), "pic": _words(_SIP_PIC), "media": _words(_SIP_MEDIA)},
    "AIP_hoso": {"doc": _words(_AIP_DOC), "pic": _words(_AIP_PIC), "media": _words(_AIP_MEDIA)},
    "AIP_tailieu": {"doc": _words(_AIP_DOC), "pic": _arc(_SIP_PIC), "media": _arc(_SIP_MEDIA)},
    "DIP": {"doc": _words(_DIP_DOC), "pic": _arc(_SIP_PIC), "media": _arc(_SIP_MEDIA)},
}
assert {name: len(fields) for name, fields in EAD.items()} == {
    "SIP_hoso": 18, "SIP_tailieu": 5, "AIP_hoso": 18, "AIP_tailieu": 4, "DIP": 7
}  # fmt: skip
assert [tuple(map(len, sets.values())) for sets in DOCUMENT.values()] == [
    (21, 18, 19), (21, 18, 19), (19, 16, 17), (19, 18, 19), (20, 18, 19)
]  # fmt: skip

CERTIFICATE = {
    "a": ("Mã xác thực lưu trữ", "XT-2026-0001"),
    "b": ("Tên lưu trữ lịch sử", "Lưu trữ lịch sử tỉnh Ví Dụ"),
    "c": ("Người nhận", "Nguyễn Văn Mẫu, 000000000000"),
    "d": ("Mã lưu trữ của tài liệu gốc", "H99.05.H99.01.2020.7.02.0000001"),
    "đ": ("Số và ký hiệu của tài liệu gốc", "1/QĐ-UBND"),
    "e": ("Tên loại tài liệu", "Quyết định"),
    "g": ("Trích yếu nội dung hoặc tiêu đề tài liệu", "Về việc thử nghiệm"),
    "h": ("Mục đích sử dụng", "Cá nhân"),
    "i": ("Ngày cấp", "05/01/2026"),
    "k": ("Thời hạn sử dụng", "31/12/2999"),
    "l": ("Số lượng bản", "01"),
}
"""The eleven items of Art. 42(2) with invented values."""
