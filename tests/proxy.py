"""A proxy before an S3 server that fails as real services do: on the loopback address, told by the test what to do."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

Refusal = tuple[int, str]
"""Status and S3 error code."""


@dataclass
class Faults:
    """`rule(method, path, number of the request)` gives a refusal, `cut` to send half of the answer, or None."""

    rule: Callable[[str, str, int], Refusal | str | None] = lambda method, path, number: None
    seen: list[tuple[str, str]] = field(default_factory=list)


@contextlib.contextmanager
def proxied(endpoint: str, faults: Faults) -> Iterator[str]:
    """The endpoint of a proxy before `endpoint`. The signature stays valid: the header Host is passed on as it is."""
    target = urlsplit(endpoint)
    assert target.hostname is not None
    lock = threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on standard error."""

        def do_any(self) -> None:
            with lock:
                faults.seen.append((self.command, self.path))
                number = len(faults.seen)
            # The client waits for this before it sends a body.
            length = int(self.headers.get("Content-Length", "0"))
            body = self.rfile.read(length) if length else b""
            refusal = faults.rule(self.command, self.path, number)
            if isinstance(refusal, tuple):
                status, code = refusal
                self._answer(status, [("Content-Type", "application/xml")], error(code))
                return
            upstream = http.client.HTTPConnection(str(target.hostname), target.port, timeout=60)
            try:
                upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    if name.lower() not in ("expect", "connection"):
                        upstream.putheader(name, value)
                upstream.endheaders(body)
                told = upstream.getresponse()
                data = told.read()
                kept = [(n, v) for n, v in told.getheaders() if n.lower() not in ("connection", "transfer-encoding")]
            finally:
                upstream.close()
            if refusal == "cut":
                data = data[: len(data) // 2]
                self.close_connection = True
            self._answer(told.status, kept, data)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_any

        def _answer(self, status: int, headers: list[tuple[str, str]], data: bytes) -> None:
            self.send_response_only(status)
            names = {name.lower() for name, _ in headers}
            for name, value in headers:
                self.send_header(name, value)
            if "content-length" not in names:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def handle_expect_100(self) -> bool:
            self.send_response_only(100)
            self.end_headers()
            return True

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def error(code: str) -> bytes:
    """An error as S3 tells it."""
    return f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>test</Message></Error>'.encode()
