"""opf-fido, loaded without the HTTP client that it brings for its own updates: a quarter of the start of a worker."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any


def _without(client: str) -> Any:
    """fido's module; an empty one stands for the client while it is read. Nothing of ours asks for fido's updates."""
    absent = client not in sys.modules
    if absent:
        sys.modules[client] = ModuleType(client)
    try:
        return importlib.import_module("fido.fido")
    finally:
        if absent:
            del sys.modules[client]


fido = _without("requests")
VERSION = str(importlib.import_module("fido").__version__)
