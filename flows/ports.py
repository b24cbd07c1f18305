"""Ports of one data folder: the usual one if it is free, else another; the same one again at the next start."""

from __future__ import annotations

import base64
import random
import socket
import urllib.error
import urllib.request
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

_LOWEST, _HIGHEST = 20_000, 31_999
"""Below the range from which systems give ports to outgoing connections: a recorded port is rarely taken later."""
_OPEN = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def choose(held: dict[str, int], names: Iterable[str], usual: dict[str, int]) -> dict[str, int]:
    """`held` with a free port for each name: the recorded one, else the usual one, else any."""
    chosen = dict(held)
    for name in names:
        others = {port for other, port in chosen.items() if other != name}
        wishes = [port for port in (held.get(name), usual.get(name)) if port is not None]
        wishes += random.sample(range(_LOWEST, _HIGHEST), 200)
        chosen[name] = next(port for port in wishes if port not in others and free(port))
    return chosen


def free(port: int) -> bool:
    """Nobody listens on it, on loopback or on all interfaces; connections that only linger do not count."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def open_to(port: int) -> bool:
    """Somebody takes connections there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            return True
    except OSError:
        return False


def listens(process: psutil.Process, port: int) -> bool:
    """The process, or a child of it, is the one that listens on this port of the loopback interface."""
    import psutil

    try:
        for one in (process, *process.children(recursive=True)):
            for connection in one.net_connections("inet"):
                if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port:
                    return True
    except psutil.Error:
        return False
    return False


def answers(port: int, path: str, secret: str | None = None, seconds: float = 5) -> int | None:
    """The HTTP status of a GET, None when nobody answers in time. No proxy is asked."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}")
    if secret is not None:
        request.add_header("Authorization", "Basic " + base64.b64encode(secret.encode()).decode())
    try:
        with _OPEN.open(request, timeout=seconds) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code
    except OSError:
        return None
