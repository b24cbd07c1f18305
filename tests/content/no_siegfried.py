"""Imported by a worker before anything else: siegfried is not installed there."""

import sys

sys.modules["pygfried"] = None  # type: ignore[assignment]
