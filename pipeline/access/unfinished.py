"""A folder that appears under its name only when it is whole: written beside its place, taken up again after a kill."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import SystemProblem, UsageProblem
from pipeline.names import shown
from pipeline.storage.stores import CHUNK
from pipeline.workspace import sync_folder


@dataclass(frozen=True, slots=True)
class Put:
    """A file that lies where it should: bytes, digests by algorithm in lower-case hex; `kept` from an earlier run."""

    size: int
    digests: dict[str, str]
    kept: bool


class Unfinished:
    """`folder/.NAME.unfinished/NAME`, which `finish` moves to `folder/NAME`.

    What an earlier run left there is kept file by file where its digest is the one that is asked for; everything that
    this run did not put is removed. Errors of the file system come as they are; see `writing`.
    """

    def __init__(self, folder: Path, name: str, algorithms: Iterable[str]) -> None:
        self.target = folder / name
        self._outer = folder / f".{name}.unfinished"
        self.place = self._outer / name
        self._algorithms = tuple(algorithms)
        self._mine: set[bytes] = set()

    def begin(self) -> None:
        """Makes the folder. UsageProblem when its name is taken, or by a link instead of a folder of ours."""
        self._refuse_taken()
        if self._outer.is_symlink() or (self._outer.exists() and not self._outer.is_dir()):
            self._outer.unlink()
        if self.place.is_symlink():
            self.place.unlink()
        self.place.mkdir(parents=True, exist_ok=True)
        # A link inside would lead the writing elsewhere; nothing of ours is one.
        for here, folders, files in os.walk(self.place):
            for name in (*folders, *files):
                if (Path(here) / name).is_symlink():
                    (Path(here) / name).unlink()

    def put(self, path: bytes, open_: Callable[[], BinaryIO], sha256: str) -> Put:
        """A file with these bytes. SystemProblem SYS-COPY-DAMAGED when the source is not what its digest says."""
        file = self.place / os.fsdecode(path)
        self._mine.add(path)
        if file.is_file():
            with file.open("rb") as there:
                size, digests = self._digested(there, None)
            if digests["sha256"] == sha256:
                return Put(size, digests, True)
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            source = open_()
        except KeyError:
            raise SystemProblem("SYS-COPY-DAMAGED", path=shown(path), expected=sha256, found="-") from None
        part = self._outer / "part"
        with closing(source), part.open("wb") as out:
            size, digests = self._digested(source, out)
        if digests["sha256"] != sha256:
            raise SystemProblem("SYS-COPY-DAMAGED", path=shown(path), expected=sha256, found=digests["sha256"])
        part.replace(file)
        return Put(size, digests, False)

    def made(self, path: bytes) -> None:
        """A file that was written below `place` by somebody else in this run."""
        self._mine.add(path)

    def tidy(self) -> tuple[int, int]:
        """Removes what this run did not put; (files, bytes) of what remains."""
        files = size = 0
        for here, _, names in os.walk(self.place, topdown=False):
            folder = Path(here)
            for name in names:
                file = folder / name
                if os.fsencode(file.relative_to(self.place)) in self._mine:
                    files, size = files + 1, size + file.stat().st_size
                else:
                    file.unlink()
            if folder != self.place and not any(folder.iterdir()):
                folder.rmdir()
        return files, size

    def finish(self) -> Path:
        """Everything is durable, then the folder gets its name."""
        for here, _, names in os.walk(self.place):
            for name in names:
                handle = os.open(Path(here) / name, os.O_RDONLY)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)
            sync_folder(Path(here))
        self._refuse_taken()
        self.place.rename(self.target)
        sync_folder(self.target.parent)
        shutil.rmtree(self._outer, ignore_errors=True)
        return self.target

    def drop(self) -> None:
        """Nothing is left behind."""
        shutil.rmtree(self._outer, ignore_errors=True)

    def _digested(self, source: BinaryIO, out: BinaryIO | None) -> tuple[int, dict[str, str]]:
        sums = {name: hashlib.new(name) for name in self._algorithms}
        size = 0
        while chunk := source.read(CHUNK):
            size += len(chunk)
            for one in sums.values():
                one.update(chunk)
            if out is not None:
                out.write(chunk)
        return size, {name: one.hexdigest() for name, one in sums.items()}

    def _refuse_taken(self) -> None:
        if os.path.lexists(self.target):
            raise UsageProblem("USE-EXPORT-EXISTS", path=self.target)
