"""One OCFL object judged by every rule of the specification (§3): its folders, inventories and content."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from pipeline.records import Finding
from pipeline.standards import ocfl_terms as terms
from pipeline.storage.stores import CHUNK
from pipeline.storage.validation.inventories import Inventory, read
from pipeline.storage.validation.shelves import Shelf, Thing, What
from pipeline.tree import ContentDamage
from pipeline.tree.base import Findings

INVENTORY = "inventory.json"
_SIDECAR = re.compile(rb"([^\s]+)[ \t]+inventory\.json\r?\n?\Z")
_VERSION_LIKE = re.compile(r"v[0-9]+\Z")
_NAMASTE = re.compile(r"\d*=")
_LITTLE = 4096
"""Bytes of a declaration or sidecar that are looked at."""
MOST_AGAIN = 1 << 30
"""So many bytes of inventories are read a second time, to name what differs between them."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of an object: its findings, what its root inventory says, how many files and bytes lie there."""

    findings: tuple[Finding, ...]
    specification: str
    identifier: str | None
    head: str | None
    files: int
    bytes: int


def validate_object(
    shelf: Shelf, base: str = "", *, content: bool = True, on_file: Callable[[int], None] | None = None
) -> Checked:
    """Judges the object whose root is `base` ("" or ending in `/`); every finding names its file from the shelf on.

    With `content` every file is read once and compared with all digests that any inventory gives it; without it the
    digests are only compared with one another. `on_file` is told the size of each file that was read. At most 1,000
    findings of a code are listed (PKG-MORE counts the rest). Memory: some 600 bytes per file of the object, whatever
    it has of versions. SystemProblem when the shelf cannot be read; never raises on content.
    """
    judging = _Object(shelf, base, on_file)
    try:
        return judging.judged(content)
    except ContentDamage as damage:
        # An inventory that its archive cannot give back whole.
        checked = judging.checked(None)
        return replace(checked, findings=(*checked.findings, damage.finding))


@dataclass(slots=True)
class _Folder:
    """What lies in a version folder."""

    inventory: bool = False
    sidecars: list[str] = field(default_factory=list)
    content: dict[str, int] = field(default_factory=dict)
    others: dict[str, list[str]] = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)


class _Object:
    def __init__(self, shelf: Shelf, base: str, on_file: Callable[[int], None] | None) -> None:
        self.shelf = shelf
        self.base = base
        self.on_file = on_file or (lambda size: None)
        self.findings = Findings()
        self.top: list[str] = []
        # Folder directly in the root → what lies below it, as paths within that folder.
        self.below: dict[str, dict[str, int]] = {}
        self.hollow: dict[str, list[str]] = {}
        self.files = self.bytes = 0
        self.specification = ""
        # Content path → {(algorithm, digest): (code, inventory)} beyond what the root manifest says.
        self.more: dict[str, dict[tuple[str, str], tuple[str, str]]] = {}
        self.missing: set[str] = set()
        self.unlisted: set[str] = set()
        self.again = 0

    def tell(self, code: str, path: str = "", expected: object = None, found: object = None) -> None:
        """`path` is that below the object root."""
        file = (self.base + path).rstrip("/").encode("utf-8", "surrogateescape")
        self.findings.warn(f"OCFL-{code}", file or None, _clean(expected), _clean(found))

    def judged(self, content: bool) -> Checked:
        self._look()
        self._declaration()
        root = self._inventory("", INVENTORY in self.top)
        if root is None:
            # A folder that nothing describes: what lies in it is told by name all the same.
            self._root_folder(None)
            return self.checked(None)
        self._root_folder(root)
        folders = self._versions(root)
        older = self._older(root, folders)
        self._contents(root, older, content)
        return self.checked(root)

    def checked(self, root: Inventory | None) -> Checked:
        identifier, head = (root.id, root.head) if root is not None else (None, None)
        return Checked(self.findings.rows(), self.specification, identifier, head, self.files, self.bytes)

    # ------------------------------------------------------------------ what is there

    def _look(self) -> None:
        start = len(self.base)
        twins: dict[tuple[int, int], str] = {}
        for thing in self.shelf.walk(self.base):
            path = thing.path[start:]
            if thing.what is What.FILE:
                self.files += 1
                self.bytes += thing.size
                if thing.twin is not None and (first := twins.setdefault(thing.twin, path)) != path:
                    self.tell("E090", path, None, first)
            elif thing.what is not What.FOLDER:
                self._odd(thing, path)
                continue
            folder, slash, rest = path.partition("/")
            if thing.what is What.FOLDER:
                if path:
                    self.hollow.setdefault(folder, []).append(rest)
                    self.below.setdefault(folder, {})
            elif not slash:
                self.top.append(path)
            else:
                self.below.setdefault(folder, {})[rest] = thing.size
        self.top.sort()

    def _odd(self, thing: Thing, path: str) -> None:
        code = {What.LINK: "E090", What.SPECIAL: "E089"}.get(thing.what)
        if code is not None:
            self.tell(code, path, None, thing.what.value)
        else:
            file = (self.base + path).encode("utf-8", "surrogateescape")
            self.findings.warn("PKG-PATH-LONG", file[:255], None, len(file))

    def _declaration(self) -> None:
        """§3.2: one file `0=ocfl_object_1.x` that repeats its name."""
        like = [name for name in self.top if _NAMASTE.match(name)]
        good = [name for name in like if terms.OBJECT_DECLARATION.match(name)]
        for name in like:
            if name in good:
                continue
            kind, _, value = name.partition("=")
            if kind != "0" and value.startswith("ocfl_object_"):
                self.tell("E005", name, "0=ocfl_object_1.1", name)
            elif value.startswith("ocfl_object_"):
                self.tell("E006", name, "ocfl_object_1.0, ocfl_object_1.1", value)
            else:
                self.tell("E004", name, "0=ocfl_object_1.1", name)
        if len(good) != 1:
            self.tell("E003", "", "1", len(good))
        for name in good:
            match = terms.OBJECT_DECLARATION.match(name)
            self.specification = max(self.specification, match[1] if match else "")
            if (found := self._little(name)) != f"{name[2:]}\n".encode():
                self.tell("E007", name, f"{name[2:]}\\n", found[:60])

    def _root_folder(self, root: Inventory | None) -> None:
        """§3.1, §3.8, §3.9: nothing but declaration, inventory, sidecar, versions, logs and extensions."""
        sidecar = f"{INVENTORY}.{root.algorithm}" if root is not None and root.algorithm else None
        for name in self.top:
            if name in (INVENTORY, sidecar) or _NAMASTE.match(name):
                continue
            if name.lower() == INVENTORY:
                self.tell("E034", name, INVENTORY, name)
            elif sidecar is None and name.startswith(f"{INVENTORY}."):
                continue
            self.tell("E001", name)
        versions = set(root.blocks) if root is not None else set()
        for name in sorted(self.below):
            if name in versions and _VERSION_LIKE.match(name) or name == "logs":
                continue
            if name == "extensions":
                self._extensions()
            elif _VERSION_LIKE.match(name):
                # A version that the inventory does not know: an interrupted write, or an older root inventory.
                if root is not None:
                    self.tell("E046", name, root.head, name)
            else:
                self.tell("E001", name)

    def _extensions(self) -> None:
        known = set()
        for path in [*self.below["extensions"], *self.hollow.get("extensions", ())]:
            name, slash, _ = path.partition("/")
            if path and not slash and path in self.below["extensions"]:
                self.tell("E067", f"extensions/{path}")
            elif name:
                known.add(name)
        for name in sorted(known - terms.EXTENSIONS):
            self.tell("W013", f"extensions/{name}", None, name)

    # ------------------------------------------------------------------ inventories

    def _inventory(self, folder: str, there: bool) -> Inventory | None:
        """An inventory with its sidecar; None when it is not there or is no JSON at all."""
        path = folder + INVENTORY
        if not there:
            if not folder:
                self.tell("E063")
            return None
        with self._opened(path) as source:
            made, _ = read(source, lambda code, expected, found: self.tell(code, path, expected, found))
        if not made.readable:
            return None
        names = self.top if not folder else list(self.below[folder[:-1]])
        self._sidecar(folder, made, [name for name in names if "/" not in name])
        return made

    def _sidecar(self, folder: str, made: Inventory, names: list[str]) -> None:
        """§3.6."""
        wanted = f"{INVENTORY}.{made.algorithm}"
        if wanted not in names:
            self.tell("E058", folder + wanted)
            other = next((name for name in names if name.startswith(f"{INVENTORY}.")), None)
            if other is not None:
                self.tell("E059", folder + other, wanted, other)
            return
        if made.algorithm not in terms.CONTENT_ALGORITHMS:
            return
        match = _SIDECAR.match(found := self._little(folder + wanted))
        if match is None:
            self.tell("E061", folder + wanted, f"DIGEST {INVENTORY}", found[:200])
        elif match[1].decode("ascii", "replace").lower() != made.digest(made.algorithm):
            self.tell("E060", folder + wanted, made.digest(made.algorithm), match[1][:200])

    def _versions(self, root: Inventory) -> dict[str, _Folder]:
        """§3.3: every version of the inventory has its folder, with nothing in it that has no place there."""
        found: dict[str, _Folder] = {}
        if self.specification and root.specification and root.specification != self.specification:
            wanted = f"https://ocfl.io/{self.specification}/spec/#inventory"
            self.tell("E038", INVENTORY, wanted, root.type)
        for name in root.versions:
            if name in self.below:
                found[name] = self._version(name, root)
                continue
            self.tell("E046", name, name, None)
            if any(later in self.below for later in root.versions[root.versions.index(name) + 1 :]):
                self.tell("E010", name, name, None)
        return found

    def _version(self, name: str, root: Inventory) -> _Folder:
        made = _Folder()
        dirs: set[str] = set()
        inside = root.content_directory + "/"
        for path in self.below[name]:
            first, slash, _ = path.partition("/")
            if path == INVENTORY:
                made.inventory = True
            elif path.startswith(inside):
                made.content[f"{name}/{path}"] = self.below[name][path]
            elif slash:
                dirs.add(first)
            else:
                made.sidecars.append(path)
        for path in self.hollow.get(name, ()):
            if path == root.content_directory:
                self.tell("W003", f"{name}/{path}")
            elif path.startswith(inside):
                self.tell("E024", f"{name}/{path}")
            elif path:
                dirs.add(path.partition("/")[0])
        for folder in sorted(dirs):
            self.tell("W002", f"{name}/{folder}")
        return made

    def _older(self, root: Inventory, folders: dict[str, _Folder]) -> dict[str, Inventory]:
        """§3.7: the inventories in version folders, judged by themselves and against that of the root."""
        found: dict[str, Inventory] = {}
        head = root.versions[-1] if root.versions else ""
        for name, folder in folders.items():
            if not folder.inventory:
                self.tell("W010", name)
                self._strays(name, folder, None)
                continue
            if name == head:
                made = self._head(name, root)
                self._strays(name, folder, made.algorithm)
                continue
            one = self._inventory(f"{name}/", True)
            self._strays(name, folder, one.algorithm if one is not None else None)
            if one is None:
                continue
            found[name] = one
        # Each against the next: what is the same all along the way is the same as in the root.
        later = [*list(found.items())[1:], ("", root)]
        for (name, one), (following, after) in zip(found.items(), later, strict=False):
            self._against(name, one, following, after, root)
        self._conventions(root, found)
        return found

    def _head(self, name: str, root: Inventory) -> Inventory:
        """The inventory of the newest version: the same bytes as the one in the root (E064), so not judged again."""
        path = f"{name}/{INVENTORY}"
        own = hashlib.sha512()
        with self._opened(path) as source:
            while chunk := source.read(CHUNK):
                own.update(chunk)
        made = root
        if own.hexdigest() != root.sha512:
            self.tell("E064", path, root.sha512, own.hexdigest())
            with self._opened(path) as source:
                found, _ = read(source, lambda code, expected, got: None)
            made = found if found.readable else root
            if made.head and made.head != name:
                self.tell("E040", path, name, made.head)
        if made is not root or own.hexdigest() == root.sha512:
            self._sidecar(f"{name}/", made, [one for one in self.below[name] if "/" not in one])
        return made

    def _strays(self, name: str, folder: _Folder, algorithm: str | None) -> None:
        for path in folder.sidecars:
            known = path.startswith(f"{INVENTORY}.") if algorithm is None else path == f"{INVENTORY}.{algorithm}"
            if not (known and folder.inventory):
                self.tell("E015", f"{name}/{path}")

    def _against(self, name: str, one: Inventory, following: str, after: Inventory, root: Inventory) -> None:
        """An older inventory tells of its versions what the next one tells of them."""
        path = f"{name}/{INVENTORY}"
        if one.head is not None and one.head != name:
            self.tell("E040", path, name, one.head)
        if root.id is not None and one.id is not None and one.id != root.id:
            self.tell("E037", path, root.id, one.id)
            self.tell("E110", path, root.id, one.id)
        if strange := min((version for version in one.blocks if version not in root.blocks), default=None):
            self.tell("E066", path, ", ".join(root.versions[:20]), strange)
        for version, block in one.blocks.items():
            now = after.blocks.get(version)
            if now is None:
                continue
            if block.about != now.about:
                self.tell("W011", path, None, version)
            if one.algorithm != after.algorithm or block.fingerprint != now.fingerprint:
                self._states(name, one, following, after, version)

    def _states(self, name: str, one: Inventory, following: str, after: Inventory, version: str) -> None:
        """Names the logical paths that two inventories tell differently of one version (E066)."""
        path = f"{name}/{INVENTORY}"
        same = one.algorithm == after.algorithm
        self.again += one.size + after.size
        if self.again > MOST_AGAIN:
            # Only who writes inventories to keep us busy comes here; what is known already is told.
            self.tell("E066" if same else "LIMIT", path, None, version)
            return
        then = self._state(f"{name}/", version)
        now = self._state(f"{following}/" if following else "", version)
        for logical in sorted(then.keys() ^ now.keys()):
            self.tell("E066", path, f"{version}: {logical}" if logical in now else None,
                      f"{version}: {logical}" if logical in then else None)  # fmt: skip
        if same:
            for logical in sorted(logical for logical in then.keys() & now.keys() if then[logical] != now[logical]):
                self.tell("E066", path, f"{version}: {logical}: {now[logical]}", then[logical])
            return
        before, behind = _places(one), _places(after)
        for logical in sorted(then.keys() & now.keys()):
            was, is_ = before.get(then[logical], set()), behind.get(now[logical], set())
            if not was & is_:
                self.tell("E066", path, f"{version}: {logical}: {_first(is_)}", _first(was))

    def _state(self, folder: str, version: str) -> dict[str, str]:
        with self._opened(folder + INVENTORY) as source:
            return read(source, lambda code, expected, found: None, state_of=version)[1]

    def _conventions(self, root: Inventory, older: dict[str, Inventory]) -> None:
        """Across all inventories: content directory (E019, E020) and specification (E103)."""
        first = older.get(root.versions[0]) if root.versions else None
        last, told = "", False
        for name, one in [*older.items(), ("", root)]:
            path = f"{name}/{INVENTORY}" if name else INVENTORY
            if first is not None and one.says_content_directory and not told:
                # Set later, or to another value: either way it was not set in the first version.
                said = first.content_directory if first.says_content_directory else None
                if told := one.content_directory != said:
                    self.tell("E019", path, said, one.content_directory)
            if first is not None and one.content_directory != first.content_directory:
                self.tell("E020", path, first.content_directory, one.content_directory)
            if one.specification and one.specification < last:
                self.tell("E103", path, last, one.specification)
            last = max(last, one.specification)

    # ------------------------------------------------------------------ content

    def _contents(self, root: Inventory, older: dict[str, Inventory], content: bool) -> None:
        there = {f"{name}/{path}": size for name, below in self.below.items() for path, size in below.items()}
        # Content file → the place of its version in the sequence: an inventory lists what is there up to its own.
        names = [*root.versions, *(name for name in root.blocks if name not in root.versions)]
        start = root.content_directory + "/"
        inside = {
            f"{name}/{path}": place
            for place, name in enumerate(names)
            for path in self.below.get(name, {})
            if path.startswith(start)
        }
        for name, one in older.items():
            self._listed(f"{name}/", one, root, there, inside, names.index(name))
        self._listed("", root, root, there, inside, len(names))
        if not content:
            for path in sorted(path for path in root.manifest if path in there):
                own = (root.algorithm or "", root.manifest[path])
                self._compared(path, {own: ("E092", INVENTORY), **self.more.get(path, {})})
            return
        for path, size, wanted, found in self._readings(root, there):
            self.on_file(size)
            for (algorithm, digest), (code, where) in wanted.items():
                if found is None:
                    self.tell("E092", path, digest, None)
                    break
                if found[algorithm] != digest:
                    self.tell(code, path, f"{algorithm} {digest} ({where})", found[algorithm])

    def _listed(
        self, folder: str, one: Inventory, root: Inventory, there: dict[str, int], inside: dict[str, int], last: int
    ) -> None:
        """What an inventory lists against what lies there (E023, E092, E093); notes the digests it adds."""
        where = folder + INVENTORY
        listed = 0
        for path, digest in one.manifest.items():
            listed += inside.get(path, last + 1) <= last
            if path not in there:
                if path not in self.missing:
                    self.missing.add(path)
                    self.tell("E092", path, digest, None)
            elif one.algorithm in terms.CONTENT_ALGORITHMS and (one.algorithm, digest) != (
                root.algorithm, root.manifest.get(path),
            ):  # fmt: skip
                self.more.setdefault(path, {}).setdefault((one.algorithm, digest), ("E092", where))
        for path, values in one.fixity.items():
            if path not in there:
                self.tell("E093", path, values[0][1], None)
                continue
            for value in values:
                self.more.setdefault(path, {}).setdefault(value, ("E093", where))
        if listed == sum(place <= last for place in inside.values()):
            return
        for path, place in inside.items():
            if place <= last and path not in one.manifest and path not in self.unlisted:
                self.unlisted.add(path)
                self.tell("E023", path, where, None)

    def _compared(self, path: str, wanted: dict[tuple[str, str], tuple[str, str]]) -> None:
        """Without reading: two digests of one algorithm for one file cannot both be right."""
        seen: dict[str, str] = {}
        for (algorithm, digest), (code, where) in wanted.items():
            if seen.setdefault(algorithm, digest) != digest:
                self.tell(code, path, f"{algorithm} {seen[algorithm]}", f"{digest} ({where})")

    def _readings(
        self, root: Inventory, there: dict[str, int]
    ) -> Iterator[tuple[str, int, dict[tuple[str, str], tuple[str, str]], dict[str, str] | None]]:
        """Every content file read once: (path, size, what is wanted, what was found by algorithm or None)."""
        algorithm = root.algorithm
        if algorithm is None or algorithm not in terms.ALGORITHMS:
            return
        work: deque[tuple[str, int, dict[tuple[str, str], tuple[str, str]], Future[dict[str, str] | None]]] = deque()
        with contextlib.ExitStack() as ends:
            lanes = self.shelf.lanes
            pool = ThreadPoolExecutor(lanes, "ocfl") if lanes > 1 else None
            if pool is not None:
                ends.callback(pool.shutdown, wait=True, cancel_futures=True)
            for path in sorted(root.manifest):
                if path not in there:
                    continue
                wanted = {(algorithm, root.manifest[path]): ("E092", INVENTORY), **self.more.get(path, {})}
                names = frozenset(name for name, _ in wanted)
                if pool is None:
                    yield path, there[path], wanted, self._digests(path, names)
                    continue
                work.append((path, there[path], wanted, pool.submit(self._digests, path, names)))
                if len(work) >= lanes * 2:
                    first = work.popleft()
                    yield first[0], first[1], first[2], first[3].result()
            for path, size, wanted, future in work:
                yield path, size, wanted, future.result()

    def _digests(self, path: str, names: frozenset[str]) -> dict[str, str] | None:
        made = {name: terms.ALGORITHMS[name][1]() for name in names}
        try:
            with contextlib.closing(self.shelf.open(self.base + path)) as source:
                while chunk := source.read(CHUNK):
                    for one in made.values():
                        one.update(chunk)
        except (KeyError, ContentDamage):
            return None
        return {name: one.hexdigest() for name, one in made.items()}

    # ------------------------------------------------------------------ reading

    @contextlib.contextmanager
    def _opened(self, path: str) -> Iterator[BinaryIO]:
        try:
            opened = self.shelf.open(self.base + path)
        except KeyError:
            opened = io.BytesIO()  # gone since it was listed: nothing is left of it
        with contextlib.closing(opened) as source:
            yield source

    def _little(self, path: str) -> bytes:
        with self._opened(path) as source:
            return source.read(_LITTLE)


def _places(one: Inventory) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path, digest in one.manifest.items():
        found.setdefault(digest, set()).add(path)
    return found


def _first(paths: set[str]) -> str | None:
    return min(paths) if paths else None


def _clean(value: object) -> object:
    """Text that can be kept anywhere: a lone surrogate as its escape."""
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
