"""Both engines' opinions on the way into an AIP: findings, PREMIS, and when a difference is a question."""

from __future__ import annotations

import hashlib
import json
import lzma
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.content.identification import inforce
from pipeline.content.identification.fido import signatures
from pipeline.content.identification.inforce import Kept
from pipeline.content.normalisation import ruled_differently
from pipeline.records import Agreement, Format, Opinion
from pipeline.workspace import Workspace
from tests.command import House

DATA = Path(__file__).resolve().parent.parent / "data"
MAIL = """From a@example.org Sat Jan  1 00:00:00 2026
From: a@example.org
To: b@example.org
Date: Sat, 1 Jan 2026 00:00:00 +0700
MIME-Version: 1.0

Xin chao
"""


def _in_force(house: House, changed: dict[str, Any]) -> None:
    """Gives fido these signatures."""
    packed = lzma.compress(json.dumps({**changed, "version": "V999"}).encode(), preset=0)
    digest = hashlib.sha256(packed).hexdigest()
    inforce.activate(Workspace(house.data), Kept("fido", digest, "V999, container 20260119", 1, 1, "test", ""), packed)


def forget_mail_boxes(house: House) -> None:
    """To fido a mail box is text from now on."""
    kept = json.loads(lzma.decompress(signatures.SHIPPED.read_bytes()))
    next(one for one in kept["formats"] if one["puid"] == "fmt/720")["signatures"] = []
    _in_force(house, kept)


def test_a_difference_is_a_warning_and_both_opinions_are_kept(tmp_path: Path) -> None:
    package = tmp_path / "thư điện tử"
    package.mkdir()
    (package / "hộp thư.txt").write_text(MAIL)
    shutil.copy(DATA / "vietnamese/text/utf8.txt", package)
    (package / "đoán.csv").write_bytes(b"a;b\n")
    house = House(tmp_path / "house").stores("vault", "second")
    forget_mail_boxes(house)
    answer = house.run("ingest", package)
    assert answer.item["verdict"] == "accepted", answer.err
    told = {finding["code"]: finding for finding in answer.item["findings"]}
    assert told["FMT-DIFFER-RULE"]["level"] == "warning"  # a rule is about text, none about mail boxes
    assert "fido x-fmt/111, siegfried fmt/720" in told["FMT-DIFFER-RULE"]["found"]
    written = "".join(file.read_text(encoding="utf-8") for file in (tmp_path / "house").rglob("*")
                      if file.is_file() and b"<premis " in file.read_bytes()[:4000])  # fmt: skip
    for words in (
        "agreement: differ", "second engine: fido", "second engine version: 1.6.1", "second PUID: x-fmt/111",
        "second signatures: V999, container 20260119", "second basis: text match", "engine: siegfried",
        "agreement: same", "match on extension only", "result=engines differ",
    ):  # fmt: skip
        assert words in written, words


@pytest.mark.parametrize(
    ("chosen", "other", "head", "differs"),
    [
        ("fmt/116", "fmt/119", b"BM", False),
        ("fmt/116", "fmt/355", b"BM", True),
        ("fmt/720", "x-fmt/111", b"From a", True),
        ("fmt/720", "x-fmt/111", b"\xff\xfeF\0", True),
        ("fmt/720", "x-fmt/429", b"From a", False),
    ],
)
def test_a_rule_that_would_differ_is_seen(chosen: str, other: str, head: bytes, differs: bool) -> None:
    second = Opinion(other, "signature", "byte match", "", "fido", "1.6.1", "V125")
    found = Format(chosen, "", "", "a/b", "signature", "byte match", "", "siegfried", "1", "V125", None,
                   str(Agreement.DIFFER), second)  # fmt: skip
    assert ruled_differently(found, lambda: head) is differs  # then inspect tells FMT-DIFFER-RULE, else FMT-DIFFER
    assert not ruled_differently(replace(found, second=None), lambda: head)


def test_a_difference_of_rules_is_a_question_where_the_profile_asks(tmp_path: Path) -> None:
    """With signatures that take a bitmap for something else: one opinion is converted, the other is not."""
    house = House(tmp_path / "house").stores("vault", "second")
    kept = json.loads(lzma.decompress(signatures.SHIPPED.read_bytes()))
    by_puid = {one["puid"]: one for one in kept["formats"]}
    by_puid["fmt/355"]["signatures"], by_puid["fmt/116"]["signatures"] = by_puid["fmt/116"]["signatures"], []
    _in_force(house, kept)
    for number in (1, 2):
        (tmp_path / f"ảnh {number}").mkdir()
        shutil.copy(DATA / "vietnamese/image/page.bmp", tmp_path / f"ảnh {number}")
    (tmp_path / "ảnh 2/ghi chú.txt").write_text("chữ")
    told = house.run("ingest", tmp_path / "ảnh 1")
    assert (told.exit, told.item["verdict"]) == (0, "accepted"), told.err
    (finding,) = [one for one in told.item["findings"] if one["code"].startswith("FMT-DIFFER")]
    assert (finding["code"], finding["level"]) == ("FMT-DIFFER-RULE", "warning")
    assert finding["found"] == "fido fmt/355, siegfried fmt/116"
    asks = tmp_path / "asks.toml"
    asks.write_text('name = "asks"\naccepts = ["folder"]\nmakes = "eark-aip"\n[levels]\nFMT-DIFFER-RULE = "decision"\n')
    asked = house.run("ingest", tmp_path / "ảnh 2", "--profile", asks)
    assert (asked.exit, asked.item["verdict"], asked.item["waiting_for"]) == (4, "waiting", "person")
    levels = {one["code"]: one["level"] for one in asked.item["findings"]}
    assert levels["FMT-DIFFER-RULE"] == "decision"
    waiting = [one["state"] for one in house.run("status").items if one["name"].endswith("ảnh 2")]
    assert waiting  # it stays at work until somebody decides
