"""Builds bags for tests: good ones, and any fault one asks for."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.packages.received import write


def encoded(name: str) -> str:
    """A path as RFC 8493 writes it in a manifest."""
    return name.replace("%", "%25").replace("\n", "%0A").replace("\r", "%0D")


def lines(algorithm: str, files: dict[str, bytes | str]) -> str:
    """Manifest lines of these files."""
    made = []
    for name, content in sorted(files.items()):
        raw = content.encode() if isinstance(content, str) else content
        made.append(f"{hashlib.new(algorithm, raw).hexdigest()}  {encoded(name)}\n")
    return "".join(made)


def bag(
    root: Path,
    payload: dict[str, bytes | str] | None = None,
    *,
    version: str = "1.0",
    algorithms: tuple[str, ...] = ("sha256",),
    tags: dict[str, bytes | str] | None = None,
    replace: dict[str, bytes | str | None] | None = None,
    tagged: bool = True,
    codec: str = "utf-8",
    charset: str = "UTF-8",
) -> Path:
    """A bag below `root`. `tags` are added before the tag manifests are made, `replace` changes (None: removes)
    files afterwards, unknown to any manifest."""
    content = {f"data/{name}": value for name, value in (payload or {"a.txt": "alpha\n"}).items()}
    octets = sum(len(v.encode() if isinstance(v, str) else v) for v in content.values())
    files: dict[str, bytes | str] = {
        "bagit.txt": f"BagIt-Version: {version}\nTag-File-Character-Encoding: {charset}\n",
        "bag-info.txt": (
            "Source-Organization: Uỷ ban nhân dân xã A\nExternal-Identifier: HS-01\nBagging-Date: 2026-01-31\n"
            f"Payload-Oxum: {octets}.{len(content)}\n"
        ).encode(codec, "replace"),
    }
    files |= {f"manifest-{name}.txt": lines(name, content).encode(codec) for name in algorithms}
    files |= tags or {}
    if tagged:
        made = {f"tagmanifest-{name}.txt": lines(name, files).encode(codec) for name in algorithms}
        files |= made
    files |= content
    for name, value in (replace or {}).items():
        if value is None:
            del files[name]
        else:
            files[name] = value
    return write(root, files)
