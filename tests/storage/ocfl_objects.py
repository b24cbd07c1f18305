"""OCFL objects and storage roots for the tests of the validator: a right one, and one wrong in each way by its code."""

from __future__ import annotations

import copy
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

Json = dict[str, Any]
TYPE = "https://ocfl.io/1.1/spec/#inventory"


def sha512(data: bytes) -> str:
    return hashlib.sha512(data).hexdigest()


A, B = sha512(b"a"), sha512(b"b")


class Object:
    """An object of two versions: `a.txt` from the first on, `d/b.txt` in the second; both inventories to be changed.

    `files` is everything else by path; sidecars are written for the bytes that the inventories have in the end.
    """

    def __init__(self) -> None:
        user = {"name": "Lưu trữ", "address": "mailto:a@example.org"}
        first = {"created": "2026-11-01T08:00:00Z", "message": "một", "user": user, "state": {A: ["a.txt"]}}
        second = {
            "created": "2026-11-02T08:00:00.5+07:00", "message": "hai", "user": user,
            "state": {A: ["a.txt"], B: ["d/b.txt"]},
        }  # fmt: skip
        about = {"id": "urn:example:1", "type": TYPE, "digestAlgorithm": "sha512"}
        self.v1: Json = {
            **about, "head": "v1", "manifest": {A: ["v1/content/a.txt"]}, "versions": {"v1": first},
        }  # fmt: skip
        self.v2: Json = {
            **about, "head": "v2", "manifest": {A: ["v1/content/a.txt"], B: ["v2/content/d/b.txt"]},
            "versions": {"v1": copy.deepcopy(first), "v2": second},
        }  # fmt: skip
        self.files: dict[str, bytes] = {
            "0=ocfl_object_1.1": b"ocfl_object_1.1\n",
            "v1/content/a.txt": b"a",
            "v2/content/d/b.txt": b"b",
        }
        self.root: Json | None = None
        self.raw: dict[str, bytes] = {}
        self.sidecars: dict[str, bytes | None] = {}

    @property
    def both(self) -> tuple[Json, Json]:
        return self.v1, self.v2

    def write(self, folder: Path) -> Path:
        """Writes the object below `folder`; what `raw` and `sidecars` name is written as it stands there."""
        for path, data in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        for where, inventory in (("v1/", self.v1), ("v2/", self.v2), ("", self.root or self.v2)):
            data = self.raw.get(where, json.dumps(inventory, ensure_ascii=False).encode())
            if not data:
                continue
            (folder / where).mkdir(parents=True, exist_ok=True)
            (folder / where / "inventory.json").write_bytes(data)
            algorithm = inventory.get("digestAlgorithm", "sha512")
            algorithm = algorithm if algorithm in ("sha256", "md5") else "sha512"
            line = self.sidecars.get(where, f"{hashlib.new(algorithm, data).hexdigest()} inventory.json\n".encode())
            if line is not None:
                (folder / where / f"inventory.json.{algorithm}").write_bytes(line)
        return folder


Change = Callable[[Object], object]


def _rename_declaration(name: str) -> Change:
    def change(one: Object) -> None:
        del one.files["0=ocfl_object_1.1"]
        one.files[name] = name.encode()[2:] + b"\n"

    return change


def _renumber(names: dict[str, str]) -> Change:
    """The versions under other names, everywhere."""

    def change(one: Object) -> None:
        for inventory in one.both:
            text = json.dumps(inventory)
            for old, new in names.items():
                text = text.replace(f'"{old}"', f'"{new}"').replace(f'"{old}/', f'"{new}/')
            inventory.clear()
            inventory.update(json.loads(text))
        one.files = {
            next((new + path[len(old) :] for old, new in names.items() if path.startswith(f"{old}/")), path): data
            for path, data in one.files.items()
        }
        one.raw["v1/"] = one.raw["v2/"] = b""

    return change


def _all(**values: Any) -> Change:
    return lambda one: [inventory.update(copy.deepcopy(values)) for inventory in one.both]


def _block(**values: Any) -> Change:
    """Keys of the first version's block, in both inventories."""
    return lambda one: [inventory["versions"]["v1"].update(copy.deepcopy(values)) for inventory in one.both]


def _without(*names: str) -> Change:
    return lambda one: [inventory.pop(name) for inventory in one.both for name in names]


def _block_without(name: str) -> Change:
    return lambda one: [inventory["versions"]["v1"].pop(name) for inventory in one.both]


def _file(path: str, data: bytes = b"x") -> Change:
    return lambda one: one.files.update({path: data})


def _manifest(*paths: str) -> Change:
    return lambda one: one.v2["manifest"].update({B: list(paths)})


def _logical(*paths: str) -> Change:
    return lambda one: one.v2["versions"]["v2"]["state"].update({B: list(paths)})


def _fixity(**blocks: Any) -> Change:
    return lambda one: one.v2.update(fixity={name.replace("_", "-"): block for name, block in blocks.items()})


def _raw(edit: Callable[[str], str]) -> Change:
    """The text of the newest inventory, changed."""

    def change(one: Object) -> None:
        data = edit(json.dumps(one.v2)).encode()
        one.raw.update({"": data, "v2/": data})

    return change


def _newest(change: Callable[[Json], object]) -> Change:
    return lambda one: change(one.v2)


def _root_alone(change: Callable[[Json], object]) -> Change:
    def apply(one: Object) -> None:
        one.root = copy.deepcopy(one.v2)
        change(one.root)

    return apply


def _other_algorithm(one: Object) -> None:
    """SHA-512 values under the name of SHA-256."""
    one.v2["digestAlgorithm"] = "sha256"


def _sha256(one: Object) -> None:
    text = json.dumps(one.v2).replace(A, hashlib.sha256(b"a").hexdigest()).replace(B, hashlib.sha256(b"b").hexdigest())
    one.v2 = {**json.loads(text), "digestAlgorithm": "sha256"}


def _not_hexadecimal(one: Object) -> None:
    _sha256(one)
    one.v2["manifest"]["xyz"] = ["v2/content/c"]


_B = "v2/content/d/b.txt"
WRONG_OBJECTS: dict[str, Change] = {
    "OCFL-E001": _file("notes.txt"),
    "OCFL-E003": lambda one: one.files.pop("0=ocfl_object_1.1"),
    "OCFL-E004": _file("0=mine"),
    "OCFL-E005": _rename_declaration("1=ocfl_object_1.1"),
    "OCFL-E006": _rename_declaration("0=ocfl_object_9.9"),
    "OCFL-E007": _file("0=ocfl_object_1.1", b"ocfl_object_1.1"),
    "OCFL-E008": _newest(lambda made: made.update(versions={})),
    "OCFL-E009": _renumber({"v1": "v2", "v2": "v3"}),
    "OCFL-E010": _renumber({"v2": "v3"}),
    "OCFL-E011": _renumber({"v1": "v01", "v2": "v10"}),
    "OCFL-E012": _renumber({"v2": "v02"}),
    "OCFL-E013": _renumber({"v1": "v01", "v2": "v2"}),
    "OCFL-E014": _manifest("v02/content/d/b.txt"),
    "OCFL-E015": _file("v1/notes.txt"),
    "OCFL-E017": _all(contentDirectory="con/tent"),
    "OCFL-E018": _all(contentDirectory=".."),
    "OCFL-E019": _newest(lambda made: made.update(contentDirectory="content")),
    "OCFL-E020": _newest(lambda made: made.update(contentDirectory="other")),
    "OCFL-E023": _file("v1/content/stray"),
    "OCFL-E025": _all(digestAlgorithm="md5"),
    "OCFL-E029": _fixity(sha1={"xyz": [_B]}),
    "OCFL-E030": _not_hexadecimal,
    "OCFL-E031": _newest(lambda made: made["manifest"].update(xyz=["v2/content/c"])),
    "OCFL-E032": _fixity(blake2b_512={"ab": [_B]}),
    "OCFL-E033": _raw(lambda text: text[:-1]),
    "OCFL-E034": _file("Inventory.json"),
    "OCFL-E035": _manifest("v2\\content\\b.txt"),
    "OCFL-E036": _without("id"),
    "OCFL-E037": _all(id=""),
    "OCFL-E038": _all(type="https://ocfl.io/1.0/spec/#inventory"),
    "OCFL-E039": _other_algorithm,
    "OCFL-E040": _newest(lambda made: made.update(head="v1")),
    "OCFL-E041": _without("manifest"),
    "OCFL-E042": _manifest("v2/elsewhere/b.txt"),
    "OCFL-E043": _without("versions"),
    "OCFL-E045": _newest(lambda made: made.update(versions=[])),
    "OCFL-E046": _file("v3/content/c"),
    "OCFL-E047": _newest(lambda made: made["versions"].update(v2="two")),
    "OCFL-E048": _block_without("created"),
    "OCFL-E049": _block(created="2026-11-01T08:00Z"),
    "OCFL-E050": _newest(lambda made: made["versions"]["v2"]["state"].update({sha512(b"c"): ["c"]})),
    "OCFL-E051": _newest(lambda made: made["versions"]["v2"]["state"].update({B: [7, {"x": []}]})),
    "OCFL-E052": _logical("d/../b.txt"),
    "OCFL-E053": _logical("/etc/passwd"),
    "OCFL-E054": _block(user={"address": "mailto:a@example.org"}),
    "OCFL-E056": _fixity(crc32={"00000000": [_B]}),
    "OCFL-E057": _fixity(md5=["x"]),
    "OCFL-E058": lambda one: one.sidecars.update({"v1/": None}),
    "OCFL-E059": lambda one: (one.sidecars.update({"v1/": None}), one.files.update({"v1/inventory.json.md5": b"x"})),
    "OCFL-E060": lambda one: one.sidecars.update({"v1/": b"0" * 128 + b" inventory.json\n"}),
    "OCFL-E061": lambda one: one.sidecars.update({"v1/": b"0" * 128}),
    "OCFL-E063": lambda one: one.raw.update({"": b""}),
    "OCFL-E064": _root_alone(lambda made: made.update(contentDirectory="content")),
    "OCFL-E066": _newest(lambda made: made["versions"]["v1"].update(state={A: ["renamed.txt"]})),
    "OCFL-E067": _file("extensions/notes.txt"),
    "OCFL-E092": _file(_B, b"c"),
    "OCFL-E093": _fixity(md5={"0" * 32: [_B]}),
    "OCFL-E094": _block(message=["một"]),
    "OCFL-E095": _logical("d/b.txt", "d/b.txt/c"),
    "OCFL-E096": _newest(lambda made: made["manifest"].update({B.upper(): ["v2/content/c"]})),
    "OCFL-E097": _fixity(md5={"AB" * 16: [_B], "ab" * 16: [_B]}),
    "OCFL-E099": _manifest("v2/content/../../../etc/passwd"),
    "OCFL-E100": _manifest("/etc/passwd"),
    "OCFL-E101": _manifest("v2/content/d/b.txt", "v2/content/d"),
    "OCFL-E102": _all(note="x"),
    "OCFL-E103": lambda one: (
        one.v2.update(type="https://ocfl.io/1.0/spec/#inventory"),
        _rename_declaration("0=ocfl_object_1.0")(one),
    ),  # fmt: skip
    "OCFL-E104": _renumber({"v2": "2"}),
    "OCFL-E105": _renumber({"v2": "v0"}),
    "OCFL-E106": _newest(lambda made: made.update(manifest=["v1/content/a.txt"])),
    "OCFL-E107": _newest(lambda made: made["manifest"].update({sha512(b"c"): ["v2/content/c"]})),
    "OCFL-E108": _all(contentDirectory=7),
    "OCFL-E110": _newest(lambda made: made.update(id="urn:example:2")),
    "OCFL-E111": _all(fixity=[]),
    "OCFL-W001": _renumber({"v1": "v01", "v2": "v02"}),
    "OCFL-W002": _file("v1/more/notes.txt"),
    "OCFL-W004": _sha256,
    "OCFL-W005": _all(id="uuid-1"),
    "OCFL-W007": _block_without("message"),
    "OCFL-W008": _block(user={"name": "Lưu trữ"}),
    "OCFL-W009": _block(user={"name": "Lưu trữ", "address": "phòng 12"}),
    "OCFL-W010": lambda one: one.raw.update({"v1/": b""}),
    "OCFL-W011": _newest(lambda made: made["versions"]["v1"].update(message="khác")),
    "OCFL-W013": _file("extensions/mine/notes.txt"),
}
"""What is done to a right object, by the code that tells of it."""


def _no_content(root: Path) -> None:
    (root / "v2/content/d/b.txt").unlink()
    (root / "v2/content/d").rmdir()


WRONG_FOLDERS: dict[str, Callable[[Path], object]] = {
    "OCFL-E024": lambda root: (root / "v1/content/empty").mkdir(),
    "OCFL-E089": lambda root: os.mkfifo(root / "v1/content/pipe"),
    "OCFL-E090": lambda root: (root / "v1/content/link").symlink_to("/etc/passwd"),
    "OCFL-W003": _no_content,
}
"""What only a folder can have."""


def storage_root(folder: Path) -> Path:
    """A storage root of two objects in a hierarchy of one folder each."""
    folder.mkdir(parents=True)
    (folder / "0=ocfl_1.1").write_bytes(b"ocfl_1.1\n")
    for number in (1, 2):
        one = Object()
        for inventory in one.both:
            inventory["id"] = f"urn:example:{number}"
        one.write(folder / f"a{number}" / f"object-{number}")
    return folder


def _says(path: str, data: bytes = b"x") -> Callable[[Path], object]:
    def change(root: Path) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)

    return change


def _declares(name: str) -> Callable[[Path], object]:
    return lambda root: (root / "0=ocfl_1.1").rename(root / name)


def _layout(root: Path) -> None:
    name = "0003-hash-and-id-n-tuple-storage-layout"
    (root / "ocfl_layout.json").write_text(json.dumps({"extension": name, "description": "x"}))


def _earlier(root: Path) -> None:
    (root / "0=ocfl_1.1").unlink()
    (root / "0=ocfl_1.0").write_bytes(b"ocfl_1.0\n")


def _deeper(root: Path) -> None:
    (root / "a1/more").mkdir()
    (root / "a1/object-1").rename(root / "a1/more/object-1")


WRONG_ROOTS: dict[str, Callable[[Path], object]] = {
    "OCFL-E069": lambda root: (root / "0=ocfl_1.1").unlink(),
    "OCFL-E070": _says("ocfl_layout.json", b'{"extension": "0004-hashed-n-tuple-storage-layout"}'),
    "OCFL-E071": _says("ocfl_layout.json", b'{"extension": "mine", "description": "x"}'),
    "OCFL-E072": _says("a1/notes.txt"),
    "OCFL-E073": lambda root: (root / "a1/empty").mkdir(),
    "OCFL-E076": _says("0=ocfl_1.0", b"ocfl_1.0\n"),
    "OCFL-E077": _declares("0=ocfl-1.1"),
    "OCFL-E078": _declares("1=ocfl_1.1"),
    "OCFL-E079": _declares("0=ocfl_9.9"),
    "OCFL-E080": _says("0=ocfl_1.1", b"ocfl_1.1"),
    "OCFL-E081": _earlier,
    "OCFL-E082": lambda root: Object().write(root / "a1/object-1/inner"),
    "OCFL-E083": _layout,
    "OCFL-E084": _says("a1/notes.txt"),
    "OCFL-E085": _says("a1/nothing/more.txt"),
    "OCFL-E088": _says("nothing/more.txt"),
    "OCFL-E112": _says("extensions/notes.txt"),
    "OCFL-W014": _deeper,
    "OCFL-W015": lambda root: (root / "a1/object-1").rename(root / "object-1"),
    "OCFL-W016": _says("extensions/mine/config.json", b"{}"),
}
