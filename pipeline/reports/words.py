"""The words of reports in both languages, each in one place."""

from __future__ import annotations

import re
from typing import Any, Literal

_PLACE = re.compile(r"\{([a-z_]+)\}")

Lang = Literal["vi", "en"]
Pair = tuple[str, str]
"""Vietnamese, English."""

VERDICTS: dict[str, Pair] = {
    "accepted": ("đạt", "accepted"),
    "rejected": ("không đạt", "rejected"),
    "waiting/person": ("chờ quyết định", "waiting for a decision"),
    "waiting/copy": ("chờ bản sao", "waiting for a copy"),
    "already archived": ("đã lưu trữ từ trước", "already archived"),
    "valid": ("hợp lệ", "valid"),
    "invalid": ("không hợp lệ", "invalid"),
    "none": ("chưa có kết quả", "no verdict"),
}

RESULTS: dict[str, Pair] = {
    "intact": ("nguyên vẹn", "intact"),
    "damaged": ("hư hỏng", "damaged"),
    "missing": ("mất", "missing"),
    "unreadable": ("không đọc được", "unreadable"),
    "not-checked": ("chưa kiểm tra", "not checked"),
}

PROBLEMS: dict[str, Pair] = {
    "changed": ("nội dung bị thay đổi", "changed"),
    "missing": ("mất tệp", "missing"),
    "extra": ("tệp lạ", "extra"),
    "inventory": ("bảng kê (inventory) sai", "inventory wrong"),
    "rolled-back": ("kho quay về trạng thái cũ", "store rolled back"),
}

LEVELS: dict[str, Pair] = {
    "error": ("lỗi", "error"),
    "decision": ("cần quyết định", "decision"),
    "warning": ("cảnh báo", "warning"),
    "info": ("thông tin", "information"),
}
"""In order of weight."""

COPY_STATES: dict[str, Pair] = {
    "verified": ("đã xác minh", "verified"),
    "missing": ("còn thiếu", "missing"),
    "absent": ("kho vắng mặt", "store absent"),
    "waiting": ("đang chờ", "waiting"),
}

EVIDENCE: dict[str, Pair] = {
    "read": ("đọc lại", "read back"),
    "server": ("theo máy chủ", "by the server's word"),
}

SIGNATURES: dict[str, Pair] = {
    "success": ("tệp ký đúng và tin cậy", "whole and trusted"),
    "warning": ("tệp cần xem", "to be looked at"),
    "fail": ("tệp có chữ ký không còn đúng", "that do not hold"),
}

TEXTS: dict[str, Pair] = {
    "package": ("Gói", "Package"),
    "verdict": ("Kết quả", "Verdict"),
    "kind": ("Loại gói", "Kind"),
    "files": ("Số tệp", "Files"),
    "bytes": ("Dung lượng", "Size"),
    "formats": ("Định dạng", "Formats"),
    "signatures": ("Chữ ký số", "Digital signatures"),
    "aip": ("AIP", "AIP"),
    "copies": ("Bản sao", "Copies"),
    "seconds": ("Giây", "Seconds"),
    "store": ("Kho", "Store"),
    "result": ("Kết quả", "Result"),
    "evidence": ("Bằng chứng", "Evidence"),
    "problems": ("Vấn đề", "Problems"),
    "findings": ("Vấn đề phát hiện", "Findings"),
    "advice": ("Cách xử lý", "What to do"),
    "file": ("Tệp", "File"),
    "line": ("dòng", "line"),
    "level": ("Mức", "Level"),
    "code": ("Mã", "Code"),
    "reference": ("Căn cứ", "Reference"),
    "message": ("Nội dung", "Message"),
    "expected": ("Yêu cầu", "Expected"),
    "found": ("Thực tế", "Found"),
    "repaired": ("đã sửa từ", "repaired from"),
    "whole": ("(toàn bộ gói)", "(the package as a whole)"),
    "unknown": ("chưa rõ", "unknown"),
    "more": ("và {count} mục nữa, xem bản JSON hoặc CSV", "and {count} more, see the JSON or CSV"),
    "none": ("Không có mục nào.", "Nothing."),
    "noted": ("{heading}: {counts}, xem báo cáo", "{heading}: {counts}, see the report"),
    "problem": ("Sự cố", "Problem"),
    "overdue": ("Quá hạn kiểm tra", "Overdue"),
    "next_due": ("Kỳ kiểm tra tới", "Next due"),
    "started": ("Bắt đầu", "Started"),
    "ended": ("Kết thúc", "Ended"),
    "ingest": ("Kết quả tiếp nhận", "Ingest report"),
    "validate": ("Kết quả kiểm tra gói", "Validation report"),
    "audit": ("Kết quả kiểm tra tính toàn vẹn", "Fixity audit report"),
    "total": ("Tổng cộng", "Total"),
    "intact_rest": ("và {count} bản sao nguyên vẹn", "and {count} intact copies"),
    "all_well": ("Không phát hiện vấn đề.", "No findings."),
    "made_by": ("Lập bởi luutru {version}", "Made by luutru {version}"),
}


def say(pair: Pair, lang: Lang) -> str:
    return pair[0] if lang == "vi" else pair[1]


def text(key: str, lang: Lang, **values: object) -> str:
    """A text of the interface; its placeholders are filled once."""
    return _PLACE.sub(lambda found: str(values.get(found[1], found[0])), say(TEXTS[key], lang))


def word(table: dict[str, Pair], key: str | None, lang: Lang) -> str:
    """The word for a value; a value that the table does not know stands for itself."""
    if key is None:
        return "–"
    return say(table[key], lang) if key in table else key


def verdict_key(item: dict[str, Any]) -> str:
    """Key in VERDICTS (or RESULTS, for a copy) of what an item came to."""
    if "result" in item:
        return str(item["result"])
    verdict = item.get("verdict")
    if verdict is None:
        return "none"
    if verdict == "waiting":
        return "waiting/copy" if item.get("waiting_for") == "copy" else "waiting/person"
    return str(verdict)


def verdict(item: dict[str, Any], lang: Lang) -> str:
    """`đạt`, `không đạt`, … of a package; `nguyên vẹn`, … of a copy."""
    return word(RESULTS if "result" in item else VERDICTS, verdict_key(item), lang)


def verdict_word(value: str | None, lang: str, waiting_for: str | None = None) -> str:
    """The word for a verdict as the documents spell it."""
    return verdict({"verdict": value, "waiting_for": waiting_for}, "vi" if lang == "vi" else "en")


def mood(item: dict[str, Any]) -> Literal["good", "bad", "wait", "same", "none"]:
    """What a verdict means to who reads it; colours and symbols hang on this."""
    key = verdict_key(item)
    if key in ("accepted", "valid", "intact"):
        return "good"
    if key in ("rejected", "invalid", "damaged", "missing", "unreadable"):
        return "bad"
    if key.startswith("waiting/"):
        return "wait"
    return "same" if key == "already archived" else "none"
