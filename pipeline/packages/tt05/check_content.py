"""Rules of the data files themselves: formats (FMT), signatures (SIG), pages (DOC-17), malware (SUB-08), duplicates
(SUB-01). What Art. 8 asks of digitised documents is not asked of those that were born digital."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from pipeline.content import inspection
from pipeline.packages.tt05 import tables, values
from pipeline.packages.tt05.gathered import Findings
from pipeline.packages.tt05.looking import descriptor
from pipeline.packages.tt05.package import REP_BASE, Document, Package, is_fetch
from pipeline.pool import Failure, FailureKind, Task, shared
from pipeline.records import Level

_TEXTS: Final = frozenset(("text/plain", "text/csv", "text/html"))
_WORDS: Final = frozenset(("application/msword", "application/vnd.ms-excel", "application/rtf"))
"""What programs open though plain text stands in it."""

_FILMS: Final = frozenset(("video/mpeg", "video/mp4", "video/quicktime", "application/mp4"))
_STREAMED: Final = frozenset(("video/x-ms-asf", "audio/x-ms-wma", "video/x-ms-wmv"))
_PDF: Final = "application/pdf"
_MAPS: Final = frozenset(("30", "31"))
_DPI, _DPI_OF_MAPS, _TOLERANCE = 200, 300, 0.99
_BITS: Final = 24
_KBPS: Final = {"audio": 128, "video": 1500}
_BLACK_AND_WHITE: Final = "02"
_SAID: Final = {
    "password": "có mật khẩu (password)",
    "encrypted": "mã hóa (encrypted)",
    "no pages": "không có trang (no pages)",
    "the end is missing": "thiếu phần cuối (the end is missing)",
    "timeout": "quá thời gian (timeout)",
    "memory": "quá bộ nhớ (memory)",
    "crash": "làm hỏng chương trình đọc (crash)",
    "self-signed": "chứng thư tự ký (self-signed)",
    "no trust roots": "chưa khai chứng thư gốc (no trust roots)",
    "the digest of the content differs": "mã băm của nội dung khác (digest)",
    "the signature value does not hold": "giá trị chữ ký không đúng (signature value)",
    "no signature value": "không có giá trị chữ ký (no signature value)",
    "the byte range lies outside the file": "vùng ký nằm ngoài tệp (byte range)",
}
"""What stands in the texts of both languages; words of libraries stay as they are."""


@dataclass(frozen=True, slots=True)
class _File:
    """What is known of a data file before it is looked at. `pages` as declared, None where the rule does not apply."""

    path: bytes
    kind: str
    digitised: bool
    map: bool
    colour: str
    pages: int | None


class ContentRules:
    """Keeps one small record for each data file until all are looked at, in workers, at the end."""

    def __init__(self, package: Package, found: Findings) -> None:
        self._package = package
        self._found = found
        self._level = package.ead_values.get("confidenceLevel", "")
        self._some = False
        self._files: list[tuple[_File, str]] = []
        self._first: dict[bytes, bytes] = {}

    def see(self, document: Document) -> None:
        if document.linked:
            return
        own = document.values.get("confidenceLevel", "")
        self._some = self._some or own == "02"
        term = document.values.get("typeName", "")
        colour = document.values.get("colour", "")
        pages = values.whole(document.values.get("numberOfPage", ""))
        alone = len(document.data) == 1
        for path in document.data:
            if not is_fetch(path):
                told = pages if alone else None
                self._files.append((_File(path, document.kind, False, term in _MAPS, colour, told), own))
        self._twins(document)
        for path in document.attachments:
            self._files.append((_File(path, "attachment", False, False, "", None), "01"))

    def end(self) -> None:
        declared = self._declared()
        pool = shared(inspection.MODULES, 0)
        for result in pool.map("pipeline.content.inspection:look", self._tasks(), self._package.scratch):
            file: _File = result.key
            if isinstance(result.value, Failure):
                self._failed(file, result.value)
                continue
            _Looked(self._package, self._found, file, result.value, declared.get(file.path, "")).judge()

    def _failed(self, file: _File, failure: Failure) -> None:
        """A file that a worker gave up. One that is too big or slow for us may be whole: that is only a warning."""
        if failure.cause is None:
            ours = failure.kind in (FailureKind.MEMORY, FailureKind.TIMEOUT)
            level = Level.WARNING if ours else None
            self._found.add("TT05-FMT-08", file.path, found=_SAID.get(failure.kind, failure.text[:200]), level=level)

    def _tasks(self) -> Iterator[Task]:
        files = self._package.files
        for file, own in self._files:
            size = files.size(file.path)
            if size:
                digitised = _digitised(self._level, own, self._some, file.kind)
                key = _File(file.path, file.kind, digitised, file.map, file.colour, file.pages)
                yield Task(key, partial(self._open, file.path), (), size)

    def _open(self, path: bytes) -> tuple[int, ...]:
        return (descriptor(self._package, path),)

    def _declared(self) -> dict[bytes, str]:
        """MIMETYPE of each data file by the METS of rep1."""
        found: dict[bytes, str] = {}
        for one in self._package.rep.files():
            path = self._package.resolve(one.href, REP_BASE) if one.mime else None
            if path is not None and one.mime:
                found.setdefault(path, one.mime.partition(";")[0].strip().lower())
        return found

    def _twins(self, document: Document) -> None:
        """A document handed in twice: the same bytes, or, if the settings say so, the same codes."""
        if self._package.settings.duplicate == "codes":
            keys = [document.values.get(name, "").encode("utf-8", "surrogatepass") for name in ("docId", "docCode")]
            told = {key: document.own for key in keys if key}
        else:
            told = {
                bytes.fromhex(digest): path for path in document.data
                if self._package.files.size(path) and (digest := self._package.digest(path)) is not None
            }  # fmt: skip
        for key, path in told.items():
            first = self._first.setdefault(key, path)
            if first != path:
                self._found.add("TT05-SUB-01", path, found=_name(path), expected=_name(first))


def _digitised(file: str, own: str, some: bool, kind: str) -> bool:
    """Whether Art. 8 applies: confidenceLevel 02 of the file or of the document; in mixed files (03) all that does not
    say of itself to be born digital; pictures and sound, which say nothing, where anything is digitised."""
    if kind == "attachment":
        return False
    if file == "02" or own == "02":
        return True
    if kind in ("pic", "media"):
        return some or file == "03"
    return file == "03" and own != "01"


class _Looked:
    """The rules of one data file that a worker has looked at."""

    def __init__(self, package: Package, found: Findings, file: _File, told: dict[str, Any], declared: str) -> None:
        self._package, self._found, self._file = package, found, file
        self._told, self._declared = told, declared
        self._kind: str = told["kind"]
        name = file.path.rpartition(b"/")[2]
        self._extension = name.rpartition(b".")[2].decode("ascii", "replace").lower() if b"." in name else ""

    def judge(self) -> None:
        if self._told["eicar"]:
            self._add("TT05-SUB-08", "EICAR")
        if self._told["why"]:
            self._add("TT05-FMT-08", _SAID.get(self._told["why"], f"hỏng (damaged): {self._told['why']}"))
        self._format()
        if self._kind == _PDF:
            self._pdf()
        elif not self._told["why"]:
            self._as_digitised(None)
        if not self._told["why"]:
            self._pages()
            self._rate()

    def _format(self) -> None:
        expected = tables.mime_of_extension().get(self._extension)
        kind, known = self._kind, tables.mimes()
        if not kind:
            if expected is None:
                self._add("TT05-FMT-01", self._extension or "?")
            elif expected not in _TEXTS and not self._told["why"]:
                self._add("TT05-FMT-08", f"≠ {expected}")
            return
        if kind in _TEXTS:
            if expected is None:
                self._add("TT05-FMT-01", self._extension or kind)
            elif expected not in _TEXTS:
                self._add("TT05-FMT-02", kind, self._extension)
                if kind == "text/plain" and expected not in _WORDS:
                    self._add("TT05-FMT-08", f"≠ {expected}")
            return
        listed = kind in known or kind in _FILMS or kind in _STREAMED
        if not listed:
            self._add("TT05-FMT-01", kind)
        if expected is None and listed:
            self._add("TT05-FMT-02", kind, self._extension or None)
        elif expected is not None and not _alike(kind, expected):
            self._add("TT05-FMT-02", kind, self._extension)
        elif listed and self._declared in known and not _alike(kind, self._declared):
            self._add("TT05-FMT-02", kind, self._declared)

    def _pdf(self) -> None:
        told = self._told
        active = [*([_SAID["encrypted"]] if told["encrypted"] else []), *told["active"]]
        if active:
            self._add("TT05-FMT-07", ", ".join(active))
        if told["legacy"]:
            self._add("TT05-FMT-10", ", ".join(told["legacy"]))
        if told["why"]:
            return
        self._as_digitised(told["claim"])
        self._signatures()

    def _as_digitised(self, claim: str | None) -> None:
        """What Art. 8 asks of paper and pictures that were digitised; `claim` is None for what is no PDF."""
        file, told = self._file, self._told
        if not file.digitised or file.kind not in ("doc", "pic"):
            return
        if file.kind == "doc":
            if not claim:
                what = "PDF" if claim is not None else self._kind or self._extension
                self._add("TT05-FMT-03", what, "PDF/A", self._asked(self._package.settings.pdfa))
            if claim is not None and not told["text"]:
                self._add("TT05-FMT-04")
        least = _DPI_OF_MAPS if file.map else _DPI
        if told.get("dpi") is not None and told["dpi"] < least * _TOLERANCE:
            self._add("TT05-FMT-05", round(told["dpi"]), least)
        if told.get("bits") is not None and told["bits"] < _BITS and file.colour != _BLACK_AND_WHITE:
            self._add("TT05-FMT-06", told["bits"], _BITS)

    def _signatures(self) -> None:
        made = [one for one in self._told["signatures"] if not one["time_stamp"]]
        stamps = [one for one in self._told["signatures"] if one["time_stamp"]]
        if not made and self._file.digitised and self._file.kind == "doc":
            self._add("TT05-SIG-01", None, None, self._asked(self._package.settings.signature))
        elif self._file.digitised and self._file.kind == "doc" and all((one["page"] or 1) > 1 for one in made):
            pages = ", ".join(str(one["page"]) for one in made)
            self._add("TT05-SIG-01", pages, "1", self._asked(self._package.settings.signature))
        for one in (*made, *stamps):
            if one["intact"] is False:
                self._add("TT05-SIG-02", _SAID.get(one["why"], one["why"]))
        if (made or stamps) and self._told["rest"] and all(one["intact"] is not False for one in (*made, *stamps)):
            self._add("TT05-SIG-03", self._told["rest"])
        if made:
            why = next((one["why"] for one in made if one["intact"] is None), "")
            why = why or ("self-signed" if all(one["self_signed"] for one in made) else "no trust roots")
            self._add("TT05-SIG-04", _SAID.get(why, why))
            if not stamps and any(not one["stamped"] for one in made):
                self._add("TT05-SIG-05")

    def _pages(self) -> None:
        pages = self._told.get("pages")
        if self._file.pages is not None and self._file.kind == "doc" and pages and pages != self._file.pages:
            self._found.add("TT05-DOC-17", self._file.path, found=pages, expected=self._file.pages)

    def _rate(self) -> None:
        rate, family = self._told.get("kbps"), self._kind.partition("/")[0]
        if self._kind in _STREAMED:
            family = "audio" if self._extension == "wma" else "video"
        if self._file.kind == "media" and rate is not None and rate < _KBPS[family] * _TOLERANCE:
            self._add("TT05-FMT-09", round(rate), _KBPS[family])

    def _asked(self, weight: str) -> Level | None:
        return {"warning": Level.WARNING, "block": Level.ERROR}.get(weight)

    def _add(self, code: str, told: object = None, expected: object = None, level: Level | None = None) -> None:
        self._found.add(code, self._file.path, found=told, expected=expected, level=level)


def _alike(kind: str, other: str) -> bool:
    """Whether two media types are names of one family of formats."""
    return kind == other or any(kind in family and other in family for family in (_TEXTS, _FILMS, _STREAMED))


def _name(path: bytes) -> str:
    return path.rpartition(b"/")[2].decode("utf-8", "replace")
