"""Rules of the certificate that goes out with a DIP (Art. 42(2)): DIP-01, -02, -04. It holds personal data: none of
its values but the end of its term is told."""

from __future__ import annotations

import re
from typing import Any, Final

from pipeline.content import inspection
from pipeline.packages.tt05 import values
from pipeline.packages.tt05.gathered import Findings
from pipeline.packages.tt05.looking import descriptor
from pipeline.packages.tt05.package import Package
from pipeline.pool import Failure, Task, shared
from pipeline.workspace import now

_ITEMS: Final = {
    "certificateCode": ("mã xác thực lưu trữ",),
    "certificateArchive": ("tên lưu trữ lịch sử",),
    "certificateRecipient": ("người nhận",),
    "certificateDocCode": ("mã lưu trữ của tài liệu gốc",),
    "certificateType": ("tên loại tài liệu",),
    "certificateSubject": (
        "trích yếu nội dung hoặc tiêu đề tài liệu", "trích yếu nội dung", "tiêu đề tài liệu",
    ),
    "certificatePurpose": ("mục đích sử dụng",),
    "certificateIssued": ("ngày cấp",),
    "certificateExpires": ("thời hạn sử dụng",),
    "certificateCopies": ("số lượng bản",),
}  # fmt: skip
"""Labels at the start of a line, in small letters; item đ) may be missing."""

_LETTERED: Final = re.compile(r"(?i)^(?:[a-zđ0-9]{1,2}[).]|[-+•])\s*")


_UNTIL: Final = re.compile(r"(?i)^.*đến\D*|[.;]$")
"""What may stand around the last day of a term: `từ 05/11/2024 đến hết ngày 31/12/2024`."""


def check_certificate(package: Package, found: Findings) -> None:
    """Only a DIP has one."""
    if package.type.of != "DIP":
        return
    path = _place(package)
    if path is None:
        found.add("TT05-DIP-01", None, expected=package.settings.dip_certificate_path)
        return
    told = _looked(package, path)
    if told is None or told["kind"] != "application/pdf" or told["why"] or not told["claim"]:
        found.add("TT05-DIP-01", path, expected="PDF/A")
    if told is None or told["kind"] != "application/pdf" or told["why"]:
        return
    items = _items(told["lines"])
    for element in _ITEMS:
        if not items.get(element):
            found.add("TT05-DIP-02", path, element=element)
    expires = values.period(_UNTIL.sub("", items.get("certificateExpires", "")))
    if expires is not None and expires.last < now().date():
        found.add("TT05-DIP-04", path, found=items["certificateExpires"])


def _place(package: Package) -> bytes | None:
    """Where the settings say, else the only PDF of the documentation."""
    asked = package.files.find(package.settings.dip_certificate_path.encode())
    if asked is not None:
        return asked
    others = [path for path in package.files.under(b"documentation/") if path.lower().endswith(b".pdf")]
    return others[0] if len(others) == 1 else None


def _looked(package: Package, path: bytes) -> dict[str, Any] | None:
    def opened() -> tuple[int, ...]:
        return (descriptor(package, path),)

    task = Task(path, opened, (True,), package.files.size(path))
    pool = shared(inspection.MODULES, 0)
    (result,) = pool.map("pipeline.content.inspection:look", iter([task]), package.scratch)
    return None if isinstance(result.value, Failure) else dict(result.value)


def _items(lines: list[str]) -> dict[str, str]:
    """Values by item; the first label counts. A long label or value may go on in the next line."""
    told = [" ".join(values.composed(line).split()) for line in lines]
    found: dict[str, str] = {}
    for number, line in enumerate(told):
        for joined in (line, " ".join(told[number : number + 2])):
            item = _item(joined)
            if item is None:
                continue
            element, value = item
            behind = told[number + 1 : number + 2]
            if not value and joined is line and behind and _item(behind[0]) is None and not _LETTERED.match(behind[0]):
                value = behind[0]
            found.setdefault(element, value)
            break
    return found


def _item(line: str) -> tuple[str, str] | None:
    """The item whose label begins a line, and what stands behind its colon."""
    label, colon, value = _LETTERED.sub("", line).partition(":")
    folded = label.lower().strip()
    for element, labels in _ITEMS.items():
        if colon and any(folded == one or folded.startswith(f"{one} (") for one in labels):
            return element, value.strip()
    return None
