"""A store in a folder: `file:///path`."""

from __future__ import annotations

import builtins
import os
import stat
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import unquote, urlsplit

from pipeline.errors import SystemProblem, UsageProblem
from pipeline.settings import StoreSetting
from pipeline.storage.stores import (
    ABSENT,
    CHUNK,
    PASSPORT,
    Head,
    Item,
    Proof,
    Reading,
    Sink,
    StoreAbsent,
    StoreConflict,
    checked_key,
    trouble,
)
from pipeline.storage.stores.disk import (
    again,
    etag_of,
    forget,
    is_orphan,
    mark_of,
    names_in,
    parent_of,
    pour,
    sync_file_system,
    sync_folders,
    write_all,
)
from pipeline.storage.stores.places import disk_of, free_space, machine
from pipeline.storage.stores.trailing import FROM, Trail
from pipeline.workspace import sync_folder

if TYPE_CHECKING:
    from typing_extensions import Buffer

UNFINISHED = ".unfinished"
"""Folder of documents being written, outside the OCFL root so that no validator meets one."""

_ONE_BY_ONE = 32
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


def folder_of(url: str) -> Path:
    """The absolute folder of a `file:` URL; UsageProblem when it names none on this machine."""
    parts = urlsplit(url)
    path = unquote(parts.path)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not path.startswith("/") or "\0" in path:
        raise UsageProblem("USE-STORE-URL", url=url)
    if parts.query or parts.fragment:
        raise UsageProblem("USE-STORE-URL", url=url)
    return Path(os.path.realpath(path))


class FileStore:
    """Keys are relative paths. Links below the root are never followed; folders that become empty disappear.

    Content is written under its own name and made durable by `sync`: nothing is visible before the root inventory.
    Documents get a temporary name in `.unfinished/`, then are renamed.
    """

    lanes = 1

    def __init__(self, setting: StoreSetting) -> None:
        self.setting = setting
        self.root = folder_of(setting.url)
        self.id = ""
        self._lock = threading.Lock()
        self._folders: set[str] = set()
        self._waiting_files: builtins.list[str] = []
        self._waiting_folders: set[str] = set()
        self._many = False

    def __repr__(self) -> str:
        return f"FileStore({self.name!r}, {self.setting.url!r})"

    @property
    def name(self) -> str:
        return self.setting.name

    def check(self) -> None:
        from pipeline.storage.stores import passport_of

        try:
            held = self._read(PASSPORT)
        except FileNotFoundError:
            raise self._absent() from None
        except OSError as problem:
            raise trouble(self.name, problem, PASSPORT) from problem
        import json

        try:
            found = passport_of(json.loads(held), self.name).store
        except ValueError:
            raise SystemProblem("SYS-STORE-FORMAT", store=self.name, found="?", known=1) from None
        if self.id and found != self.id:
            raise SystemProblem("SYS-STORE-OTHER", store=self.name, found=found, expected=self.id)
        self.id = found

    def put(self, key: str, body: bytes | Path, size: int, sha256: str, *, only_if_absent: bool = False) -> bool:
        target = self._path(checked_key(key))
        if isinstance(body, Path):
            if only_if_absent and self.head(key) is not None:
                return False
            pour(body, self.sink(key, size, sha256), self.name, key)
            return True
        try:
            handle = self._create(target, replace=not only_if_absent)
        except FileExistsError:
            return False
        except OSError as problem:
            raise self._trouble(problem, key) from problem
        try:
            try:
                write_all(handle, body)
            finally:
                os.close(handle)
        except OSError as problem:
            forget(target)
            raise self._trouble(problem, key) from problem
        self._note(target)
        return True

    def sink(self, key: str, size: int, sha256: str) -> Sink:
        target = self._path(checked_key(key))
        try:
            return _FileSink(self, target, self._create(target, replace=True), key, size)
        except OSError as problem:
            raise self._trouble(problem, key) from problem

    def replace(self, key: str, body: bytes | Path, if_match: str | None = None) -> str:
        target = self._path(checked_key(key))
        # Host and process are in the name: `abort_unfinished` must not take a living writer's file.
        temporary = str(self.root / UNFINISHED / f"{mark_of(key)}-{machine()}-{os.getpid()}-{uuid.uuid4().hex[:12]}")
        made = False
        try:
            handle = self._create(temporary, replace=False)
            made = True
            try:
                if isinstance(body, Path):
                    with body.open("rb") as source:
                        while chunk := source.read(CHUNK):
                            write_all(handle, chunk)
                else:
                    write_all(handle, body)
                os.fsync(handle)
                etag = etag_of(os.fstat(handle))
            finally:
                os.close(handle)
            self._swap(temporary, target, key, if_match)
            made = False
            sync_folder(Path(target).parent)
            self._sync_new_folders()
        except OSError as problem:
            raise self._trouble(problem, key) from problem
        finally:
            if made:
                forget(temporary)
        return etag

    def get(self, key: str) -> BinaryIO:
        try:
            return cast(BinaryIO, _Reading(self._open(key), self.name, key))
        except (FileNotFoundError, NotADirectoryError):
            self._still_there()
            raise KeyError(key) from None
        except OSError as problem:
            raise self._trouble(problem, key) from problem

    def read(self, key: str) -> bytes:
        try:
            return self._read(key)
        except (FileNotFoundError, NotADirectoryError):
            if key != PASSPORT:
                self._still_there()
            raise KeyError(key) from None
        except OSError as problem:
            raise self._trouble(problem, key) from problem

    def head(self, key: str) -> Head | None:
        try:
            target = self._path(key)
            self._walk(parent_of(target))
            found = os.lstat(target)
        except (FileNotFoundError, NotADirectoryError):
            self._still_there()
            return None
        except OSError as problem:
            raise self._trouble(problem, key) from problem
        if not stat.S_ISREG(found.st_mode):
            return None
        return Head(found.st_size, etag_of(found))

    def list(self, prefix: str) -> Iterator[Item]:
        start = self._path(prefix.rstrip("/")) if prefix else str(self.root)
        waiting = [(start, prefix)]
        try:
            self._walk(start)
            while waiting:
                folder, below = waiting.pop()
                with os.scandir(folder) as entries:
                    for entry in entries:
                        if entry.is_dir(follow_symlinks=False):
                            if below or entry.name != UNFINISHED:
                                waiting.append((entry.path, f"{below}{entry.name}/"))
                        else:
                            found = entry.stat(follow_symlinks=False)
                            yield Item(below + entry.name, found.st_size if stat.S_ISREG(found.st_mode) else -1)
        except (FileNotFoundError, NotADirectoryError):
            # Nothing there yet, or removed while we looked: both are an empty answer of a store that is there.
            self._still_there()
        except OSError as problem:
            raise self._trouble(problem, prefix) from problem

    def delete(self, key: str) -> None:
        target = self._path(key)
        try:
            self._walk(parent_of(target))
            Path(target).unlink()
            with self._lock:
                self._waiting_files = [file for file in self._waiting_files if file != target]
        except (FileNotFoundError, NotADirectoryError):
            self._still_there()
            return
        except OSError as problem:
            raise self._trouble(problem, key) from problem
        self._prune(parent_of(target))

    def sync(self) -> None:
        with self._lock:
            files, folders, many = self._waiting_files, self._waiting_folders, self._many
            self._waiting_files, self._waiting_folders, self._many = [], set(), False
        try:
            if many and sync_file_system(self.root):
                return
            if many:
                os.sync()
            for file in files:
                handle = os.open(file, _READ)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)
            sync_folders(folders)
        except OSError as problem:
            raise self._trouble(problem, "") from problem

    def abort_unfinished(self, prefix: str = "") -> int:
        """Documents of writers that are gone, and empty folders below the prefix."""
        count = 0
        try:
            for name in names_in(self.root / UNFINISHED):
                file = self.root / UNFINISHED / name
                if is_orphan(file):
                    forget(str(file))
                    count += 1
            start = self._path(prefix.rstrip("/")) if prefix else str(self.root)
            for folder, _, _ in os.walk(start, topdown=False):
                if not names_in(Path(folder)):
                    self._prune(folder)
        except OSError as problem:
            raise self._trouble(problem, prefix) from problem
        return count

    def local(self, key: str) -> Path | None:
        return Path(self._path(key))

    def folder(self, prefix: str) -> str:
        """For `on_disk`."""
        return self._path(prefix.rstrip("/")) + "/"

    def prepare(self) -> None:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise trouble(self.name, problem, str(self.root)) from problem

    def facts(self) -> dict[str, Any]:
        medium, place = disk_of(self.root)
        return {"medium": medium, "place": place, "free": free_space(self.root)}

    def close(self) -> None:
        pass

    # --- below: nothing but this file uses it

    def _still_there(self) -> None:
        """What is missing is missing only in a store that is there; one being added has no `store.json` yet."""
        if self.id:
            self.check()
        elif not self.root.is_dir():
            raise self._absent()

    def _path(self, key: str) -> str:
        if not key or key.startswith("/") or "\0" in key or any(part in ("", ".", "..") for part in key.split("/")):
            raise ValueError(f"key {key!r}")
        return f"{self.root}/{key}"

    def _walk(self, folder: str) -> None:
        """FileNotFoundError unless every step from the root to `folder` is a real folder; ELOOP at a link."""
        if folder in self._folders or len(folder) <= len(str(self.root)):
            return
        self._walk(parent_of(folder))
        mode = os.lstat(folder).st_mode
        if stat.S_ISLNK(mode):
            raise SystemProblem("SYS-STORE-LINK", store=self.name, key=folder[len(str(self.root)) + 1 :])
        if not stat.S_ISDIR(mode):
            raise NotADirectoryError(20, "not a folder")
        self._folders.add(folder)

    def _open(self, key: str) -> int:
        target = self._path(key)
        self._walk(parent_of(target))
        try:
            handle = os.open(target, _READ)
        except OSError:
            if os.path.islink(target):
                raise SystemProblem("SYS-STORE-LINK", store=self.name, key=key) from None
            raise
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise SystemProblem("SYS-STORE-LINK", store=self.name, key=key)
        return handle

    def _read(self, key: str) -> bytes:
        handle = self._open(key)
        try:
            wanted = os.fstat(handle).st_size
            data = os.read(handle, wanted + 1)
            while len(data) < wanted or len(data) > wanted:
                more = os.read(handle, CHUNK)
                if not more:
                    break
                data += more
            return data
        finally:
            os.close(handle)

    def _create(self, target: str, *, replace: bool) -> int:
        """A new file opened for writing, its folders made; what was there before is unlinked, never written into."""
        for attempt in range(3):
            try:
                self._make(parent_of(target))
                return os.open(target, _CREATE, 0o644)
            except FileExistsError:
                if not replace:
                    raise
                Path(target).unlink()
            except FileNotFoundError:
                # Another process pruned the folder, or the disk is gone: look again with nothing remembered.
                self._folders.clear()
                if attempt == 2 or (self.id and not os.path.lexists(self.root / PASSPORT)):
                    raise
        raise FileExistsError(17, "written by another process")

    def _make(self, folder: str) -> None:
        if folder in self._folders:
            return
        try:
            self._walk(folder)
        except FileNotFoundError:
            parent = parent_of(folder)
            if len(folder) <= len(str(self.root)):
                raise
            self._make(parent)
            try:
                Path(folder).mkdir(0o755)
            except FileExistsError:
                pass
            with self._lock:
                self._waiting_folders.add(parent)
            self._walk(folder)

    def _note(self, target: str) -> None:
        with self._lock:
            if len(self._waiting_files) < _ONE_BY_ONE:
                self._waiting_files.append(target)
                self._waiting_folders.add(parent_of(target))
            else:
                self._many = True

    def _sync_new_folders(self) -> None:
        """Folders made for a document must not be lost with it."""
        with self._lock:
            folders = sorted(self._waiting_folders)
        sync_folders(folders)

    def _swap(self, temporary: str, target: str, key: str, if_match: str | None) -> None:
        def swap() -> None:
            self._make(parent_of(target))
            if if_match == ABSENT:
                self._link(temporary, target, key)
                return
            if if_match is not None:
                self._walk(parent_of(target))
                if not os.path.lexists(target) or etag_of(os.lstat(target)) != if_match:
                    raise StoreConflict("SYS-STORE-CONFLICT", store=self.name, key=key)
            os.replace(temporary, target)

        again(swap, self._folders.clear)

    def _link(self, temporary: str, target: str, key: str) -> None:
        """Gives a finished file its name unless the name is taken: `link` tells, where the file system has it."""
        try:
            os.link(temporary, target, follow_symlinks=False)
        except FileExistsError:
            raise StoreConflict("SYS-STORE-CONFLICT", store=self.name, key=key) from None
        except FileNotFoundError:
            raise
        except OSError:
            # FAT and some network file systems know no second name.
            if os.path.lexists(target):
                raise StoreConflict("SYS-STORE-CONFLICT", store=self.name, key=key) from None
            os.replace(temporary, target)
            return
        Path(temporary).unlink()

    def _prune(self, folder: str) -> None:
        """Removes folders that became empty: OCFL allows none (E024, E073)."""
        while len(folder) > len(str(self.root)):
            try:
                os.rmdir(folder)
            except OSError:
                return
            self._folders.discard(folder)
            with self._lock:
                self._waiting_folders.discard(folder)
            folder = parent_of(folder)

    def _trouble(self, problem: OSError, key: str) -> SystemProblem:
        if not os.path.lexists(self.root / PASSPORT) and self.id:
            return self._absent()
        return trouble(self.name, problem, key)

    def _absent(self) -> StoreAbsent:
        return StoreAbsent("SYS-STORE-ABSENT", store=self.name, url=self.setting.url)


class _FileSink:
    def __init__(self, store: FileStore, target: str, handle: int, key: str, size: int) -> None:
        self._store, self._target, self._handle, self._key = store, target, handle, key
        self.proof: Proof | None = None
        try:
            self._trail = Trail(handle, target, size) if size >= FROM else None
        except BaseException:
            os.close(handle)
            raise

    def write(self, chunk: bytes | memoryview) -> None:
        try:
            if self._trail is not None:
                self._trail.write(chunk)
            else:
                write_all(self._handle, chunk)
        except OSError as problem:
            raise self._store._trouble(problem, self._key) from problem

    def finish(self) -> None:
        if self._handle < 0:
            return
        try:
            if self._trail is not None:
                found = self._trail.end()
                self.proof = Proof(found, etag_of(os.fstat(self._handle)))
            handle, self._handle = self._handle, -1
            os.close(handle)
        except OSError as problem:
            self.proof = None
            raise self._store._trouble(problem, self._key) from problem
        self._store._note(self._target)

    def abort(self) -> None:
        if self._handle >= 0:
            if self._trail is not None:
                self._trail.stop()
            handle, self._handle = self._handle, -1
            try:
                os.close(handle)
            except OSError:
                pass
            forget(self._target)
            self._store._prune(parent_of(self._target))


class _Reading(Reading):
    """A file opened for reading whose errors are the store's."""

    def __init__(self, handle: int, name: str, key: str) -> None:
        super().__init__()
        self._handle, self._name, self._key = handle, name, key

    def more(self, size: int) -> bytes:
        try:
            return os.read(self._handle, size)
        except OSError as problem:
            raise trouble(self._name, problem, self._key) from problem

    def readinto(self, buffer: Buffer, /) -> int:
        try:
            return os.readv(self._handle, [buffer])
        except OSError as problem:
            raise trouble(self._name, problem, self._key) from problem

    def close(self) -> None:
        if not self.closed:
            os.close(self._handle)
        super().close()
