"""The files of a package held sorted, to ask for names as people and other programs spell them."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left

from pipeline.names import is_utf8
from pipeline.records import PackagePath


class Held:
    """The files of one part of the bag, sorted; about a hundred bytes each."""

    def __init__(self, paths: list[PackagePath]) -> None:
        self.paths = paths
        self._forms: dict[str, int] | None = None
        self._folded: dict[str, int] | None = None

    def find(self, path: bytes) -> int | None:
        index = bisect_left(self.paths, path)
        return index if index < len(self.paths) and self.paths[index] == path else None

    def is_folder(self, path: bytes) -> bool:
        below = path.rstrip(b"/") + b"/"
        index = bisect_left(self.paths, below)
        return index < len(self.paths) and self.paths[index].startswith(below)

    def same_form(self, path: bytes) -> int | None:
        """The file whose name differs in Unicode normalisation only."""
        if self._forms is None:
            self._forms = {_form(held): index for index, held in enumerate(self.paths) if is_utf8(held)}
        return self._forms.get(_form(path)) if is_utf8(path) else None

    def same_letters(self, path: bytes) -> int | None:
        """The file whose name differs in letter case only."""
        if self._folded is None:
            self._folded = {_form(held).casefold(): i for i, held in enumerate(self.paths) if is_utf8(held)}
        return self._folded.get(_form(path).casefold()) if is_utf8(path) else None


def _form(path: bytes) -> str:
    return unicodedata.normalize("NFC", path.decode())
