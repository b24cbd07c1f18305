"""Input that is generated, the same on every run: small files of many formats, one big file, many packages."""

from __future__ import annotations

import random
import struct
import zlib
from pathlib import Path


def small_files(folder: Path, number: int, seed: int = 1) -> Path:
    """A plain package of `number` distinct files (text, XML, CSV, PNG, PDF), about 12 kB each, 100 a folder."""
    if folder.exists():
        return folder
    draw = random.Random(seed)
    for index in range(number):
        target = folder / f"hồ sơ {index // 100:03}" / f"văn bản {index:06}{_SUFFIXES[index % 5]}"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(_MAKERS[index % 5](draw, index))
    return folder


def big_file(folder: Path, size: int, seed: int = 2) -> Path:
    """A plain package of one random file of `size` bytes."""
    if folder.exists():
        return folder
    folder.mkdir(parents=True)
    draw = random.Random(seed)
    block = draw.randbytes(1 << 20)
    with (folder / "ghi hình.bin").open("wb") as out:
        for index in range(size >> 20):
            out.write(struct.pack(">Q", index) + block[8:])
    return folder


def sparse_file(folder: Path, size: int) -> Path:
    """A plain package of one file of `size` bytes that takes no room: nothing but its first bytes was written."""
    if folder.exists():
        return folder
    folder.mkdir(parents=True)
    with (folder / "ghi hình.bin").open("wb") as out:
        out.write(b"luutru")
        out.truncate(size)
    return folder


def texts(folder: Path, number: int, seed: int = 4) -> Path:
    """A plain package of `number` distinct texts of 1 kB, 1,000 a folder."""
    if folder.exists():
        return folder
    draw = random.Random(seed)
    for index in range(number):
        target = folder / f"tập {index // 1000:03}" / f"văn bản {index:06}.txt"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(_text(draw, index)[:1000].decode("utf-8", "ignore").encode())
    return folder


def packages(folder: Path, number: int, files: int, seed: int = 3) -> Path:
    """A folder of `number` packages of `files` files each."""
    if folder.exists():
        return folder
    for index in range(number):
        small_files(folder / f"hồ sơ {index:04}", files, seed + index * 7919)
    return folder


def _text(draw: random.Random, index: int) -> bytes:
    words = ("kho", "lưu", "trữ", "hồ", "sơ", "văn", "bản", "quyết", "định", "ủy", "ban", "nhân", "dân")
    return (f"Văn bản số {index}\n" + " ".join(draw.choices(words, k=1500))).encode()


def _xml(draw: random.Random, index: int) -> bytes:
    rows = "".join(f"<dong so='{draw.random()}'>nội dung {index}</dong>" for _ in range(150))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<hoso>{rows}</hoso>\n'.encode()


def _csv(draw: random.Random, index: int) -> bytes:
    return ("số,ngày,trích yếu\n" + "".join(f"{index},{draw.random()},nội dung\n" for _ in range(300))).encode()


def _png(draw: random.Random, index: int) -> bytes:
    width = height = 64
    raw = b"".join(b"\0" + draw.randbytes(width * 3) for _ in range(height))

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def _pdf(draw: random.Random, index: int) -> bytes:
    content = draw.randbytes(12_000).hex().encode()[:12_000]
    body = b"%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
    body = body.replace(b"%%", b"%")
    return body + b"% " + content + b"\ntrailer<</Root 1 0 R>>\n%%EOF\n"


_SUFFIXES = (".txt", ".xml", ".csv", ".png", ".pdf")
_MAKERS = (_text, _xml, _csv, _png, _pdf)
