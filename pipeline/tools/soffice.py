"""LibreOffice: office documents read and written, one document a call, or kept open for the documents of one package.

Every start has a profile of its own that perishes with it: two processes cannot share one. `SETTINGS` is the only
source of settings beside LibreOffice's own: no macros, no content from elsewhere, no update of links.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from pipeline.errors import SystemProblem
from pipeline.tools.held import Gone, Held
from pipeline.tools.program import Program
from pipeline.tools.sandbox import Bounds

SOFFICE = Program(
    "soffice",
    ("--version",),
    r"LibreOffice (\d+\.\d+(?:\.\d+)?)",
    (7, 4),
    "libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui",
    "SYS-TOOL-SOFFICE",
    # sheets are read side by side otherwise, and what they hold gets its names in the order in which they are done
    (("MAX_CONCURRENCY", "1"),),
)
UNO = Program(
    "/usr/bin/python3",  # not one that was built elsewhere: Debian gives `uno` to its own
    ("-c", "import uno, sys; print('uno', sys.version)"),
    r"uno (\d+\.\d+\.\d+)",
    (3, 9),
    "python3-uno",
    "SYS-TOOL-UNO",
    SOFFICE.environment,
)
"""The Python of the system with the module `uno`, by which a LibreOffice that is kept open is talked to."""
SETTINGS = Path(__file__).with_suffix(".xcu")
_INSIDE: Final = Path(__file__).with_name("office_inside.py")
_STORED: Final = {"odt": "writer8", "ods": "calc8", "odp": "impress8"}
_START: Final = 120.0
_DOCUMENTS: Final = 200
"""A LibreOffice grows by 0.2 MB a document; after so many it is ended, or with so many bytes."""
_BIG: Final = 600 << 20

_LAYERS = "xcsxcu:${BRAND_BASE_DIR}/share/registry res:${BRAND_BASE_DIR}/share/registry user:!file://{in}/settings"


def conversion(import_filter: str, target: str) -> list[str]:
    """Arguments that make `{out}/source.EXTENSION` of `{in}/source` with `{in}/settings`; `target` is an extension, or
    one with an export filter and its options.

    LibreOffice ends with 0 whatever happens: a file that is there tells that it went well. The filter is forced: left
    to itself it takes any bytes for some text.
    """
    return [
        *_START_ARGUMENTS, f"--infilter={import_filter}", "--convert-to", target, "--outdir", "{out}", "{in}/source",
    ]  # fmt: skip


_START_ARGUMENTS = (
    "-env:UserInstallation=file://{out}/profile", f"-env:CONFIGURATION_LAYERS={_LAYERS}",
    "--headless", "--norestore", "--nolockcheck",
)  # fmt: skip


class Offices:
    """LibreOffices that are kept open for the files of one package, as many as threads ask at one time.

    They are started when they are first needed, in the folder of `beside`, and none of them outlives the block, nor
    this process if it is killed. So there are none in the reduced sandbox, which cannot promise that, nor where the
    system has no `uno` for its Python. Safe to be used by several threads.
    """

    def __init__(self, beside: Path, sandbox: str = "full") -> None:
        self._beside, self._sandbox = beside, sandbox
        self._lock = threading.Lock()
        self._idle: list[_Office] = []
        self._there = sandbox == "full" and UNO.fit and SOFFICE.fit

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            idle, self._idle, self._there = self._idle, [], False
        for one in idle:
            one.held.close()

    def convert(self, source: Path, import_filter: str, target: str, output: Path, bounds: Bounds) -> bool:
        """Does what a call with `conversion(import_filter, target)` does, alike to the byte once made canonical.

        False when it did not go well, for whatever reason: such a document is for a call of its own, which tells the
        reason. One that met a limit costs its LibreOffice.
        """
        if not self._there:
            return False
        try:
            with self._one(bounds) as office:
                return office.convert(source, import_filter, target, output, bounds.seconds)
        except (Gone, SystemProblem, OSError):
            return False

    @contextmanager
    def _one(self, bounds: Bounds) -> Iterator[_Office]:
        """One for this thread alone; it goes back if it is as good as new."""
        with self._lock:
            office = self._idle.pop() if self._idle else None
        if office is None:
            office = self._started(bounds)
        good = False
        try:
            yield office
            good = office.fresh
        finally:
            with self._lock:
                good = good and self._there
                if good:
                    self._idle.append(office)
            if not good:
                office.held.close()

    def _started(self, bounds: Bounds) -> _Office:
        """A new one; after one that does not start nobody tries again."""
        try:
            return _Office(self._beside, bounds, self._sandbox)
        except (Gone, SystemProblem):
            with self._lock:
                self._there = False
            raise


class _Office:
    """One LibreOffice that is open."""

    def __init__(self, beside: Path, bounds: Bounds, sandbox: str) -> None:
        inputs = {"inside.py": _INSIDE, "settings": SETTINGS}
        arguments = ["-I", "{in}/inside.py", "{in}/source", "{out}", *_START_ARGUMENTS]
        self.held = Held(UNO, arguments, inputs, beside, bounds, sandbox=sandbox)
        self._documents = 0
        self._whole = True
        self.held.ask(None, _START)

    def convert(self, source: Path, import_filter: str, target: str, output: Path, seconds: float) -> bool:
        self._documents += 1
        self._whole = False
        self.held.show("source", source)
        answer = self.held.ask({"load": import_filter, **_storing(target)}, seconds)
        self.held.hide("source")
        self.held.take(output)
        self._whole = "gone" not in answer
        return not answer

    @property
    def fresh(self) -> bool:
        """Whether the next document finds what it would find after a start: no letters that the last one brought."""
        brought = self.held.out / "profile/user/temp/embeddedfonts/fromdocs"
        fonts = brought.is_dir() and any(brought.iterdir())
        return self._whole and not fonts and self._documents < _DOCUMENTS and self.held.resident < _BIG


def _storing(target: str) -> dict[str, Any]:
    """What `--convert-to` makes of its argument: export filter, options, name of the result."""
    extension, _, rest = target.partition(":")
    export_filter, _, told = rest.partition(":")
    options: str | dict[str, Any] = told
    if told.startswith("{"):
        options = {name: _TYPES[one["type"]](one["value"]) for name, one in json.loads(told).items()}
    return {"store": export_filter or _STORED[extension], "options": options, "name": f"source.{extension}"}


_TYPES: Mapping[str, Any] = {"long": int, "boolean": lambda text: text == "true"}
