"""`luutru verify-signature`: whether the digital signatures of files hold, who signed, and whether that is trusted."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from commands.frame import Answer, answer, problem_text


def verify(
    paths: tuple[Path, ...], *, roots: tuple[Path, ...], at: datetime | None, as_json: bool, lang: str | None
) -> int:
    """The document is `verify-signature/1`. Exit 1 when a signature does not hold, was revoked, or was written over."""

    def work() -> Answer:
        return _verify(paths, roots, at)

    return answer("verify-signature/1", work, as_json=as_json, lang=lang)


def _verify(paths: tuple[Path, ...], roots: tuple[Path, ...], at: datetime | None) -> Answer:
    from pipeline.content.identification import inforce
    from pipeline.content.signatures import trust
    from pipeline.content.signatures.listing import exit_of, verify_paths
    from pipeline.errors import Interrupted, stopping
    from pipeline.ingest.item import exit_code
    from pipeline.settings import settings
    from pipeline.workspace import now, rfc3339, workspace

    space = workspace()
    inforce.use(space, inforce.sets(space).pin)
    known = settings(space)
    if roots:
        trusted = trust.read([str(path) for path in roots], Path.cwd())
    else:
        trusted = trust.read(known.trust_roots, space.settings_file.parent)
    moment = at.astimezone() if at is not None else now()
    items: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="verify-", dir=space.work) as scratch:
        for one in verify_paths(paths, trusted, moment, workers=known.workers, scratch=Path(scratch)):
            items.append(one)
            if stopping.is_set():
                raise Interrupted
    codes = [exit_of(one) for one in items]
    trust_told = {"roots": trusted.roots, "lists": trusted.lists, "sha256": trusted.digest or None}
    return Answer(items, exit_code(codes), _shown, {"moment": rfc3339(moment), "trust": trust_told})


_WORDS = {
    "whole": ("còn nguyên", "whole"),
    "changed": ("đã bị thay đổi", "changed"),
    "unverifiable": ("không kiểm tra được", "cannot be verified"),
    "trusted": ("tin cậy", "trusted"),
    "untrusted": ("không dẫn tới gốc tin cậy", "not trusted"),
    "outside its validity": ("chứng thư ngoài thời hạn", "certificate outside its validity"),
    "revoked": ("chứng thư đã bị thu hồi", "certificate revoked"),
    "no roots configured": ("chưa khai báo gốc tin cậy", "no trusted roots configured"),
    "not judged": ("chưa xét", "not judged"),
    "whole file": ("toàn bộ tệp", "whole file"),
    "earlier revision": ("một phiên bản trước của tệp", "an earlier revision of the file"),
    "part": ("một phần", "a part"),
}


def _shown(document: dict[str, Any], lang: str) -> str:
    column = 0 if lang == "vi" else 1
    lines: list[str] = []
    for item in document["items"]:
        lines.append(item["path"])
        if item["problem"]:
            lines.append("  " + problem_text(item, lang))
        elif not item["signatures"]:
            lines.append("  " + ("không có chữ ký số", "no digital signature")[column])
        for one in item["signatures"]:
            results = " · ".join(_WORDS[one[name]][column] for name in ("integrity", "trust", "coverage"))
            lines.append(f"  {one['form']}: {results}")
            for name, words in (
                ("signer", ("người ký", "signer")), ("issuer", ("nơi cấp", "issuer")),
                ("claimed", ("giờ ký tự khai", "signing time claimed")), ("stamped", ("dấu thời gian", "time-stamp")),
                ("covered", ("phạm vi", "covered")), ("later", ("thêm về sau", "added later")),
                ("weak", ("thuật toán yếu", "weak algorithms")), ("why", ("lý do", "reason")),
            ):  # fmt: skip
                if one[name]:
                    lines.append(f"    {words[column]}: {one[name]}")
    return "\n".join(lines)
