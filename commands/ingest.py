"""`luutru ingest`: packages the whole way, with or without Prefect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from commands.frame import Answer, answer, finish, language, note, tables, told_of
from commands.progress import Display
from pipeline.errors import Interrupted, SystemProblem, UsageProblem
from pipeline.findings import problem_json
from pipeline.ingest.item import Item, exit_code
from pipeline.ingest.tokens import Request


def ingest(
    paths: tuple[Path, ...],
    *,
    batch: bool,
    profile: str,
    kind: str | None,
    queue: bool,
    as_json: bool,
    lang: str | None,
    reports: tuple[Path, ...] = (),
) -> int:
    """Exit code of the contract; the document is `ingest/1`. `reports` are written from it as well."""

    def work() -> Answer:
        return _ingest(paths, batch, profile, kind, queue, language(lang), reports)

    return answer("ingest/1", work, as_json=as_json, lang=lang)


def _ingest(
    paths: tuple[Path, ...],
    batch: bool,
    profile: str,
    kind: str | None,
    queue: bool,
    lang: str,
    reports: tuple[Path, ...],
) -> Answer:
    from flows.services import running
    from pipeline.content.reading import get_ready
    from pipeline.settings import profile as named
    from pipeline.settings import settings
    from pipeline.workspace import now, rfc3339, workspace

    space = workspace()
    asked = named(profile)
    services = running(space)
    if services is None:
        # While it reads its signatures, this process reads its own modules and looks at the stores.
        get_ready(settings(space).workers)
    from commands.reports import planned, written
    from pipeline.ingest.ingest import ingest as whole_way
    from pipeline.ingest.preflight import preflight

    packages = [package for path in paths for package in _packages(path, batch)]
    known_kind(kind)
    if queue and reports:
        raise UsageProblem("USE-REPORT-QUEUE")
    files = planned(reports, packages)
    begun = rfc3339(now())
    preflight(space, asked)
    requests = [Request(space, package, asked, kind) for package in packages]
    if queue:
        if services is None:
            raise UsageProblem("USE-QUEUE")
        from flows.run import enqueue

        queued = enqueue(requests, lang)
        return Answer(queued, 0, lambda _, tongue: _queued(len(queued), tongue))
    items: list[Item] = []
    stopped = False
    with Display(lang, len(requests)) as display:

        def done(item: Item) -> None:
            items.append(item)
            display.finished(item)

        try:
            if services is not None:
                from flows.run import ingest_batch

                ingest_batch(services, requests, done, display.progress, lang)
            else:
                for request in requests:
                    display.begins(request.package)
                    done(whole_way(request, progress=display.progress))
        except Interrupted:
            stopped = True
    if not stopped and services is None:
        _fill(space, lang)
    documents = [item.document() for item in items]
    code = exit_code([item.exit for item in items])
    extra = {}
    try:
        finish(space, lang)
    except SystemProblem as problem:
        # What was done is told all the same; but it is no success before the journal lies in the stores.
        told_of(problem, lang)
        extra, code = {"problem": problem_json(problem)}, exit_code([code, problem.exit_code])
    if stopped:
        note({"vi": "Đã dừng; chạy lại đúng lệnh này để làm tiếp.", "en": "Stopped; the same command goes on."}[lang])
    _report(space, documents, lang)
    if unwritten := written(space, "ingest/1", files, documents, begun, lang):
        extra, code = {"problem": problem_json(unwritten), **extra}, exit_code([code, unwritten.exit_code])
    return Answer(documents, code, tables, extra)


def _fill(space: Any, lang: str) -> None:
    """Copies that AIPs of earlier runs wait for, where no worker makes them."""
    from pipeline.administration.archive import archive
    from pipeline.administration.waiting import fill_all

    try:
        fill_all(archive(space))
    except SystemProblem as problem:
        told_of(problem, lang)


def _report(space: Any, documents: list[dict[str, Any]], lang: str) -> None:
    """The page for people; without it nothing is lost, so it is only said."""
    from pipeline.reports.html import write_ingest_report

    page = space.reports / "ingest.html"
    try:
        write_ingest_report(page, documents)
    except OSError as problem:
        told_of(SystemProblem("SYS-WRITE", file=page, cause=problem.strerror or problem), lang)
    else:
        note(f"{'Báo cáo' if lang == 'vi' else 'Report'}: {page}")


def _packages(path: Path, batch: bool) -> list[Path]:
    """The path itself, or with `--batch` each of its children in order of name."""
    try:
        if not path.exists():
            raise UsageProblem("USE-PATH", path=path)
        if not batch:
            return [path]
        if not path.is_dir():
            raise UsageProblem("USE-BATCH", path=path)
        return sorted((child for child in path.iterdir() if not child.name.startswith(".")), key=lambda one: bytes(one))
    except OSError as problem:
        raise SystemProblem("SYS-READ", file=path, cause=problem.strerror or problem) from problem


def known_kind(kind: str | None) -> None:
    """UsageProblem for a kind that does not exist."""
    from pipeline.packages.registry import forced_kind

    if kind is not None:
        forced_kind(kind)


def _queued(number: int, lang: str) -> str:
    return {
        "vi": f"Đã xếp hàng {number} gói cho tiến trình nền; xem luutru status.",
        "en": f"{number} packages are queued for the worker; see luutru status.",
    }[lang]
