"""What runs inside the sandbox beside LibreOffice, by the Python of the system: documents one after another.

Reads a line of JSON a document ({"load": filter, "store": filter, "options": {name: value}, "name": of the result}) and
answers a line each: {} when the result lies there, or {"problem": words}, with "gone" when LibreOffice went with it.
Imports nothing of luutru.

Arguments: the document, the folder for results, and what LibreOffice is started with.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

import uno  # type: ignore[import-not-found]

_START = 120.0


def value(name: str, what: Any) -> Any:
    """A property as LibreOffice wants it."""
    one = uno.createUnoStruct("com.sun.star.beans.PropertyValue")
    one.Name, one.Value = name, what
    return one


def connected(pipe: str, office: subprocess.Popen[bytes]) -> Any:
    """The desktop of the LibreOffice that was just started."""
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    until = time.monotonic() + _START
    while True:
        try:
            context = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
            return context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
        except uno.getClass("com.sun.star.connection.NoConnectException"):
            if office.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.02)


def convert(desktop: Any, source: str, folder: str, job: dict[str, Any]) -> None:
    """Opens one document and stores it once, as `soffice --convert-to` does."""
    loading = (
        value("ReadOnly", True), value("Hidden", True), value("Silent", True), value("FilterName", job["load"]),
        value("MacroExecutionMode", 0), value("UpdateDocMode", 0),
    )  # fmt: skip
    document = desktop.loadComponentFromURL(uno.systemPathToFileUrl(source), "_blank", 0, loading)
    if document is None:
        raise ValueError("source file could not be loaded")
    try:
        storing = [value("Overwrite", True), value("FilterName", job["store"])]
        if isinstance(job["options"], str):
            storing.append(value("FilterOptions", job["options"]))
        elif job["options"]:
            data = tuple(value(name, what) for name, what in sorted(job["options"].items()))
            storing.append(value("FilterData", uno.Any("[]com.sun.star.beans.PropertyValue", data)))
        document.storeToURL(uno.systemPathToFileUrl(f"{folder}/{job['name']}"), tuple(storing))
    finally:
        document.close(True)


def alive(desktop: Any) -> bool:
    """Whether LibreOffice still answers."""
    try:
        desktop.getFrames()
    except Exception:
        return False
    return True


def main(source: str, folder: str, *start: str) -> None:
    """Until nobody asks any more."""
    pipe = f"luutru{os.urandom(8).hex()}"
    office = subprocess.Popen(
        ["soffice", *start, f"--accept=pipe,name={pipe};urp;"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    desktop = connected(pipe, office)
    print("{}", flush=True)
    for line in sys.stdin:
        answer = {}
        try:
            convert(desktop, source, folder, json.loads(line))
        except Exception as problem:  # whatever a document does: it alone is told
            answer = {"problem": f"{type(problem).__name__}: {problem}"[:1000]}
            if not alive(desktop):
                answer["gone"] = "yes"
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
