"""Life of the processes of the pool: the stem, and the workers that it forks."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import socket
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from pipeline.pool import NOBODY, Job, TooLong

_WEIGHED = 4
"""So many tasks from one look at the own memory to the next."""


_RESERVED = 512 << 20
"""Address space beyond what may be written to. Go and glibc reserve it by 64 MiB, at moments nobody can tell."""


def stem(arguments: list[str]) -> None:
    """Life of the process that workers are forked from: `arguments` are control socket, life line, modules.

    A module may be given as `module=argument`: its `prepare` gets the argument, once, before workers are forked; it
    must not start threads, which a fork would not take along. `warm` is called in each worker, before it drops its
    rights.
    """
    control = socket.socket(fileno=int(arguments[0]))
    life = int(arguments[1])
    _die_with_parent(life)
    _leave_network()
    gc.disable()  # what is loaded here stays: looking through it again and again is a tenth of a start
    parts = [module.partition("=") for module in arguments[2:]]
    modules = {name: importlib.import_module(name) for name, _, _ in parts}
    for name, given, argument in parts:
        prepare = getattr(modules[name], "prepare", None)
        if prepare is not None:
            prepare(*([argument] if given else []))
    gc.freeze()
    if len(os.listdir("/proc/self/task")) > 1:
        sys.exit(f"a thread was started by {', '.join(modules)}")
    while True:
        data, fds, _, _ = socket.recv_fds(control, 4096, 3)
        if not data:
            return
        message = json.loads(data)
        if "bury" in message:
            pid, status = os.waitpid(message["bury"], 0)
            told = {"buried": pid, "code": os.waitstatus_to_exitcode(status)}
        else:
            try:
                child = os.fork()
            except OSError as problem:
                os.write(fds[2], f"fork: {problem.strerror}".encode())
                told = {"failed": problem.errno or 0}
            else:
                if child == 0:
                    control.close()
                    os.close(life)
                    _live(modules, fds, message["fork"])
                told = {"forked": child}
            for fd in fds:
                os.close(fd)
        control.send(json.dumps(told).encode())


def _live(modules: dict[str, ModuleType], fds: list[int], limits: list[int]) -> NoReturn:
    """The whole life of a worker: never back into the loop of the stem, whatever happens."""
    code = 1
    try:
        os.setsid()
        for number in (1, 2):
            os.dup2(fds[2], number)
        os.close(fds[2])
        _die_with_parent(fds[1])
        _serve(socket.socket(fileno=fds[0]), modules, limits)
        code = 0
    except SystemExit as end:
        code = 0 if end.code in (None, 0) else 1
        if code:
            os.write(2, f"{end.code}\n".encode())
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        os._exit(code)


def _serve(channel: socket.socket, modules: dict[str, ModuleType], limits: list[int]) -> None:
    """Does what is asked over `channel`; returns when the parent closes."""
    for module in modules.values():
        warm = getattr(module, "warm", None)
        if warm is not None:
            warm()
    gc.freeze()
    gc.enable()
    _limit(*limits)
    _become_nobody()
    _say(channel, {"ready": os.getpid()})
    served = 0
    while True:
        head, fds, _, _ = socket.recv_fds(channel, 4, 253)
        if not head:
            return
        message = json.loads(_exactly(channel, int.from_bytes(head + _exactly(channel, 4 - len(head)), "big")))
        if "scratch" in message:
            os.fchdir(fds[0])
            os.close(fds[0])
            continue
        where, name = message["call"].split(":")
        function = getattr(modules[where], name)
        for count, args in message["tasks"]:
            mine, fds = tuple(fds[:count]), fds[count:]
            try:
                answer: dict[str, Any] = {"value": function(Job(mine, lambda: _say(channel, {"beat": 1})), *args)}
            except TooLong as problem:
                answer = {"error": str(problem), "late": True}
            except MemoryError as problem:
                answer = {"error": str(problem) or "MemoryError", "memory": True}
            except Exception as problem:
                answer = {"error": f"{type(problem).__name__}: {problem}"}
            for fd in mine:
                os.close(fd)
            served += 1
            if served % _WEIGHED == 0:
                answer["resident"] = _status("RssAnon")
            _say(channel, answer)


def _say(channel: socket.socket, message: dict[str, Any]) -> None:
    payload = json.dumps(message).encode()
    channel.sendall(len(payload).to_bytes(4, "big") + payload)


def _exactly(channel: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        part = channel.recv(length - len(data))
        if not part:
            sys.exit(0)
        data += part
    return data


def _die_with_parent(life: int) -> None:
    """The kernel kills us when the last writer of the life line is gone, even in the middle of a scan in C.

    PR_SET_PDEATHSIG would not do: it fires when the *thread* that started us ends.
    """
    import fcntl
    import select

    fcntl.fcntl(life, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(life, fcntl.F_SETSIG, int(signal.SIGKILL))
    fcntl.fcntl(life, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    if select.select([life], [], [], 0)[0]:
        sys.exit(0)


def _leave_network() -> None:
    """A network and IPC of its own, with nothing in it: a second line of defence, left out where it is forbidden."""
    import ctypes

    new_ipc, new_user, new_net = 0x08000000, 0x10000000, 0x40000000
    own_user = 0 if os.geteuid() == 0 else new_user
    ctypes.CDLL(None, use_errno=True).unshare(new_net | new_ipc | own_user)


def _limit(memory: int, file: int, files: int) -> None:
    import resource

    for what, value in (
        (resource.RLIMIT_DATA, _status("VmData") + memory),
        (resource.RLIMIT_AS, _status("VmSize") + memory + _RESERVED),
        (resource.RLIMIT_FSIZE, file),
        (resource.RLIMIT_NOFILE, files),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (value, value))


def _become_nobody() -> None:
    """Real, effective and saved user and group, in every thread; nothing can be gained again by running a program."""
    import ctypes

    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        for status in Path("/proc/self/task").glob("*/status"):
            users = next(line for line in status.read_text().splitlines() if line.startswith("Uid:"))
            if set(users.split()[1:]) != {str(NOBODY)}:
                sys.exit("a thread kept its user")
    pr_set_no_new_privs = 38
    ctypes.CDLL(None, use_errno=True).prctl(pr_set_no_new_privs, 1, 0, 0, 0)


def _status(name: str) -> int:
    """A size of this process in bytes, from the kernel."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as lines:
        for line in lines:
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
    return 0
