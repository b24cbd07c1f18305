"""`luutru text` as people run it, and its texts and codes."""

from __future__ import annotations

import io
import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.content.texts import NAMES, REASONS, findings, look, poured
from pipeline.findings import as_json
from pipeline.records import PackagePath
from pipeline.settings import PROJECT
from pipeline.text import READABLE, encode
from tests.command import LUUTRU, Answer, House
from tests.contract import faults
from tests.test_docs import blocks, run
from tests.text.samples import DATA, udhr, vectors, written

FILES = DATA / "vietnamese" / "text"
RIGHT = (FILES / "utf8.txt").read_text("utf-8")
SENTENCE = "Thủ tướng Chính phủ ban hành quy định về công tác văn thư, lưu trữ"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("house"))


def told(house: House, *arguments: str | Path, **more: object) -> Answer:
    said = house.run("text", *arguments, **more)  # type: ignore[arg-type]
    assert said.document is not None, said.err
    assert faults(said.document) == []
    assert said.document["exit"] == said.exit
    return said


def test_what_it_sees_of_files(house: House) -> None:
    names = ("utf8", "tcvn3", "vni", "viscii", "cp1258", "utf16le", "utf8_nfd")
    said = told(house, *(FILES / f"{name}.txt" for name in names))
    assert said.exit == 0
    assert [item["encoding"] for item in said.items] == [
        "utf-8", "tcvn3", "vni", "viscii", "cp1258", "utf-16-le", "utf-8",
    ]  # fmt: skip
    assert [item["changed"] for item in said.items] == [name != "utf8" for name in names]
    assert all(item["text"] == RIGHT for item, name in zip(said.items, names, strict=True) if name != "tcvn3")
    assert said.items[1]["text"].lower() == RIGHT.lower()
    assert said.items[1]["capitals"][0] == {"word": "TàI", "proposal": "TÀI"}
    assert said.codes == {"TXT-CAPITALS"}


def test_the_output_is_the_text_alone(house: House) -> None:
    said = house.run("text", FILES / "vni.txt", "--to", "utf-8", json_=False)
    assert (said.exit, said.out) == (0, RIGHT)
    assert "VNI Windows" in said.err


def test_standard_input(house: House) -> None:
    for encoding in ("tcvn3", "viscii", "cp1258"):
        process = subprocess.run(
            [LUUTRU, "text", "--stdin", "--to", "utf-8"], input=encode(SENTENCE, encoding), capture_output=True,
            env=house.environment, check=True, timeout=60,
        )  # fmt: skip
        assert process.stdout.decode() == SENTENCE


def test_a_person_decides(house: House, tmp_path: Path) -> None:
    file = tmp_path / "cũ.txt"
    file.write_bytes(encode(SENTENCE, "vps"))
    said = told(house, file)
    assert (said.exit, said.item["encoding"], said.item["text"], said.item["changed"]) == (4, None, None, False)
    assert said.codes == {"TXT-AMBIGUOUS"}
    best = said.item["candidates"][0]
    assert (best["encoding"], best["lines"]) == ("vps", [SENTENCE])
    shown = house.run("text", file, "--to", "utf-8", json_=False)
    assert (shown.exit, shown.out) == (4, "")
    assert SENTENCE in shown.err
    asked = told(house, file, "--from", "vps")
    assert (asked.exit, asked.item["encoding"], asked.item["text"]) == (0, "vps", SENTENCE)


def test_copies_are_written_and_nothing_is_replaced(house: House, tmp_path: Path) -> None:
    out = tmp_path / "out" / "deeper"
    unsure = tmp_path / "unsure.txt"
    unsure.write_bytes(encode(SENTENCE, "vps"))
    said = told(house, FILES / "tcvn3.txt", FILES / "vni.txt", unsure, "--output", out)
    assert said.exit == 4
    assert sorted(path.name for path in out.iterdir()) == ["tcvn3.txt", "vni.txt"]
    assert (out / "vni.txt").read_text("utf-8") == RIGHT
    assert [item["output"] for item in said.items] == [str(out / "tcvn3.txt"), str(out / "vni.txt"), None]
    before = (out / "vni.txt").stat()
    again = house.run("text", FILES / "cp1258.txt", FILES / "vni.txt", "--output", out)
    assert again.document is not None
    assert (again.exit, again.document["problem"]["code"]) == (2, "USE-TEXT-EXISTS")
    assert sorted(path.name for path in out.iterdir()) == ["tcvn3.txt", "vni.txt"]
    assert (out / "vni.txt").stat() == before


def test_questions_that_make_no_sense(house: House, tmp_path: Path) -> None:
    same = tmp_path / "vni.txt"
    same.write_bytes(b"x")
    cases: list[tuple[str, tuple[str | Path, ...]]] = [
        ("USE-TEXT-INPUT", ()),
        ("USE-TEXT-INPUT", (same, "--stdin")),
        ("USE-TEXT-INPUT", ("--stdin", "--output", tmp_path / "o")),
        ("USE-PATH", (tmp_path / "nothing",)),
        ("USE-TEXT-FILE", (tmp_path,)),
        ("USE-TEXT-TWICE", (same, FILES / "vni.txt", "--output", tmp_path / "o")),
        ("USE-TEXT-OUTPUT", (same, "--output", same / "o")),
        ("USE-ARGUMENTS", (same, "--from", "latin-1")),
    ]
    for code, arguments in cases:
        said = house.run("text", *arguments)
        assert said.document is not None, arguments
        assert (said.exit, said.document["problem"]["code"]) == (2, code), arguments
    several = house.run("text", same, FILES / "vni.txt", "--to", "utf-8", json_=False)
    assert (several.exit, several.out) == (2, "")
    assert "USE-TEXT-SEVERAL" in several.err
    assert not (tmp_path / "o").exists()


def test_a_file_that_cannot_be_read(house: House, tmp_path: Path) -> None:
    file = tmp_path / "round.txt"
    os.symlink(file, file)
    said = told(house, file, FILES / "vni.txt")
    assert (said.exit, said.items[0]["problem"]["code"], said.items[1]["encoding"]) == (3, "SYS-READ", "vni")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_an_output_that_takes_nothing(house: House) -> None:
    with Path("/dev/full").open("wb") as full:
        process = subprocess.run(
            [LUUTRU, "text", FILES / "vni.txt", "--to", "utf-8"], stdout=full, stderr=subprocess.PIPE,
            env=house.environment, check=False, timeout=60,
        )  # fmt: skip
    assert process.returncode == 3
    assert b"SYS-WRITE" in process.stderr


def test_a_name_in_an_old_encoding(house: House, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(encode("tên.txt", "tcvn3"))
    odd.write_bytes(encode(SENTENCE, "vni"))
    said = told(house, odd, "--output", tmp_path / "out")
    assert (said.exit, said.item["text"]) == (0, SENTENCE)
    assert (tmp_path / "out" / odd.name).read_text("utf-8") == SENTENCE


def test_a_long_text_is_cut_in_the_document_only(house: House, tmp_path: Path) -> None:
    file = tmp_path / "long.txt"
    file.write_bytes(written(udhr("vi"), "viscii") * 900)
    said = told(house, file, "--output", tmp_path / "out")
    assert said.item["cut"]
    assert len(said.item["text"]) == 8 << 20
    assert (tmp_path / "out" / "long.txt").read_bytes() == udhr("vi").encode() * 900


MIXED = b"\n".join([encode(SENTENCE, "tcvn3")] * 3 + [encode(SENTENCE, "vni")])
CASES: list[tuple[str, bytes, str | None]] = [
    ("TXT-AMBIGUOUS", encode(SENTENCE, "vps"), None),
    ("TXT-AMBIGUOUS", encode("Quảng", "tcvn3"), None),
    ("TXT-MIXED", MIXED, None),
    ("TXT-DAMAGED", SENTENCE.encode() + b"\xff", None),
    ("TXT-FOREIGN", "Déclaration universelle des droits de l’homme".encode("cp1252"), None),
    ("TXT-BINARY", bytes(range(256)), None),
    ("TXT-UNMAPPED", encode(SENTENCE, "tcvn3") + b" \xff", None),
    ("TXT-BROKEN", SENTENCE.encode() + b"\xff", "utf-8"),
    ("TXT-AGAINST", encode(SENTENCE, "vni"), "tcvn3"),
    ("TXT-UNDONE", SENTENCE.encode().decode("latin-1").encode(), None),
    ("TXT-CAPITALS", encode("MụC LụC " + SENTENCE, "tcvn3"), None),
]


@pytest.mark.parametrize(("code", "raw", "asked"), CASES, ids=[f"{code}-{n}" for n, (code, _, _) in enumerate(CASES)])
def test_each_code(code: str, raw: bytes, asked: str | None) -> None:
    seen = look(io.BytesIO(raw), asked, 100)
    found = list(findings(PackagePath(b"a.txt"), seen))
    assert code in {finding.code for finding in found}
    for finding in found:
        told = json.dumps(as_json(finding), ensure_ascii=False)
        assert "{" not in as_json(finding)["message"]["vi"], told
    assert seen.whole == (seen.detection.encoding is not None and code != "TXT-BROKEN")


@given(raw=st.binary(max_size=200), times=st.integers(0, 3), asked=st.sampled_from([None, *READABLE]))
def test_whatever_comes_is_looked_at(raw: bytes, times: int, asked: str | None) -> None:
    for _ in range(times):
        raw = raw.decode("latin-1").encode()
    seen = look(io.BytesIO(raw), asked, 1000)
    assert (seen.text is None) == (seen.detection.encoding is None)
    if seen.whole:
        assert b"".join(poured(io.BytesIO(raw), seen.detection)).decode() == seen.text
    assert all(as_json(finding) for finding in findings(PackagePath(b"x"), seen))


def test_no_clean_text_has_a_finding() -> None:
    for name, encoding, raw, _ in vectors():
        if name not in ("lower67", "all134") and encoding not in ("vps", "tcvn3-h"):
            assert list(findings(PackagePath(b"x"), look(io.BytesIO(raw)))) == [], name
    for language in ("vi", "en", "fr"):
        assert list(findings(PackagePath(b"x"), look(io.BytesIO(udhr(language).encode())))) == []


def test_every_encoding_and_every_reason_has_a_name() -> None:
    from cli import ENCODINGS

    assert set(NAMES) == set(READABLE) == set(ENCODINGS)
    assert all(vi and en and vi != en for vi, en in REASONS.values())


def test_the_commands_of_the_page_run(tmp_path: Path) -> None:
    done = run("\n".join(blocks(PROJECT / "docs" / "text.md", "sh")), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((tmp_path / "as-utf-8").iterdir())) == 8
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in done.stdout
