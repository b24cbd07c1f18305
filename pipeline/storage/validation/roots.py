"""An OCFL storage root judged by every rule of the specification (§4), with every object in it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pipeline.records import Finding
from pipeline.standards import ocfl_terms as terms
from pipeline.storage.validation.objects import Checked, validate_object
from pipeline.storage.validation.shelves import Shelf, What
from pipeline.tree.base import Findings

LAYOUT = "ocfl_layout.json"
_MOST_JSON = 1 << 20
"""Bytes of a layout description or an extension's settings; they have a few hundred."""


@dataclass(frozen=True, slots=True)
class RootChecked:
    """What came of a storage root: findings of the root and of all objects, numbers of objects, files and bytes."""

    findings: tuple[Finding, ...]
    objects: int
    good: int
    files: int
    bytes: int


def is_object(names: set[str]) -> bool:
    """Whether a folder with these files directly in it is, or was meant to be, the root of an OCFL object."""
    return any(name.startswith("0=ocfl_object_") for name in names) or (
        "inventory.json" in names and any(name.startswith("inventory.json.") for name in names)
    )


def is_root(names: set[str]) -> bool:
    """Whether a folder with these files directly in it is, or was meant to be, an OCFL storage root."""
    return any(name.startswith("0=ocfl_") and not name.startswith("0=ocfl_object_") for name in names)


def validate_root(
    shelf: Shelf,
    base: str = "",
    *,
    content: bool = True,
    on_file: Callable[[int], None] | None = None,
    on_object: Callable[[str, Checked], None] | None = None,
) -> RootChecked:
    """Judges the storage root at `base` ("" or ending in `/`) and every object in it, as `validate_object` does.

    `on_object` is told each object's path and result. Memory: a name per folder of the hierarchy, and one object.
    """
    root = _Root(shelf, base)
    root.look()
    root.declaration()
    root.extensions()
    layout = root.layout()
    root.hierarchy()
    return root.objects_in(layout, content, on_file, on_object)


@dataclass(slots=True)
class _Root:
    shelf: Shelf
    base: str
    findings: Findings = field(default_factory=Findings)
    top: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    objects: dict[str, str] = field(default_factory=dict)
    registered: set[str] = field(default_factory=set)
    in_extensions: set[str] = field(default_factory=set)
    specification: str = ""

    def tell(self, code: str, path: str = "", expected: object = None, found: object = None) -> None:
        file = (self.base + path).rstrip("/").encode("utf-8", "surrogateescape")
        self.findings.warn(f"OCFL-{code}", file or None, expected, found)

    def look(self) -> None:
        """First look: the files directly in the root, the extensions, and where objects declare themselves."""
        start = len(self.base)
        declared: dict[str, str] = {}
        for thing in self.shelf.walk(self.base):
            path = thing.path[start:]
            folder, slash, name = path.rpartition("/")
            first, below, rest = path.partition("/")
            if first == "extensions" and (below or thing.what is What.FOLDER):
                child, deeper, _ = rest.partition("/")
                if child and (deeper or thing.what is What.FOLDER):
                    self.registered.add(child)
                elif child:
                    self.in_extensions.add(child)
            elif not slash and thing.what is What.FILE:
                self.top.add(name)
            elif thing.what is What.FILE and name.startswith("0=ocfl_object_"):
                declared[folder] = max(declared.get(folder, ""), name)
            if below or thing.what is What.FOLDER:
                self.folders.add(first)
        # What an object holds is its own affair: a declaration below another object makes no object of the root.
        last = ""
        for folder in sorted(declared, key=lambda path: path.replace("/", "\0")):
            if not last or not folder.startswith(f"{last}/"):
                last = folder
                self.objects[folder] = declared[folder]
            elif not _within_version(folder[len(last) + 1 :]):
                self.tell("E082", folder, None, last)

    def declaration(self) -> None:
        """§4.2: one file `0=ocfl_1.x` that repeats its name."""
        good = sorted(name for name in self.top if terms.ROOT_DECLARATION.match(name))
        for name in sorted(self.top):
            kind, equals, value = name.partition("=")
            if not equals or name in good or not value.startswith("ocfl"):
                continue
            if not kind.isdecimal():
                continue
            if kind != "0":
                self.tell("E078", name, "0=ocfl_1.1", name)
            elif not value.startswith("ocfl_"):
                self.tell("E077", name, "0=ocfl_1.1", name)
            else:
                self.tell("E079", name, "ocfl_1.0, ocfl_1.1", value)
        if not good:
            self.tell("E069", "", "0=ocfl_1.1", None)
        elif len(good) > 1:
            self.tell("E076", "", "1", ", ".join(good))
        for name in good:
            match = terms.ROOT_DECLARATION.match(name)
            self.specification = max(self.specification, match[1] if match else "")
            found = self._bytes(name, 4096)
            if found != f"{name[2:]}\n".encode():
                self.tell("E080", name, f"{name[2:]}\\n", found[:60])

    def extensions(self) -> None:
        """§4.4."""
        for name in sorted(self.in_extensions):
            self.tell("E112", f"extensions/{name}")
        for name in sorted(self.registered - terms.EXTENSIONS):
            self.tell("W016", f"extensions/{name}", None, name)

    def layout(self) -> terms.Layout | None:
        """The layout that the root describes, where its rule can be computed."""
        if LAYOUT not in self.top:
            return None
        said = self._json(LAYOUT)
        if said is None:
            self.tell("E070", LAYOUT, "JSON", None)
            return None
        lacking = [key for key in ("extension", "description") if not isinstance(said.get(key), str)]
        if lacking:
            self.tell("E070", LAYOUT, ", ".join(lacking), None)
        extension = said.get("extension")
        if not isinstance(extension, str):
            return None
        if extension not in terms.EXTENSIONS:
            self.tell("E071", LAYOUT, None, extension)
            return None
        settings = f"extensions/{extension}/config.json"
        config = self._json(settings) if extension in self.registered else {}
        return terms.layout(extension, config) if config is not None else None

    def hierarchy(self) -> None:
        """§4.3, in a second look: nothing but objects at the ends of folders (E072, E073, E084, E085, E088, E090)."""
        start = len(self.base)
        above = {"/".join(parts[:depth]) for parts in map(_parts, self.objects) for depth in range(1, len(parts))}
        strays: dict[str, int] = {}
        for thing in self.shelf.walk(self.base):
            path = thing.path[start:]
            if path.partition("/")[0] == "extensions" or ("/" not in path and thing.what is What.FILE) or not path:
                continue
            if self._of_object(path):
                continue
            if thing.what is What.FOLDER:
                self.tell("E073", path)
            elif thing.what is What.FILE:
                folder = path.rpartition("/")[0]
                if folder in above:
                    self.tell("E072", path)
                    self.tell("E084", path)
                else:
                    end = _highest(folder, above)
                    strays[end] = strays.get(end, 0) + 1
            else:
                self.tell("E090" if thing.what is What.LINK else "E089", path, None, thing.what.value)
        for folder, count in sorted(strays.items()):
            self.tell("E072", folder, None, count)
            self.tell("E085" if "/" in folder else "E088", folder)
        depths = {len(_parts(path)) for path in self.objects}
        if 1 in depths and len(depths) > 1:
            self.tell("W015", "", None, ", ".join(map(str, sorted(depths))))
        elif len(depths) > 1:
            self.tell("W014", "", None, ", ".join(map(str, sorted(depths))))

    def objects_in(
        self,
        layout: terms.Layout | None,
        content: bool,
        on_file: Callable[[int], None] | None,
        on_object: Callable[[str, Checked], None] | None,
    ) -> RootChecked:
        """Every object, the numbers and findings of all in one."""
        found = list(self.findings.rows())
        files = size = good = 0
        where: dict[str, str] = {}
        for path, declaration in self.objects.items():
            one = validate_object(self.shelf, f"{self.base}{path}/", content=content, on_file=on_file)
            own = Findings()
            file = (self.base + path).encode("utf-8", "surrogateescape")
            version = terms.OBJECT_DECLARATION.match(declaration)
            if version and self.specification and version[1] > self.specification:
                own.warn("OCFL-E081", file, self.specification, version[1])
            if one.identifier is not None:
                if one.identifier in where:
                    own.warn("OCFL-E037", file, where[one.identifier], one.identifier)
                where[one.identifier] = path
                if layout is not None and (wanted := layout.path(one.identifier)) != path:
                    own.warn("OCFL-E083", file, wanted, path)
            rows = (*one.findings, *own.rows())
            one = Checked(rows, one.specification, one.identifier, one.head, one.files, one.bytes)
            found += rows
            files, size = files + one.files, size + one.bytes
            good += not any(row.code.startswith("OCFL-E") for row in rows)
            if on_object is not None:
                on_object(path, one)
        return RootChecked(tuple(found), len(self.objects), good, files, size)

    def _of_object(self, path: str) -> bool:
        return any(above in self.objects for above in _above(path))

    def _bytes(self, path: str, most: int) -> bytes:
        with contextlib.closing(self.shelf.open(self.base + path)) as source:
            return source.read(most)

    def _json(self, path: str) -> dict[str, object] | None:
        """A small JSON object; {} when the file is not there, None when it is none."""
        try:
            value = json.loads(self._bytes(path, _MOST_JSON).decode("utf-8"))
        except KeyError:
            return {}
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None


def _parts(path: str) -> list[str]:
    return path.split("/")


def _above(path: str) -> Iterator[str]:
    """The path itself and the folders above it, down to the topmost."""
    while path:
        yield path
        path = path.rpartition("/")[0]


def _highest(folder: str, above: set[str]) -> str:
    """The topmost folder on the way to `folder` below which there is no object."""
    found = folder
    for one in _above(folder):
        if one in above:
            break
        found = one
    return found


def _within_version(path: str) -> bool:
    """Whether a path in an object lies in the folder of a version, where content may be anything."""
    first, slash, _ = path.partition("/")
    return bool(slash) and first[:1] == "v" and first[1:].isdecimal()
