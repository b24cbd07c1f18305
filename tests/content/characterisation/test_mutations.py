"""Files of every family with bits flipped, ends cut off and stretches zeroed: each gets its outcome."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from pipeline.content.characterisation import Subjected, examine_all
from pipeline.records import Format
from pipeline.tree import FolderTree

DATA = Path(__file__).resolve().parents[2] / "data"
SAMPLES = {
    "characterisation/image/page.gif": "fmt/4", "characterisation/image/page_cmyk.jpg": "fmt/43",
    "characterisation/scan/page_300_g4.tif": "fmt/353", "characterisation/av/test.mp4": "fmt/199",
    "characterisation/office/unicode.xlsx": "fmt/214", "characterisation/office/unicode.odt": "fmt/1756",
    "characterisation/office/unicode.doc": "fmt/40", "characterisation/office/unicode.xls": "fmt/61",
    "characterisation/pdf/active.pdf": "fmt/20", "characterisation/signed/xades.xml": "fmt/101",
    "vietnamese/image/page.png": "fmt/12", "vietnamese/image/page.jp2": "x-fmt/392",
    "vietnamese/office/unicode.docx": "fmt/412",
}  # fmt: skip


def flipped(draw: random.Random, whole: bytes) -> bytes:
    made = bytearray(whole)
    for _ in range(draw.choice([1, 3, 20])):
        made[draw.randrange(len(made))] ^= 1 << draw.randrange(8)
    return bytes(made)


def cut(draw: random.Random, whole: bytes) -> bytes:
    return whole[: draw.randrange(1, len(whole))]


def zeroed(draw: random.Random, whole: bytes) -> bytes:
    at, length = draw.randrange(len(whole)), draw.choice([4, 100, 3000])
    return whole[:at] + bytes(length) + whole[at + length :]


def filled(draw: random.Random, whole: bytes) -> bytes:
    at = draw.randrange(min(len(whole), 600))
    return whole[:at] + b"\xff" * 4 + whole[at + 4 :]


HOW: tuple[Callable[[random.Random, bytes], bytes], ...] = (flipped, cut, zeroed, filled)


def test_no_reader_stumbles_over_what_is_broken(tmp_path: Path) -> None:
    folder, scratch = tmp_path / "hỏng", tmp_path / "scratch"
    folder.mkdir()
    scratch.mkdir()
    draw = random.Random(26)
    puids: dict[bytes, str] = {}
    for number, (sample, puid) in enumerate(SAMPLES.items()):
        whole = (DATA / sample).read_bytes()
        for how in HOW:
            name = f"{number:02} {how.__name__}{Path(sample).suffix}"
            (folder / name).write_bytes(how(draw, whole))
            puids[name.encode()] = puid
    tree = FolderTree(folder)
    subjects = [
        Subjected(entry, Format(puids[entry.path], "", "", "", "signature", "", "", "", "", ""))
        for entry in tree.entries()
    ]
    found = list(examine_all(tree, subjects, workers=2, scratch=scratch))
    assert len(found) == len(puids)
    assert [(one.entry.path, one.checked) for one in found if "stumbled" in one.checked] == []
    broken = [one for one in found if one.validity == "invalid"]
    assert all([finding.code for finding in one.findings][:1] == ["VAL-INVALID"] for one in broken)
    assert len(broken) > len(found) // 2
