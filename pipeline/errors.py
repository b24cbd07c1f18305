"""The ways in which a verdict is not reached.

A verdict about content is returned; only failing to reach one is raised. Texts of the codes
lie in `schemas/findings/use.tsv` and `sys.tsv` in Vietnamese and English.
"""

from __future__ import annotations

import errno
import threading

stopping = threading.Event()
"""Set by a first Ctrl-C: the current file is finished, then `Interrupted` is raised."""


class Problem(Exception):
    """A verdict was not reached. `code` is permanent; `values` fill the placeholders of its texts."""

    exit_code = 70

    def __init__(self, code: str, *, transient: bool = False, **values: object) -> None:
        super().__init__(code, values)
        self.code = code
        self.transient = transient
        self.values = {key: str(value) for key, value in values.items()}

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.code, self.transient, self.values))

    def __str__(self) -> str:
        details = ", ".join(f"{key}={value}" for key, value in self.values.items())
        return f"{self.code} ({details})" if details else self.code


class UsageProblem(Problem):
    """Arguments, settings or profile are wrong; found before any work starts. Exit 2."""

    exit_code = 2


class SystemProblem(Problem):
    """Disk, store, tool or permission failed us; nothing is lost. Exit 3. Only `transient` ones are retried."""

    exit_code = 3


class Interrupted(Exception):
    """A person asked to stop; what is finished is kept and the same command goes on."""

    exit_code = 130


_DISK = {
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.ESTALE, errno.EACCES, errno.EPERM,
    errno.EMFILE, errno.ENFILE, errno.ENOMEM,
}  # fmt: skip


def of_the_system(fault: BaseException) -> SystemProblem | None:
    """The problem that an error of the operating system is when nobody nearer took it: full, read-only, broken.

    None for what is a fault of ours, such as a file that we ought to have made.
    """
    if not isinstance(fault, OSError) or fault.errno not in _DISK:
        return None
    file = fault.filename if fault.filename is not None else "?"
    name = file.decode("utf-8", "surrogateescape") if isinstance(file, bytes) else file
    return SystemProblem("SYS-WRITE", file=name, cause=fault.strerror or fault)


def _rebuild(kind: type[Problem], code: str, transient: bool, values: dict[str, str]) -> Problem:
    return kind(code, transient=transient, **values)
