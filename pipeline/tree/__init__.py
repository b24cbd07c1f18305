"""One way to look at a package: entries in raw-byte order, bytes by path."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pipeline.errors import UsageProblem
from pipeline.records import Finding
from pipeline.settings import Limits
from pipeline.tree.base import ContentDamage, Entry, Opened, Tree, unreadable
from pipeline.tree.folder import FolderTree, open_folder

__all__ = ["ContentDamage", "Entry", "FolderTree", "Opened", "Tree", "open_tree", "unreadable"]


def open_tree(
    path: Path, limits: Limits, scratch: Path | None = None, *, digest: bool = True, partly: bool = False
) -> Opened:
    """The tree of a folder, or of a zip, tar or tar.gz recognised by its bytes; all findings of opening at once.

    `scratch` takes the one unpacked copy that a tar.gz needs (no name, gone when the tree is closed); `digest`
    asks for the SHA-256 of an archive file; `partly` for the good members of an archive that has bad ones.
    UsageProblem when there is no such path, SystemProblem when it cannot be read. Nothing is written elsewhere.
    """
    raw = os.fsencode(path)
    try:
        mode = os.stat(raw).st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise UsageProblem("USE-PATH", path=path) from None
    except OSError as problem:
        raise unreadable(raw, problem) from problem
    except ValueError:
        raise UsageProblem("USE-PATH", path=path) from None
    if stat.S_ISDIR(mode):
        return open_folder(path, limits)
    if not stat.S_ISREG(mode):
        return Opened(None, (Finding("PKG-NOT-A-PACKAGE", found="special file"),))
    # Archives are rarer than folders and pull in their libraries: loaded when one arrives.
    from pipeline.tree.archive import open_archive

    return open_archive(path, limits, scratch, digest=digest, partly=partly)
