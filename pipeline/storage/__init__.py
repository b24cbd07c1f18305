"""Archival storage: writing, reading, judging, filling and restoring one copy."""
