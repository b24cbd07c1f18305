"""BagIt Profiles: every field of 1.4.0 is kept or not kept, and the library bagit-profile thinks the same."""

from __future__ import annotations

import http.server
import json
import logging
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bagit
import bagit_profile
import pytest

from pipeline.errors import SystemProblem, UsageProblem
from pipeline.findings import level_of
from pipeline.packages.bagit import Bagit
from pipeline.packages.bagit.profile import check, known, load, parsed
from pipeline.packages.bagit.profile_source import profile_at
from pipeline.records import Finding, Level
from pipeline.settings import PROJECT
from tests.command import House
from tests.packages.bags import bag
from tests.packages.received import digest_tree, judged, opened

ID = "https://example.org/profile.json"
SIP_BAG = PROJECT / "profiles" / "sip-bag.json"
PAYLOAD: dict[str, bytes | str] = {"a.txt": "alpha\n", "sub/b.txt": "beta\n"}


def profile(**changes: Any) -> dict[str, Any]:
    """A profile that asks nothing; keys with `_` for `-`, a dot stays."""
    value: dict[str, Any] = {
        "BagIt-Profile-Info": {
            "BagIt-Profile-Identifier": ID, "BagIt-Profile-Version": "1.4.0", "Source-Organization": "x",
            "External-Description": "x", "Version": "1",
        },
        "Accept-BagIt-Version": ["1.0"], "Serialization": "optional", "Accept-Serialization": ["application/zip"],
        "Bag-Info": {}, "Manifests-Required": [], "Allow-Fetch.txt": True,
    }  # fmt: skip
    return value | {key.replace("_", "-"): one for key, one in changes.items()}


def info(*lines: str, identifier: str | None = ID) -> bytes:
    named = [f"BagIt-Profile-Identifier: {identifier}"] if identifier else []
    return "".join(f"{line}\n" for line in (*named, "Payload-Oxum: 11.2", *lines)).encode()


def made(root: Path, *lines: str, identifier: str | None = ID, tags: dict[str, bytes | str] | None = None,
         algorithms: tuple[str, ...] = ("sha256",), version: str = "1.0",
         payload: dict[str, bytes | str] | None = None) -> Path:  # fmt: skip
    more: dict[str, bytes | str] = {"bag-info.txt": info(*lines, identifier=identifier), **(tags or {})}
    return bag(root, payload or PAYLOAD, tags=more, algorithms=algorithms, version=version)


def findings(value: dict[str, Any], path: Path) -> list[Finding]:
    tree = opened(path).tree
    assert tree is not None
    return list(check(parsed(json.dumps(value).encode(), "test"), tree, digest_tree(tree, ("sha256",))))


def codes(value: dict[str, Any], path: Path) -> list[str]:
    return sorted({one.code for one in findings(value, path)})


def tag(label: str, **asked: Any) -> dict[str, Any]:
    return profile(**{"Bag-Info": {label: asked}})


CASES: dict[str, tuple[dict[str, Any], Callable[[Path], Path], list[str]]] = {
    "nothing asked": (profile(), made, []),
    "not named": (profile(), lambda root: made(root, identifier=None), ["BAG-PRO-ID"]),
    "another named": (profile(), lambda root: made(root, identifier="https://example.org/x"), ["BAG-PRO-ID"]),
    "required there": (tag("Contact-Name", required=True), lambda root: made(root, "contact-name: A"), []),
    "required missing": (tag("Contact-Name", required=True), made, ["BAG-PRO-TAG-REQUIRED"]),
    "value": (tag("Contact-Name", values=["A", "B"]), lambda root: made(root, "Contact-Name: B"), []),
    "wrong value": (
        tag("Contact-Name", values=["A"]), lambda root: made(root, "Contact-Name: B"), ["BAG-PRO-TAG-VALUE"],
    ),
    "repeated": (
        tag("Contact-Name", repeatable=False), lambda root: made(root, "Contact-Name: A", "Contact-Name: B"),
        ["BAG-PRO-TAG-REPEATED"],
    ),
    "repeatable": (
        tag("Contact-Name", repeatable=True), lambda root: made(root, "Contact-Name: A", "Contact-Name: B"), [],
    ),
    "manifest required": (profile(Manifests_Required=["sha512"]), made, ["BAG-PRO-MANIFEST-REQUIRED"]),
    "manifest there": (
        profile(Manifests_Required=["sha512"]), lambda root: made(root, algorithms=("sha256", "sha512")), [],
    ),
    "manifest not allowed": (
        profile(Manifests_Allowed=["sha512"]), made, ["BAG-PRO-MANIFEST-ALLOWED"],
    ),
    "tag manifest required": (
        profile(**{"Tag-Manifests-Required": ["sha512"]}), made, ["BAG-PRO-TAGMANIFEST-REQUIRED"],
    ),
    "tag manifest not allowed": (
        profile(**{"Tag-Manifests-Allowed": ["sha512"]}), made, ["BAG-PRO-TAGMANIFEST-ALLOWED"],
    ),
    "version": (profile(**{"Accept-BagIt-Version": ["0.97"]}), made, ["BAG-PRO-VERSION"]),
    "fetch forbidden": (
        profile(**{"Allow-Fetch.txt": False}),
        lambda root: made(root, tags={"fetch.txt": "http://x.example 1 data/c\n"}),
        ["BAG-PRO-FETCH-FORBIDDEN"],
    ),
    "tag file required": (profile(**{"Tag-Files-Required": ["m/x.xml"]}), made, ["BAG-PRO-TAGFILE-REQUIRED"]),
    "tag file allowed": (
        profile(**{"Tag-Files-Allowed": ["bag*.txt", "*manifest-*.txt", "m/*"]}),
        lambda root: made(root, tags={"m/n/x.xml": "x"}), [],
    ),
    "tag file not allowed": (
        profile(**{"Tag-Files-Allowed": ["bag*.txt", "*manifest-*.txt", "m/*"]}),
        lambda root: made(root, tags={"n/x.xml": "x"}), ["BAG-PRO-TAGFILE-ALLOWED"],
    ),
}  # fmt: skip
"""Fields that bagit-profile 1.3.1 judges too."""

LATER: dict[str, tuple[dict[str, Any], Callable[[Path], Path], list[str]]] = {
    "required empty": (
        tag("Contact-Name", required=True), lambda root: made(root, "Contact-Name: "), ["BAG-PRO-TAG-REQUIRED"],
    ),
    "recommended missing": (tag("Contact-Name", recommended=True), made, ["BAG-PRO-TAG-RECOMMENDED"]),
    "a value among several": (
        tag("Contact-Name", values=["A"]), lambda root: made(root, "Contact-Name: A", "Contact-Name: B"),
        ["BAG-PRO-TAG-VALUE"],
    ),
    "no bag-info": (
        profile(), lambda root: bag(root, PAYLOAD, replace={"bag-info.txt": None}), ["BAG-PRO-INFO"],
    ),
    "fetch required": (profile(**{"Fetch.txt-Required": True}), made, ["BAG-PRO-FETCH-REQUIRED"]),
    "payload required": (
        profile(**{"Payload-Files-Required": ["data/LICENCE", "data/src/", "data/sub/", "data/a.txt"]}), made,
        ["BAG-PRO-PAYLOAD-REQUIRED"],
    ),
    "payload not allowed": (
        profile(**{"Payload-Files-Allowed": ["data/*.pdf", "data/a.txt"]}), made, ["BAG-PRO-PAYLOAD-ALLOWED"],
    ),
    "payload allowed": (profile(**{"Payload-Files-Allowed": ["data/sub/*", "data/a.txt"]}), made, []),
    "data not empty": (profile(**{"Data-Empty": True}), made, ["BAG-PRO-DATA"]),
    "data with one empty file": (
        profile(**{"Data-Empty": True}), lambda root: made(root, payload={".keep": b""}), [],
    ),
    "a field of its own": (profile(**{"Deserialization-Match-Required": True}), made, ["BAG-PRO-FIELD"]),
    "a field of its own in a tag": (tag("Contact-Name", help="who"), made, ["BAG-PRO-FIELD"]),
    "tag files of the RFC are required, others allowed": (
        profile(**{"Tag-Files-Required": ["bagit.txt", "bag-info.txt"], "Tag-Files-Allowed": ["DPN/*"]}), made, [],
    ),
    "not serialized": (profile(Serialization="required"), made, ["BAG-PRO-NOT-SERIALIZED"]),
}  # fmt: skip
"""Fields of 1.4.0, and what the library does not see (../shared: required but empty)."""


@pytest.mark.parametrize("name", [*CASES, *LATER])
def test_each_field(tmp_path: Path, name: str) -> None:
    value, make, expected = (CASES | LATER)[name]
    assert codes(value, make(tmp_path / "bag")) == expected


@pytest.mark.parametrize("name", CASES)
def test_bagit_profile_thinks_the_same(tmp_path: Path, name: str) -> None:
    value, make, expected = CASES[name]
    if "fetch" in name or "version" in name:
        # The library needs a bag that bagit-python opens; both of these are opened.
        assert expected
    folder = make(tmp_path / "bag")
    logging.disable(logging.CRITICAL)
    try:
        judge = bagit_profile.Profile(ID, profile=value, ignore_baginfo_tag_case=True)
        assert judge.validate(bagit.Bag(str(folder))) == (not expected), judge.report
    finally:
        logging.disable(logging.NOTSET)


def zipped(folder: Path) -> Path:
    target = folder.with_suffix(".zip")
    with zipfile.ZipFile(target, "w") as out:
        for file in sorted(folder.rglob("*")):
            out.write(file, Path(folder.name) / file.relative_to(folder))
    return target


def tarred(folder: Path, mode: str = "w") -> Path:
    target = folder.with_suffix(".tar.gz" if mode == "w:gz" else ".tar")
    with tarfile.open(target, mode) as out:  # type: ignore[call-overload]
        out.add(folder, folder.name)
    return target


def test_serialization_is_told_by_the_bytes(tmp_path: Path) -> None:
    folder = made(tmp_path / "bag")
    asked = profile(Serialization="required", **{"Accept-Serialization": ["application/zip"]})
    assert codes(asked, zipped(folder)) == []
    assert codes(asked, tarred(folder)) == ["BAG-PRO-SERIALIZATION"]
    lying = tmp_path / "liar.zip"
    lying.write_bytes(tarred(folder).read_bytes())
    assert codes(asked, lying) == ["BAG-PRO-SERIALIZATION"]
    assert codes(profile(Serialization="forbidden"), zipped(folder)) == ["BAG-PRO-SERIALIZED"]


GOOD = (
    "Source-Organization: Sở Nội vụ", "External-Identifier: HS-1", "Bagging-Date: 2026-01-31",
    "Contact-Name: Nguyễn Văn Mẫu", "Contact-Email: mau@example.org", "External-Description: Hồ sơ",
)  # fmt: skip


def test_the_published_profile(tmp_path: Path) -> None:
    ours = load(SIP_BAG)
    assert known() == {ours.identifier: ours}
    folder = made(tmp_path / "bag", *GOOD, identifier=ours.identifier, tags={"metadata/dc.xml": "x"})
    value = json.loads(SIP_BAG.read_bytes())
    assert codes(value, zipped(folder)) == codes(value, tarred(folder)) == []
    lenient = findings(value, tarred(folder, "w:gz"))
    assert [(one.code, level_of(one)) for one in lenient] == [("BAG-PRO-SERIALIZATION", Level.WARNING)]
    assert codes(value, folder) == ["BAG-PRO-NOT-SERIALIZED"]
    judge = bagit_profile.Profile(ours.identifier, profile=value)
    assert judge.validate(bagit.Bag(str(folder))) and judge.validate_serialization(str(zipped(folder)))
    # What the bag itself names is held against it, since we know it; an unknown one is only told.
    assert "BAG-PRO-NOT-SERIALIZED" in {one.code for one in judged(Bagit(), _tree(folder))}
    other = made(tmp_path / "other", *GOOD, identifier="https://example.org/other")
    assert [one.code for one in judged(Bagit(), _tree(other)) if one.code.startswith("BAG-PRO")] == ["BAG-PRO-UNKNOWN"]


def _tree(folder: Path) -> Any:
    return opened(folder).tree


WRONG: dict[str, bytes] = {
    "no JSON": b"{",
    "no object": b"[]",
    "no info": b"{}",
    "deep": b"[" * 100_000,
    "unknown key": json.dumps(profile(Serialisation="required")).encode(),
    "no version": json.dumps({k: v for k, v in profile().items() if k != "Accept-BagIt-Version"}).encode(),
    "list": json.dumps(profile(**{"Tag-Files-Required": "x"})).encode(),
    "flag": json.dumps(profile(**{"Data-Empty": "yes"})).encode(),
    "serialization": json.dumps(profile(Serialization="maybe")).encode(),
    "no type": json.dumps(profile(Serialization="required", **{"Accept-Serialization": []})).encode(),
    "required, not allowed": json.dumps(
        profile(**{"Tag-Files-Required": ["x"], "Tag-Files-Allowed": ["y*"]})
    ).encode(),
    "manifest required, not allowed": json.dumps(
        profile(Manifests_Required=["md5"], Manifests_Allowed=["sha256"])
    ).encode(),
    "fetch required, not allowed": json.dumps(
        profile(**{"Fetch.txt-Required": True, "Allow-Fetch.txt": False})
    ).encode(),
    "tag": json.dumps(tag("A", requierd=True)).encode(),
    "tag flag": json.dumps(tag("A", required="yes")).encode(),
    "tag values": json.dumps(tag("A", values="x")).encode(),
    "bag-info": json.dumps(profile(**{"Bag-Info": []})).encode(),
    "tag no object": json.dumps(profile(**{"Bag-Info": {"A": True}})).encode(),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_profiles_are_refused(name: str) -> None:
    with pytest.raises(UsageProblem) as problem:
        parsed(WRONG[name], "test")
    assert problem.value.code == "USE-BAG-PROFILE"


@pytest.fixture
def served() -> Iterator[tuple[str, dict[str, tuple[int, bytes]]]]:
    """A server of this machine with pages by path."""
    pages: dict[str, tuple[int, bytes]] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = pages.get(self.path, (404, b""))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", body.decode())
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", pages
    server.shutdown()
    server.server_close()


def test_an_address_is_asked_when_a_person_names_it(served: tuple[str, dict[str, tuple[int, bytes]]]) -> None:
    address, pages = served
    pages["/p.json"] = (200, json.dumps(profile()).encode())
    pages["/moved"] = (302, f"{address}/p.json".encode())
    pages["/away"] = (302, b"file:///etc/passwd")
    pages["/big"] = (200, b" " * (2 << 20))
    assert profile_at(f"{address}/p.json").identifier == profile_at(f"{address}/moved").identifier == ID
    for path, kind in (("/none", SystemProblem), ("/away", SystemProblem), ("/big", UsageProblem)):
        with pytest.raises(kind):
            profile_at(address + path)
    with pytest.raises(UsageProblem):
        profile_at("nothing.json")
    assert profile_at(load(SIP_BAG).identifier).identifier == load(SIP_BAG).identifier


def test_by_the_command(tmp_path: Path) -> None:
    house = House(tmp_path / "house")
    value = tmp_path / "p.json"
    value.write_text(json.dumps(tag("Contact-Name", required=True)))
    folder = made(tmp_path / "bag")
    answer = house.run("validate", folder, "--profile-url", value)
    assert answer.exit == 1 and "BAG-PRO-TAG-REQUIRED" in answer.codes
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "a").write_text("a")
    assert "BAG-PRO-KIND" in house.run("validate", plain, "--profile-url", value).codes
    value.write_text("{")
    assert house.run("validate", folder, "--profile-url", value).exit == 2
    assert house.run("validate", folder).exit == 0
