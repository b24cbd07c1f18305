"""`make demo`: two stores outside the clone, Prefect, every sample package the whole way, one table of verdicts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
LUUTRU = PROJECT / ".venv" / "bin" / "luutru"
SAMPLES = PROJECT / "sample_packages"
ALONE = "accepted--ok--bao-cao-2019"
"""Goes in by itself, so that the dashboard shows a package with a flow run of its own beside the batch."""


def main() -> int:
    """0 exactly when every verdict and code is what the sample's name says."""
    os.chdir(PROJECT)
    sys.path.insert(0, str(PROJECT))
    data = data_folder()
    environment = {**os.environ, "LUUTRU_DATA": str(data)}
    environment.pop("LUUTRU_CONFIG", None)
    lang = "en" if os.environ.get("LUUTRU_LANG") == "en" else "vi"
    say(lang, "Khởi động Prefect, tiến trình nền và S3 nhúng …", "Starting Prefect, the worker and the embedded S3 …")
    services, code = luutru(environment, "up")
    if code:
        return failed(services, lang)
    add_stores(environment, data, services)
    say(lang, "Đưa các gói mẫu vào kho …", "Ingesting the sample packages …")
    packages = sorted(path for path in SAMPLES.iterdir() if "--" in path.name)
    first = [path for path in packages if path.name == ALONE]
    rest = [path for path in packages if path.name != ALONE]
    documents = [luutru(environment, "ingest", *map(str, group))[0] for group in (first, rest) if group]
    items = [item for document in documents for item in document["items"]]
    whole = {**documents[-1], "items": items, "started": documents[0].get("started")}
    for document in documents:
        if document.get("problem"):
            return failed(document, lang)
    report = data / "reports" / "demo.html"
    show(whole, report, lang)
    wrong = [text for path, item in zip(first + rest, items, strict=True) if (text := unexpected(path.name, item))]
    whereabouts(environment, data, services, report, lang)
    for text in wrong:
        print(f"✗ {text}")
    if not wrong:
        said = f"Cả {len(items)} gói có kết quả đúng như tên gói."
        say(lang, said, f"All {len(items)} verdicts are as the names say.")
    return 1 if wrong else 0


def data_folder() -> Path:
    """`LUUTRU_DATA`, else `luutru-demo` in the XDG data folder; never inside the clone."""
    named = os.environ.get("LUUTRU_DATA")
    if named:
        return Path(named).absolute()
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "luutru-demo"


def add_stores(environment: dict[str, str], data: Path, services: dict[str, Any]) -> None:
    """A folder and a bucket, unless they are there already."""
    known = {item["name"] for item in luutru(environment, "store", "list")[0]["items"]}
    if "vault" not in known:
        folder = data.with_name(data.name + "-vault")
        require(luutru(environment, "store", "add", "vault", folder.as_uri()))
    s3 = next(item for item in services["items"] if item["name"] == "s3")
    if "bucket" not in known:
        require(
            luutru(
                environment, "store", "add", "bucket", f"s3://{s3['bucket']}/demo", "--endpoint", s3["address"],
                "--credentials-file", s3["password_file"],
            )
        )  # fmt: skip


def unexpected(name: str, item: dict[str, Any]) -> str | None:
    """What differs from the sample's name: verdict, or the code among the findings; None when nothing does."""
    verdict, code, _ = name.split("--", 2)
    allowed = {"accepted": ("accepted", "already archived"), "rejected": ("rejected",)}[verdict]
    errors = {finding["code"] for finding in item["findings"] if finding["level"] == "error"}
    if item["verdict"] not in allowed:
        problem = (item["problem"] or {}).get("code", "")
        return f"{name}: {item['verdict']} {problem} {', '.join(sorted(errors))}"
    if verdict == "rejected" and code not in errors:
        return f"{name}: {', '.join(sorted(errors))} instead of {code}"
    return None


def show(document: dict[str, Any], report: Path, lang: str) -> None:
    """The table and every finding of rejected packages, on the screen and as an HTML file."""
    from pipeline.reports.console import report as text
    from pipeline.reports.html import write_report

    width = shutil.get_terminal_size((140, 24)).columns
    print()
    print(text(document, "en" if lang == "en" else "vi", width=width, colour=sys.stdout.isatty()))
    write_report(report, document)


def whereabouts(environment: dict[str, str], data: Path, services: dict[str, Any], report: Path, lang: str) -> None:
    """Where everything is, and how independent the copies really are."""
    dashboard = next(item for item in services["items"] if item["name"] == "dashboard")
    secret = Path(dashboard["password_file"]).read_text().strip()
    stores = luutru(environment, "store", "list")[0]
    say(lang, f"Bảng theo dõi Prefect: {dashboard['address']}   mật khẩu: {secret}",
        f"Prefect dashboard: {dashboard['address']}   password: {secret}")  # fmt: skip
    say(lang, f"Báo cáo HTML: {report}", f"HTML report: {report}")
    say(lang, f"Thư mục dữ liệu: {data}   (luutru dùng: LUUTRU_DATA={data})",
        f"Data folder: {data}   (for luutru: LUUTRU_DATA={data})")  # fmt: skip
    for item in stores["items"]:
        print(f"  {item['name']}: {item['url']}  {item['endpoint'] or ''}")
    if stores["independent"] < stores["stores"]:
        say(lang, "Lưu ý: cả hai kho nằm trên cùng một ổ đĩa; nếu ổ đĩa hỏng thì mất cả hai bản sao.",
            "Note: both stores lie on one disk; if that disk fails, both copies are lost.")  # fmt: skip
    say(lang, f"Dừng tất cả: LUUTRU_DATA={data} {LUUTRU.relative_to(PROJECT)} down",
        f"Stop everything: LUUTRU_DATA={data} {LUUTRU.relative_to(PROJECT)} down")  # fmt: skip


def luutru(environment: dict[str, str], *arguments: str) -> tuple[dict[str, Any], int]:
    """Runs the command with `--json`; its document and exit code. Progress goes on to the screen."""
    done = subprocess.run(
        [str(LUUTRU), *arguments, "--json"], env=environment, stdout=subprocess.PIPE, check=False, timeout=3600
    )
    try:
        return json.loads(done.stdout), done.returncode
    except ValueError:
        sys.exit(f"luutru {arguments[0]}: exit {done.returncode}, no document")


def require(result: tuple[dict[str, Any], int]) -> None:
    document, code = result
    if code:
        sys.exit(failed(document, "vi"))


def failed(document: dict[str, Any], lang: str) -> int:
    """Shows the problem that ended the demo; its exit code."""
    told = document.get("problem") or {"code": "?", "message": {lang: str(document)}, "advice": {lang: ""}}
    print(f"{told['code']}: {told['message'][lang]}\n{told['advice'][lang]}", file=sys.stderr)
    return int(document.get("exit") or 1)


def say(lang: str, vi: str, en: str) -> None:
    print(en if lang == "en" else vi, flush=True)


if __name__ == "__main__":
    started = time.monotonic()
    code = main()
    print(f"{time.monotonic() - started:.0f} s")
    sys.exit(code)
