"""Our verdicts on whole and damaged files beside JHOVE's: it sees nothing that we do not; why it sees less."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.content.characterisation.test_damage import damaged, sources
from tests.content.characterisation.test_outcomes import examined
from tests.judges.jhove import MODULES, jhove

pytestmark = pytest.mark.judge

PACKED = "what is packed or coded is not unpacked by JHOVE"
TAIL = "a directory's values at the end of the file that JHOVE does not need"
BOX = "JHOVE 1.32 reads over the last box or chunk when it ends too early"

OVERLOOKED = {
    "byte, deflate.tif": PACKED, "zeros, deflate.tif": PACKED, "byte, flate.pdf": PACKED, "zeros, flate.pdf": PACKED,
    "byte, g4.tif": PACKED, "zeros, g4.tif": PACKED, "byte, page.gif": PACKED,
     "cut 1, deflate.tif": TAIL, "cut 1, g4.tif": TAIL, "cut 1, page.jp2": BOX,
    "cut half, page.jp2": BOX, "lost 8, page.jp2": BOX, "cut 1, sound.aiff": BOX, "cut half, sound.aiff": BOX,
    "lost 8, sound.aiff": BOX,
}  # fmt: skip
"""Files that we call invalid and JHOVE valid."""


def test_jhove_sees_no_damage_that_we_do_not(tmp_path: Path) -> None:
    whole, broken, scratch = (tmp_path / name for name in ("whole", "broken", "scratch"))
    for folder in (whole, broken, scratch):
        folder.mkdir()
    sources(whole)
    for file in whole.iterdir():
        if file.suffix in MODULES:
            for way, data in damaged(file.read_bytes()):
                (broken / f"{way}, {file.name}").write_bytes(data)
    files = sorted(broken.iterdir())
    heard = dict(zip((file.name for file in files), jhove(files), strict=True))
    ours = examined(broken, scratch)
    assert len(files) >= 50
    assert all(heard[name].valid and ours[name].validity == "valid" for name in heard if name.startswith("whole"))
    assert {name: one.words for name, one in heard.items() if not one.valid and ours[name].validity == "valid"} == {}
    assert {name for name, one in heard.items() if one.valid and ours[name].validity == "invalid"} == OVERLOOKED.keys()
