"""What is read at one go is told as what is streamed is, and no copy is said to conform that does not."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.standards import ocfl
from pipeline.standards.ocfl_plain import MOST, plain
from pipeline.storage import copies
from pipeline.storage.conformance import conformance
from pipeline.storage.copies import write
from pipeline.storage.judging import judge
from pipeline.storage.layouts import ocfl as layout
from pipeline.storage.stores import Store
from pipeline.storage.validation import inventories
from tests.storage.plans import STATE_1, STATE_2, URN, plan

BASE = layout.prefix(URN)
A, B = "a" * 64, "b" * 64
ABOUT = {"created": "2026-11-01T08:00:00Z", "message": "một", "user": {"name": "Lưu trữ", "address": "mailto:a@b"}}
RIGHT: dict[str, Any] = {
    "digestAlgorithm": "sha256", "head": "v2", "id": URN, "type": ocfl.TYPE,
    "manifest": {A: [f"v1/content/aa/{A}"], B: [f"v2/content/bb/{B}"]},
    "versions": {
        "v1": {**ABOUT, "state": {A: ["uuid-1/METS.xml", "uuid-1/Công văn.txt"]}},
        "v2": {**ABOUT, "state": {A: ["uuid-1/METS.xml"], B: ["uuid-1/data/x"]}},
    },
}  # fmt: skip


def text(inventory: object) -> bytes:
    return json.dumps(inventory, ensure_ascii=False).encode("utf-8", "surrogatepass")


def faults(raw: bytes) -> set[str]:
    """Violations that the streaming validator finds."""
    found: list[str] = []
    inventories.read(io.BytesIO(raw), lambda code, expected, got: found.append(code))
    return {code for code in found if code.startswith("E")}


def test_what_we_write_is_plain(tmp_path: Path) -> None:
    second = plan(tmp_path, STATE_2, plan(tmp_path, STATE_1))
    raw = second.inventory.read_bytes()
    made, streamed = plain(raw), ocfl.read_inventory(second.inventory)
    assert made is not None
    assert (made.identifier, made.head) == (streamed.identifier, streamed.head) == (URN, 2)
    assert list(made.manifest()) == list(streamed.manifest())
    assert plain(text(RIGHT)) is not None and not faults(text(RIGHT))


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    made = copy.deepcopy(RIGHT)
    change(made)
    return made


@pytest.mark.parametrize(
    "wrong",
    [
        lambda it: it.update(head="v1"),
        lambda it: it.update(head="v3"),
        lambda it: it.update(id=""),
        lambda it: it.update(id=7),
        lambda it: it.update(fixity={}),
        lambda it: it.update(more=""),
        lambda it: it.update(contentDirectory="inhalt"),
        lambda it: it.update(digestAlgorithm="sha512"),
        lambda it: it.update(type="https://ocfl.io/1.0/spec/#inventory"),
        lambda it: it.pop("id"),
        lambda it: it["manifest"].pop(B),
        lambda it: it["manifest"].update({"c" * 64: [f"v1/content/cc/{'c' * 64}"]}),
        lambda it: it["manifest"][A].append(f"v2/content/aa/{A}"),
        lambda it: it["manifest"].update({A: {f"v1/content/aa/{A}": ""}}),
        lambda it: it["manifest"].update({A: [f"v3/content/aa/{A}"]}),
        lambda it: it["manifest"].update({A: [f"v01/content/aa/{A}"]}),
        lambda it: it["manifest"].update({A: [f"v1/content/ab/{A}"]}),
        lambda it: it["manifest"].update({A: [f"v1/content/aa/{B}"]}),
        lambda it: it["versions"].pop("v1"),
        lambda it: it["versions"].update(v4=it["versions"]["v2"]),
        lambda it: it.update(versions=[]),
        lambda it: it["versions"]["v1"].pop("created"),
        lambda it: it["versions"]["v1"].update(created="yesterday"),
        lambda it: it["versions"]["v1"].update(message=1),
        lambda it: it["versions"]["v1"].update(more=""),
        lambda it: it["versions"]["v1"].update(user={"address": "mailto:a@b"}),
        lambda it: it["versions"]["v1"].update(user={"name": ""}),
        lambda it: it["versions"]["v1"].update(user=None),
        lambda it: it["versions"]["v1"].update(user={"name": "x", "more": "y"}),
        lambda it: it["versions"]["v1"].pop("state"),
        lambda it: it["versions"]["v1"].update(state={A: "uuid-1/METS.xml"}),
        lambda it: it["versions"]["v1"].update(state={A: [1]}),
        lambda it: it["versions"]["v1"].update(state={"A" * 64: ["x"]}),
        *[
            lambda it, path=path: it["versions"]["v1"]["state"].update({A: path})
            for path in (
                ["/a"], ["a/"], [""], ["a//b"], ["a/../b"], ["."], ["a/."], ["a", "a"], ["a/b/c", "a"], ["a\0b"],
            )
        ],
    ],
)  # fmt: skip
def test_what_is_odd_is_left_to_the_streaming_reader(wrong: Callable[[dict[str, Any]], object]) -> None:
    assert plain(text(changed(wrong))) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"[]", b"null", b"[" * 100_000, text(RIGHT)[:-1], text(RIGHT) + b"x", b"\xef\xbb\xbf" + text(RIGHT),
        text(RIGHT).replace(b'"head"', b'"head": "v2", "head"'),
        text(RIGHT).replace(b'"head"', b'"head": "v2", "head"').replace(b"METS", b'\\"'),
        text(RIGHT).replace(b'"state": {', b'"state": {"%s": ["z"], ' % A.encode()),
        text(RIGHT).decode().encode("utf-16"),
        text(RIGHT).replace("một".encode(), b"\\ud800"), text(RIGHT).replace("một".encode(), b"\xff"),
        text(RIGHT) + b" " * MOST,
    ],
)  # fmt: skip
def test_bytes_that_are_no_plain_inventory(raw: bytes) -> None:
    assert plain(raw) is None


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_plain_inventory_has_no_fault(data: st.DataObject) -> None:
    """Any value or key in a right inventory replaced: what still counts as plain keeps every requirement."""
    made = copy.deepcopy(RIGHT)
    where: Any = made
    names = st.sampled_from(["", "v1", "v2", "v3", A, B, "state", "uuid-1", "uuid-1/METS.xml", f"v1/content/bb/{B}"])
    while True:
        key = data.draw(st.sampled_from(sorted(where) if isinstance(where, dict) else range(len(where))))
        if isinstance(where[key], dict | list) and where[key] and data.draw(st.booleans()):
            where = where[key]
            continue
        if isinstance(where, dict) and data.draw(st.booleans()):
            where[data.draw(names | st.text())] = where.pop(key)
        else:
            values = st.none() | st.booleans() | st.integers() | names | st.text()
            where[key] = data.draw(st.recursive(values, lambda one: st.lists(one) | st.dictionaries(names, one)))
        break
    raw = text(made)
    if plain(raw) is not None:
        assert not faults(raw)


def test_a_copy_conforms_or_is_looked_at(store: Store, tmp_path: Path) -> None:
    """Whatever is done to a copy: what is not looked at for its rules has nothing to be told."""
    first = plan(tmp_path, STATE_1)
    second = plan(tmp_path, STATE_2, first)
    for made in (first, second):
        write(made, [store])
        copies.close(URN, made.version, [store])
    known = {1: first.inventory_sha256, 2: second.inventory_sha256}

    def looked() -> tuple[bool, int]:
        judged = judge(store, URN, known=known)
        told = conformance(store, replace(judged, conforms=False))
        assert conformance(store, judged) == told
        return judged.conforms, len(told) + len(judged.problems)

    assert looked() == (True, 0)
    assert not judge(store, URN).conforms
    for key, _ in sorted(store.list(BASE)):
        whole = store.read(key)
        store.replace(key, whole + b" ")
        conforms, wrong = looked()
        assert not conforms and wrong, key
        store.delete(key)
        conforms, wrong = looked()
        assert not conforms and wrong, key
        store.replace(key, whole)
    for stray in ("logs/x", "v2/extra", "v2/content/extra", "extensions/x/y", "v3/content/z"):
        store.replace(BASE + stray, b"")
        assert not looked()[0], stray
        store.delete(BASE + stray)
    assert looked() == (True, 0)
