"""Imported by a worker before anything else: no PRONOM engine is installed there."""

import sys

sys.modules["pygfried"] = None  # type: ignore[assignment]
sys.modules["fido"] = None  # type: ignore[assignment]
