"""What is found in one package while it is judged: by rule and file, and so by document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Final

from pipeline.packages.tt05 import tables
from pipeline.records import Finding, Level, PackagePath

if TYPE_CHECKING:
    from pipeline.packages.tt05.files import Files
    from pipeline.packages.tt05.settings import Tt05Settings
    from pipeline.packages.tt05.types import PackageType

SAME_CODE: Final = 20_000
"""Findings of one code that are listed; the rest is counted (`PKG-MORE`) and still weighs on its document."""


_LONGEST: Final = 500


class Findings:
    """One finding per file and rule, with the first place and the count; all of them at once.

    Rules that the profile keeps silent, or that do not apply to the type of the package, are dropped here.
    """

    def __init__(self, files: Files, of: PackageType, settings: Tt05Settings) -> None:
        self._files = files
        self._of = of.of
        self._silent = frozenset(settings.silent)
        self._found: dict[tuple[str, bytes | None], Finding] = {}
        self._counts: Counter[tuple[str, bytes | None]] = Counter()
        self._per_code: Counter[str] = Counter()
        self._by_file: dict[bytes, list[str]] = {}

    def add(
        self,
        code: str,
        path: bytes | None = None,
        *,
        line: int | None = None,
        element: str | None = None,
        found: object = None,
        expected: object = None,
        level: Level | None = None,
    ) -> None:
        """A problem. `path` below the package folder, None for the package as a whole; `element` is a field of a
        description, shown with its Vietnamese label before what was `found`. `level` only where the case or a setting
        decides; what has one is never silent."""
        if (code in self._silent and level is None) or self._of not in applies(code):
            return
        key = (code, path)
        self._counts[key] += 1
        if self._counts[key] > 1:
            return
        self._per_code[code] += 1
        if path is not None:
            self._by_file.setdefault(path, []).append(code)
        if self._per_code[code] > SAME_CODE:
            return
        value = None if found is None else _short(found)
        if element is not None:
            value = labelled(element) + (f": {value}" if value is not None else "")
        where = None if path is None else self._files.whole(path)
        self._found[key] = Finding(
            code, where, line or None, None if expected is None else _short(expected), value, level
        )

    def outside(self, code: str, path: bytes) -> None:
        """A problem of a file that lies beside the package folder; `path` is that of the tree."""
        if code not in self._silent and self._of in applies(code):
            self._per_code[code] += 1
            if self._per_code[code] <= SAME_CODE:
                self._found[code, b"\0" + path] = Finding(code, PackagePath(path))

    def codes_at(self, paths: Iterable[bytes]) -> tuple[str, ...]:
        """Codes that stand on any of these files."""
        return tuple(dict.fromkeys(code for path in paths for code in self._by_file.get(path, ())))

    def at(self, paths: Iterable[bytes]) -> tuple[Finding, ...]:
        """Findings that stand on any of these files, listed or not."""
        told = []
        for path in dict.fromkeys(paths):
            for code in self._by_file.get(path, ()):
                known = self._found.get((code, path))
                told.append(known or Finding(code, self._files.whole(path)))
        return tuple(told)

    def __iter__(self) -> Iterator[Finding]:
        for key, finding in self._found.items():
            yield _counted(finding, self._counts.get(key, 1))
        for code, count in self._per_code.items():
            if count > SAME_CODE:
                yield Finding("PKG-MORE", None, None, code, str(count - SAME_CODE))


def _short(value: object) -> str:
    """What a package says is kept as far as it is shown."""
    text = str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _counted(finding: Finding, count: int) -> Finding:
    if count < 2:
        return finding
    value = f"{finding.found} (×{count})" if finding.found is not None else f"×{count}"
    return Finding(finding.code, finding.file, finding.line, finding.expected, value, finding.level)


def labelled(element: str) -> str:
    """`Mã hồ sơ (fileCode)`."""
    label = tables.labels().get(element)
    return f"{label} ({element})" if label else element


@cache
def rules() -> Mapping[str, Mapping[str, str]]:
    """`applies`, `tt05` and `tt05-strict` of each code (tt05-packages.md, 18); letters E, W, I, P, – as there."""
    return {row["code"]: row for row in tables.rows("rules.tsv")}


@cache
def applies(code: str) -> frozenset[str]:
    return frozenset(rules()[code]["applies"].split())
