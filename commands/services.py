"""`luutru up` and `luutru down`."""

from __future__ import annotations

from typing import Any

from commands.frame import Answer, answer, note
from pipeline.workspace import workspace


def up(*, as_json: bool, lang: str | None) -> int:
    """The document is `up/1`; the password itself stands in its file, and is shown on a terminal only."""

    def work() -> Answer:
        from flows.services import up as start

        services = start(workspace(), note)
        items = [
            {"name": "dashboard", "address": services.dashboard, "password_file": str(services.password_file)},
            {"name": "s3", "address": services.s3, "password_file": str(services.s3_credentials),
             "bucket": services.bucket},
        ]  # fmt: skip

        def text(document: dict[str, Any], tongue: str) -> str:
            word = {"vi": "Bảng theo dõi", "en": "Dashboard"}[tongue]
            secret = {"vi": "mật khẩu", "en": "password"}[tongue]
            return f"{word}: {services.dashboard}\n  {secret}: {services.password()}\nS3: {services.s3}"

        return Answer(items, 0, text)

    return answer("up/1", work, as_json=as_json, lang=lang)


def down(*, as_json: bool, lang: str | None) -> int:
    """The document is `down/1`: the names of what was ended."""

    def work() -> Answer:
        from flows.services import down as end

        ended = end(workspace(), note)

        def text(document: dict[str, Any], tongue: str) -> str:
            none = {"vi": "Không có gì đang chạy.", "en": "Nothing was running."}[tongue]
            said = {"vi": "Đã dừng: ", "en": "Stopped: "}[tongue]
            return said + ", ".join(ended) if ended else none

        return Answer([{"name": name} for name in ended], 0, text)

    return answer("down/1", work, as_json=as_json, lang=lang)
