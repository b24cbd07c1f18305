"""Verification in workers: packages without signatures, limits, damage at random places, the same result twice."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from pipeline.content.signatures import WORKERS, Subject, Verified, findings, subject, verify_all
from pipeline.content.signatures.trust import Trusted
from pipeline.pool import Bounds, Pool
from pipeline.records import PackagePath
from pipeline.signatures import Integrity
from pipeline.tree import Entry, FolderTree
from tests.content.signatures import made
from tests.content.signatures.authority import MOMENT, authority

A = authority()
TRUSTED = Trusted(A.root.pem, 1)
SEED = 20261128


def verified(folder: Path, forms: dict[str, str], scratch: Path, pool: Pool | None = None) -> dict[str, Verified]:
    """What the files of a folder come to, by name."""
    tree = FolderTree(folder)
    entries = {entry.path: entry for entry in tree.entries()}

    def subjects() -> Iterator[Subject]:
        for name, form in forms.items():
            yield subject(entries[PackagePath(name.encode())], form, 1, entries.get)

    scratch.mkdir(exist_ok=True)
    found = verify_all(tree, subjects(), TRUSTED, MOMENT, entries.get, workers=1, scratch=scratch, pool=pool)
    return {one.entry.path.decode(): one for one in found}


def test_a_worker_that_is_late_costs_its_own_file(tmp_path: Path) -> None:
    folder = tmp_path / "gói"
    folder.mkdir()
    (folder / "a.pdf").write_bytes(made.pdf(A.good))
    pool = Pool(WORKERS, 1, Bounds(seconds=0.001, per_byte=0))
    try:
        (one,) = verified(folder, {"a.pdf": "pdf"}, tmp_path / "scratch", pool)["a.pdf"].signatures
    finally:
        pool.close()
    assert one.integrity is Integrity.UNVERIFIABLE
    assert [each.code for each in findings(PackagePath(b"a.pdf"), (one,))] == ["DSIG-STOPPED"]


def test_damage_at_random_places_never_stops_and_never_makes_a_signature_better(tmp_path: Path) -> None:
    """A byte flipped, a piece cut out or doubled, the end cut off: of every kind of file."""
    chance = random.Random(SEED)
    folder = tmp_path / "gói"
    folder.mkdir()
    (folder / "signed.txt").write_bytes(b"abc")
    whole = {
        "a.pdf": ("pdf", made.pdf(A.good, when=MOMENT)), "a.xml": ("xml", made.xades(A.good)),
        "a.docx": ("ooxml", made.ooxml(A.good)), "a.odt": ("odf", made.odf(A.good)),
        "signed.txt.p7s": ("cms", made.cms(A.good, b"abc")),
    }  # fmt: skip
    forms: dict[str, str] = {}
    for name, (form, data) in whole.items():
        for number in range(16):
            damaged = bytearray(data)
            at = chance.randrange(len(data))
            if number % 4 == 0:
                damaged[at] ^= 1 << chance.randrange(8)
            elif number % 4 == 1:
                del damaged[at : at + chance.randrange(1, 200)]
            elif number % 4 == 2:
                damaged[at:at] = damaged[at : at + chance.randrange(1, 200)]
            else:
                del damaged[at:]
            mine = f"{number:02}-{name}"
            forms[mine] = form
            (folder / mine).write_bytes(damaged)
            if form == "cms":
                (folder / f"{number:02}-signed.txt").write_bytes(b"abc")
    found = verified(folder, forms, tmp_path / "scratch")
    assert found.keys() == forms.keys()
    again = verified(folder, forms, tmp_path / "scratch")
    assert {name: one.signatures for name, one in again.items()} == {
        name: one.signatures for name, one in found.items()
    }


def test_a_signature_over_a_file_of_the_package_finds_it_and_no_other(tmp_path: Path) -> None:
    outside = tmp_path / "ngoài.txt"
    outside.write_bytes(b"abc")
    folder = tmp_path / "gói"
    (folder / "con").mkdir(parents=True)
    (folder / "trong.txt").write_bytes(b"abc")
    for name, uri in (
        ("in.xml", "../trong.txt"), ("out.xml", "../../ngoài.txt"), ("abs.xml", str(outside)),
        ("url.xml", f"file://{outside}"), ("dot.xml", "./../con/../trong.txt"),
    ):  # fmt: skip
        (folder / "con" / name).write_text(made.by_hand(A.good, [(uri, "", made.digest(b"abc"))]), encoding="utf-8")
    forms = {f"con/{name}": "xml" for name in ("in.xml", "out.xml", "abs.xml", "url.xml", "dot.xml")}
    found = verified(folder, forms, tmp_path / "scratch")
    whole = {name for name, one in found.items() if one.signatures[0].integrity is Integrity.WHOLE}
    assert whole == {"con/in.xml", "con/dot.xml"}
    assert found["con/in.xml"].signs == (b"trong.txt",)


def test_a_detached_signature_finds_its_file_by_name() -> None:
    held = {PackagePath(name): Entry(PackagePath(name), 1) for name in (b"a.pdf", b"b.docx", b"c.pdf", b"c.docx")}

    def of(name: bytes) -> list[bytes]:
        entry = Entry(PackagePath(name), 1)
        return [other.path for _, other in subject(entry, "cms", 0, held.get).beside]

    assert of(b"a.pdf.p7s") == [b"a.pdf"] and of(b"b.p7s") == [b"b.docx"]
    assert of(b"c.p7s") == [], "two files it could be"
    assert of(b"d.p7s") == []
