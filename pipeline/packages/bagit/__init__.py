"""The kind `bagit`: bags by RFC 8493 and its drafts 0.93 to 0.97, each judged by the version it declares."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.names import Namer, shown
from pipeline.packages import Received, Recognition
from pipeline.packages.bagit import manifests
from pipeline.packages.bagit.fetch import FETCH, Fetch
from pipeline.packages.bagit.manifests import PAYLOAD, Bag, Check, survey
from pipeline.packages.bagit.tagfiles import DECLARATION, Declaration, Lines, declaration, fields, small
from pipeline.packages.recognition import mets_kind
from pipeline.packages.terms import element, fit
from pipeline.records import (
    Agent,
    Description,
    Finding,
    PackagePath,
    Placement,
    Reading,
    Representation,
    Use,
)
from pipeline.settings import Profile
from pipeline.tree import Tree

_OXUM = re.compile(r"([0-9]{1,19})\.([0-9]{1,19})")
_DATE = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])")

_TERMS = {
    "external-identifier": "identifier",
    "internal-sender-identifier": "identifier",
    "external-description": "description",
    "internal-sender-description": "description",
    "source-organization": "publisher",
    "bagging-date": "date",
    "packing-date": "date",
    "bag-group-identifier": "relation",
}
"""Reserved labels that say something about the content, as Dublin Core; other labels count where they name a term."""

_REPRESENTATION = "rep1"


class Bagit:
    """Bags. Stateless; what a bag holds is looked up in `tree` and `received` each time."""

    name = "bagit"

    def recognise(self, tree: Tree) -> Recognition | None:
        if small(tree, DECLARATION) is None:
            return None
        declared, _ = declaration(tree)
        return Recognition(self.name, declared.version, "bagit.txt stands at the root")

    def algorithms(self, tree: Tree) -> frozenset[str]:
        found = (manifests.manifest(entry.path) for entry in tree.entries() if not entry.is_folder)
        return frozenset(one.algorithm for one in found if one is not None and one.algorithm is not None)

    def profile_findings(self, tree: Tree, profile: Profile) -> list[Finding]:
        """What a profile asks beyond the RFC: no fetch.txt unless it is allowed."""
        if profile.allow_fetch or small(tree, FETCH, 1) is None:
            return []
        return [Finding("BAG-FETCH-REFUSED", FETCH)]

    def check(self, tree: Tree, received: Received) -> Iterator[Finding]:
        declared, found = declaration(tree)
        yield from found
        bag = survey(received.entries())
        if not bag.has_data:
            yield Finding("BAG-DATA-01")
        for folder in bag.empty:
            if folder.startswith(PAYLOAD):
                yield Finding("BAG-DATA-02", folder)
        yield from manifests.system_files(bag)
        inner = mets_kind(tree, PAYLOAD)
        if inner is not None:
            yield Finding("BAG-INNER", PackagePath(PAYLOAD + b"METS.xml"), None, None, inner.shown)
        fetch = Fetch()
        yield from fetch.read(tree, received, declared, bag)
        yield from _payload(tree, received, declared, bag, fetch)
        yield from _tags(tree, received, declared, bag)
        yield from _info(tree, declared, bag)
        from pipeline.packages.bagit import profile

        yield from profile.named(tree, received)

    def read(self, tree: Tree, received: Received) -> Reading:
        declared, _ = declaration(tree)
        bag = survey(received.entries())
        named = Namer(lambda: (self.place(path).target for path in (*bag.payload.paths, *bag.tags.paths)))
        folder = f"representations/{_REPRESENTATION}/".encode()
        empty = (named(self.place(path).target) for path in bag.empty if path.startswith(PAYLOAD))
        terms: list[tuple[str, str]] = []
        agents: dict[str, Agent] = {}
        for label, value in _values(tree, declared, bag):
            term = _TERMS.get(label.lower()) or element(label)
            if term is not None and value:
                terms.append((term, fit(value)))
            if label.lower() == "source-organization" and value:
                agents.setdefault(value, Agent(f"organization/{fit(value)}", fit(value), "organization"))
        titles = [value for term, value in terms if term == "title"]
        title = titles[0] if titles else fit(shown(tree.name))
        if not titles:
            terms.insert(0, ("title", title))
        return Reading(
            title=title,
            representations=(
                Representation(
                    _REPRESENTATION, tuple(PackagePath(path.removeprefix(folder + b"data/")) for path in empty)
                ),
            ),
            description_rows=(Description(None, tuple(terms)),),
            agents=tuple(agents.values()),
        )

    def place(self, path: PackagePath) -> Placement:
        """Payload becomes the data of `rep1`, tag files become documentation."""
        if path.startswith(PAYLOAD):
            target = PackagePath(f"representations/{_REPRESENTATION}/".encode() + path)
            return Placement(path, Use.DATA, target, _REPRESENTATION)
        return Placement(path, Use.DOCUMENTATION, PackagePath(b"documentation/submission/" + path))


def _payload(tree: Tree, received: Received, declared: Declaration, bag: Bag, fetch: Fetch) -> Iterator[Finding]:
    """Payload manifests: from 1.0 each lists every file, before it is enough to be in one."""
    found = [one for one in bag.manifests if not one.tag]
    if not found:
        yield Finding("BAG-MAN-01")
        return
    if not any(one.algorithm for one in found):
        yield Finding("BAG-MAN-18", expected="md5, sha1, sha256, sha512", found=", ".join(o.spelled for o in found))
    together = bytearray(len(bag.payload.paths))
    waiting = dict(fetch.paths)
    for one in found:
        yield from _spelling(one)
        fetched: set[bytes] = set()

        def known(path: bytes, met: set[bytes] = fetched) -> bool:
            met.add(path)
            return path in fetch.paths

        check = Check(tree, received, declared, bag, one, known)
        yield from check.findings()
        if declared.strict:
            for path in manifests.unlisted(bag.payload, check.listed):
                yield Finding("BAG-MAN-02", path, None, None, one.path.decode("utf-8", "replace"))
        together = bytearray(a or b for a, b in zip(together, check.listed, strict=True))
        for path, line in fetch.paths.items():
            index = bag.payload.find(path)
            listed = path in fetched or (index is not None and check.listed[index])
            if listed:
                waiting.pop(path, None)
            elif declared.strict:
                yield Finding("BAG-FETCH-04", path, line, None, one.path.decode("utf-8", "replace"))
    if not declared.strict:
        for path in manifests.unlisted(bag.payload, together):
            yield Finding("BAG-MAN-02", path, None, None, "manifest-*.txt")
        for path, line in waiting.items():
            yield Finding("BAG-FETCH-04", path, line, None, "manifest-*.txt")


def _tags(tree: Tree, received: Received, declared: Declaration, bag: Bag) -> Iterator[Finding]:
    """Tag manifests: each lists every payload manifest, and should list the other tag files."""
    for one in bag.manifests:
        if not one.tag:
            continue
        yield from _spelling(one)
        check = Check(tree, received, declared, bag, one, lambda _: False)
        yield from check.findings()
        name = one.path.decode("utf-8", "replace")
        for path in manifests.unlisted(bag.tags, check.listed):
            other = manifests.manifest(path)
            if other is None:
                yield Finding("BAG-TAG-10", path, None, None, name)
            elif not other.tag:
                yield Finding("BAG-TAG-08" if declared.strict else "BAG-TAG-09", path, None, None, name)


def _spelling(one: manifests.Manifest) -> Iterator[Finding]:
    kind = "tagmanifest" if one.tag else "manifest"
    if one.algorithm is None:
        yield Finding("BAG-MAN-17", one.path, None, None, one.spelled)
    elif one.path != (right := f"{kind}-{re.sub('[^a-z0-9]', '', one.spelled.lower())}.txt").encode():
        yield Finding("BAG-MAN-19", one.path, None, right)


def _info(tree: Tree, declared: Declaration, bag: Bag) -> Iterator[Finding]:
    """bag-info.txt: its syntax, Payload-Oxum and Bagging-Date."""
    path = declared.info
    if bag.tags.find(path) is None:
        return
    lines = Lines(tree, path, declared.encoding)
    oxum = 0
    for item in fields(lines, path, declared.strict):
        if isinstance(item, Finding):
            yield item
            continue
        line, label, value = item
        if label.lower() == "payload-oxum":
            oxum += 1
            if oxum > 1:
                yield Finding("BAG-INFO-05", path, line)
            true = f"{bag.octets}.{len(bag.payload.paths)}"
            match = _OXUM.fullmatch(value)
            if match is None:
                yield Finding("BAG-INFO-04", path, line, None, value[:200])
            elif (int(match.group(1)), int(match.group(2))) != (bag.octets, len(bag.payload.paths)):
                yield Finding("BAG-INFO-06", path, line, value, true)
        elif label.lower() in ("bagging-date", "packing-date") and not _DATE.fullmatch(value):
            yield Finding("BAG-INFO-07", path, line, "YYYY-MM-DD", value[:200])
    yield from lines.findings


def _values(tree: Tree, declared: Declaration, bag: Bag) -> Iterator[tuple[str, str]]:
    path = declared.info
    if bag.tags.find(path) is None:
        return
    for item in fields(Lines(tree, path, declared.encoding), path, declared.strict):
        if not isinstance(item, Finding):
            yield item[1], item[2]
