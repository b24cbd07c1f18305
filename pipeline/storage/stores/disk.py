"""What a folder store asks of the operating system, call by call."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from pipeline.errors import SystemProblem
from pipeline.storage.stores import CHUNK, Sink
from pipeline.storage.stores.places import machine
from pipeline.workspace import sync_folder


def pour(file: Path, sink: Sink, name: str, key: str) -> None:
    """A local file into a sink; an unreadable file of ours is not the store's fault."""
    try:
        with file.open("rb") as source:
            while chunk := source.read(CHUNK):
                sink.write(chunk)
        sink.finish()
    except OSError as problem:
        sink.abort()
        raise SystemProblem("SYS-STORE-BODY", store=name, key=key, cause=problem.strerror or problem) from problem
    except BaseException:
        sink.abort()
        raise


def write_all(handle: int, data: bytes | memoryview) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def again(act: Callable[[], None], forget: Callable[[], None]) -> None:
    """Another process may prune a folder between its making and its use: twice more, then it is a real error."""
    for attempt in range(3):
        try:
            act()
            return
        except FileNotFoundError:
            forget()
            if attempt == 2:
                raise


def parent_of(path: str) -> str:
    return path.rpartition("/")[0]


def etag_of(found: os.stat_result) -> str:
    """A rename gives a new inode, a rewrite a new time: enough to see that a document is another one."""
    return f"{found.st_ino:x}-{found.st_size:x}-{found.st_mtime_ns:x}"


def mark_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def sync_folders(folders: Iterable[str]) -> None:
    for folder in folders:
        try:
            sync_folder(Path(folder))
        except FileNotFoundError:
            # Pruned meanwhile: it was empty, there is nothing in it to lose.
            pass


def is_orphan(file: Path) -> bool:
    """Whether the writer of an unfinished document is gone; one on another machine is given a day."""
    parts = file.name.split("-")
    if len(parts) != 4 or not parts[2].isdigit():
        return False
    if parts[1] == machine() and not alive(int(parts[2])):
        return True
    try:
        return time.time() - os.lstat(file).st_mtime > 86400
    except FileNotFoundError:
        return False


def names_in(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


def forget(target: str) -> None:
    try:
        Path(target).unlink()
    except OSError:
        # Best effort: a torn content file is written again, an unfinished document is removed by the next writer.
        pass


def reserve(handle: int, size: int) -> None:
    """Room for a file that is being written, where the system can and there is so much: fewer pieces on the disk.

    Never raises, and changes neither bytes nor size: whether there is room, the writing tells.
    """
    import ctypes

    if sys.maxsize < 2**32:
        return
    try:
        free = os.fstatvfs(handle)
        call = ctypes.CDLL(None).fallocate
    except (OSError, AttributeError):
        return
    if free.f_bavail * free.f_frsize > size:
        keep_size = 1
        call(handle, keep_size, ctypes.c_int64(0), ctypes.c_int64(size))


def out_of_memory(file: str) -> None:
    """The next reading of a file comes from the disk, where the system can: for who synced before."""
    if hasattr(os, "posix_fadvise"):
        handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(handle)


def sync_file_system(folder: Path) -> bool:
    """One syncfs(2) for everything written; False where the system has none."""
    import ctypes

    try:
        call = ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError):
        return False
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if call(handle) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(handle)
    return True
