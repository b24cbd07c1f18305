"""One OCFL inventory, read as a stream of JSON events and judged by itself (§3.5)."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import BinaryIO

from pipeline.standards import ocfl_terms as terms
from pipeline.storage.stores import CHUNK
from pipeline.storage.validation.paths import (
    Tell,
    conflicts,
    conflicts_in,
    content_path,
    misplaced,
    numbers,
    order,
    wrong_element,
)

LONGEST_VALUE = 16 * 1024**2
"""So many bytes may pass without one JSON token (E033): a single value of more would only fill the memory."""

DEEPEST = 64
"""So deep may values lie in one another (E033): an inventory needs five levels."""

_SCALARS = ("id", "type", "digestAlgorithm", "head", "contentDirectory")
_BLOCKS = ("manifest", "versions", "fixity")


@dataclass(slots=True)
class Block:
    """A version block. `fingerprint` is equal for equal states, `about` for equal created, message and user."""

    about: tuple[str, ...] = ()
    fingerprint: str = ""
    files: int = 0


@dataclass(slots=True)
class Inventory:
    """What an inventory says, as far as it could be read. Memory: some 300 bytes per content path.

    `manifest` and the digests of `fixity` are in lower case. `sha256` and `sha512` are those of its own bytes.
    """

    id: str | None = None
    type: str | None = None
    specification: str = ""
    algorithm: str | None = None
    head: str | None = None
    content_directory: str = "content"
    says_content_directory: bool = False
    versions: list[str] = field(default_factory=list)
    blocks: dict[str, Block] = field(default_factory=dict)
    manifest: dict[str, str] = field(default_factory=dict)
    fixity: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    sha256: str = ""
    sha512: str = ""
    size: int = 0
    readable: bool = False

    def digest(self, algorithm: str) -> str:
        """Of the bytes of the inventory itself."""
        return self.sha512 if algorithm == "sha512" else self.sha256


def read(source: BinaryIO, tell: Tell, *, state_of: str | None = None) -> tuple[Inventory, dict[str, str]]:
    """An inventory and, of the version `state_of`, the state: logical path → digest in lower case.

    Everything wrong with the inventory by itself is told once. Never raises on content; reads it once, holds no text.
    """
    reader = _Reader(tell, state_of)
    sha256, sha512 = hashlib.sha256(), hashlib.sha512()
    made = reader.made
    try:
        for chunk in iter(lambda: source.read(CHUNK // 8), b""):
            sha256.update(chunk)
            sha512.update(chunk)
            made.size += len(chunk)
            reader.feed(chunk)
    finally:
        source.close()
    made.sha256, made.sha512 = sha256.hexdigest(), sha512.hexdigest()
    reader.end()
    return made, reader.state


class _Reader:
    """Takes the JSON events one by one; a stack of handlers stands where a recursion would."""

    def __init__(self, tell: Tell, state_of: str | None) -> None:
        import ijson

        self.made = Inventory()
        self.state: dict[str, str] = {}
        self.tell = tell
        self._state_of = state_of
        self._errors: tuple[type[Exception], ...] = (ijson.JSONError, ValueError)
        self._events = ijson.sendable_list()
        # use_float: without it a number of 5,000 digits takes the process down (ijson 3.6).
        self._parser = ijson.basic_parse_coro(self._events, use_float=True)
        self._silent = 0
        self._broken = False
        self._done = False
        self._stack: list[_Handler] = [_Document(self)]
        self.seen: dict[str, object] = {}
        # Digest as it stands in the manifest → in lower case; digest in a state → the version that had it first.
        self.listed: dict[str, str] = {}
        self.used: dict[str, str] = {}
        self.places: list[str] = []

    def feed(self, chunk: bytes) -> None:
        if self._broken:
            return
        try:
            self._parser.send(chunk)
        except StopIteration:
            pass
        except self._errors as problem:
            self._break(str(problem))
        self._silent = 0 if self._events else self._silent + len(chunk)
        self._drain()
        if self._silent > LONGEST_VALUE:
            self._break(f"a value of more than {LONGEST_VALUE} bytes")

    def _drain(self) -> None:
        stack = self._stack
        for event, value in self._events:
            if event == "map_key":
                stack[-1].key(value)
            elif event == "end_map" or event == "end_array":
                stack.pop().close()
            elif event == "start_map" or event == "start_array":
                if len(stack) > DEEPEST:
                    self._break(f"more than {DEEPEST} levels")
                    break
                stack.append(stack[-1].inner(event == "start_map"))
            else:
                stack[-1].value(event, value)
        self._events.clear()

    def _break(self, why: str) -> None:
        if not self._broken:
            self.tell("E033", "JSON", why.strip()[:300])
        self._broken = True

    def end(self) -> None:
        if not self._broken:
            try:
                self._parser.close()
            except self._errors as problem:
                self._break(str(problem))
            self._drain()
        if not self._broken:
            self.made.readable = True
            self._whole()

    def version(self, name: str, used: bool) -> bool:
        """Whether the state of this version is asked for."""
        return used and name == self._state_of

    # ------------------------------------------------------------------ what needs the whole of it

    def _whole(self) -> None:
        made, tell, seen = self.made, self.tell, self.seen
        for name in ("id", "type", "digestAlgorithm", "head"):
            if name not in seen:
                tell("E036", name, None)
        for name, code in (("manifest", "E041"), ("versions", "E043")):
            if name not in seen:
                tell("E041", name, None)
                if code != "E041":
                    tell(code, name, None)
        self._scalars()
        if "versions" in seen:
            found, wrong = terms.sequence(made.blocks)
            made.versions = found
            for code, name in wrong:
                tell(code, terms.version_name(len(found) + 1, _width(found)) or None, name)
            if found and found[0] != "v1":
                tell("W001", "v1", found[0])
            # The head is the highest of all names that say a number, so that one fault is not told as two.
            last = found[-1] if found and not wrong else _highest(made.blocks)
            if "head" in seen and last is not None and made.head != last:
                tell("E040", last, _shown(seen["head"]))
        self._digests()
        self._paths()

    def _scalars(self) -> None:
        made, tell, seen = self.made, self.tell, self.seen
        if "id" in seen:
            if not isinstance(seen["id"], str) or not seen["id"]:
                tell("E037", "URI", _shown(seen["id"]))
            else:
                made.id = seen["id"]
                if not terms.is_uri(made.id):
                    tell("W005", "URI", made.id)
        if "type" in seen:
            made.type = seen["type"] if isinstance(seen["type"], str) else None
            match = terms.INVENTORY_TYPE.match(made.type or "")
            if match is None:
                tell("E038", "https://ocfl.io/1.1/spec/#inventory", _shown(seen["type"]))
            else:
                made.specification = match[1]
        if "digestAlgorithm" in seen:
            made.algorithm = seen["digestAlgorithm"] if isinstance(seen["digestAlgorithm"], str) else None
            if made.algorithm == "sha256":
                tell("W004", "sha512", "sha256")
            elif made.algorithm != "sha512":
                tell("E025", "sha512, sha256", _shown(seen["digestAlgorithm"]))
        if "head" in seen:
            made.head = seen["head"] if isinstance(seen["head"], str) else None
        if "contentDirectory" in seen:
            made.says_content_directory = True
            name = seen["contentDirectory"]
            if not isinstance(name, str) or not name:
                tell("E108", "content", _shown(name))
            elif "/" in name:
                tell("E017", "content", name)
            elif name in (".", ".."):
                tell("E018", "content", name)
            else:
                made.content_directory = name

    def _digests(self) -> None:
        """Each digest once, in the right form, and each where the other block has it (E050, E096, E107)."""
        made, tell = self.made, self.tell
        if made.algorithm in terms.CONTENT_ALGORITHMS:
            code = {"sha256": "E030", "sha512": "E031"}[made.algorithm]
            for digest in self.listed:
                if not terms.is_value(made.algorithm, digest):
                    other = next((name for name in terms.CONTENT_ALGORITHMS if terms.is_value(name, digest)), None)
                    tell("E039" if other else code, made.algorithm, other or digest)
        if "manifest" not in self.seen:
            return
        used = {digest.lower() for digest in self.used}
        for digest, lower in self.listed.items():
            if lower not in used:
                tell("E107", None, digest)
        for digest, version in self.used.items():
            if digest not in self.listed:
                tell("E050", "manifest", f"{version}: {digest}")

    def _paths(self) -> None:
        made, tell = self.made, self.tell
        names = set(made.blocks)
        for twin, path in conflicts(self.places):
            tell("E101", twin, path)
        if not names:
            return
        bare = numbers(names)
        for paths, algorithm in ((made.manifest, None), (made.fixity, "fixity")):
            for path in paths:
                code = misplaced(path, names, bare, made.content_directory)
                if code and not (algorithm and path in made.manifest):
                    tell(code, f"v…/{made.content_directory}/…", path)


class _Handler:
    """Takes what lies in one JSON object or array; this one swallows everything."""

    def __init__(self, reader: _Reader) -> None:
        self.reader = reader

    def key(self, name: str) -> None:
        pass

    def inner(self, is_map: bool) -> _Handler:
        return _Handler(self.reader)

    def value(self, event: str, value: object) -> None:
        pass

    def close(self) -> None:
        pass


class _Keyed(_Handler):
    """An object of which each key may stand once."""

    def __init__(self, reader: _Reader) -> None:
        super().__init__(reader)
        self.name = ""
        self.keys: set[str] = set()

    def key(self, name: str) -> None:
        if name in self.keys:
            self.twice(name)
        self.keys.add(name)
        self.name = name

    def twice(self, name: str) -> None:
        self.reader.tell("E033", None, f"{name[:200]} ×2")


class _Document(_Handler):
    def inner(self, is_map: bool) -> _Handler:
        if is_map:
            return _Top(self.reader)
        return self._none("[]")

    def value(self, event: str, value: object) -> None:
        self._none(_shown(value))

    def _none(self, found: str) -> _Handler:
        self.reader.tell("E033", "{}", found)
        return _Handler(self.reader)


class _Top(_Keyed):
    def key(self, name: str) -> None:
        super().key(name)
        if name not in _SCALARS and name not in _BLOCKS:
            self.reader.tell("E102", None, name)

    def inner(self, is_map: bool) -> _Handler:
        reader, name = self.reader, self.name
        reader.seen[name] = {} if is_map else []
        if name in _BLOCKS and not is_map:
            return self._no_block("[]")
        if name == "manifest":
            return _Manifest(reader)
        if name == "versions":
            return _Versions(reader)
        return _Fixity(reader) if name == "fixity" else _Handler(reader)

    def value(self, event: str, value: object) -> None:
        self.reader.seen[self.name] = value
        if self.name in _BLOCKS:
            self._no_block(_shown(value))

    def _no_block(self, found: str) -> _Handler:
        codes = {"manifest": "E106", "versions": "E045", "fixity": "E111"}
        self.reader.tell(codes[self.name], "{}", found)
        return _Handler(self.reader)


class _Paths(_Handler):
    """An array of paths; anything else in it is told under `code`."""

    def __init__(self, reader: _Reader, take: Callable[[str], None], code: str) -> None:
        super().__init__(reader)
        self._take = take
        self._code = code

    def inner(self, is_map: bool) -> _Handler:
        self.reader.tell(self._code, '["…"]', "{}" if is_map else "[]")
        return _Handler(self.reader)

    def value(self, event: str, value: object) -> None:
        if event == "string" and isinstance(value, str):
            self._take(value)
        else:
            self.reader.tell(self._code, '["…"]', _shown(value))


class _ByDigest(_Keyed, ABC):
    """An object of digest → array of paths."""

    code = "E092"

    def inner(self, is_map: bool) -> _Handler:
        if is_map:
            self.value("", "{}")
            return _Handler(self.reader)
        return _Paths(self.reader, self.take, self.code)

    def value(self, event: str, value: object) -> None:
        self.reader.tell(self.code, f"{self.name[:200]}: []", _shown(value))

    @abstractmethod
    def take(self, path: str) -> None:
        """One path of a digest."""


class _Manifest(_ByDigest):
    def __init__(self, reader: _Reader) -> None:
        super().__init__(reader)
        self._lower: set[str] = set()

    def key(self, name: str) -> None:
        lower = name.lower()
        if lower in self._lower:
            self.reader.tell("E096", None, name)
        self._lower.add(lower)
        self.name = name
        self.reader.listed[name] = lower

    def take(self, path: str) -> None:
        reader = self.reader
        if content_path(path, reader.tell):
            reader.places.append(path)
            reader.made.manifest[path] = reader.listed[self.name]


class _Fixity(_Keyed):
    def inner(self, is_map: bool) -> _Handler:
        if self.name not in terms.ALGORITHMS:
            self.reader.tell("E056", ", ".join(terms.ALGORITHMS), self.name)
            return _Handler(self.reader)
        if not is_map:
            self.reader.tell("E057", f"{self.name}: {{}}", "[]")
            return _Handler(self.reader)
        return _FixityBlock(self.reader, self.name)

    def value(self, event: str, value: object) -> None:
        self.reader.tell("E057", f"{self.name[:100]}: {{}}", _shown(value))


class _FixityBlock(_ByDigest):
    code = "E057"
    forms = {"sha1": "E029", "sha256": "E030", "sha512": "E031", "blake2b-512": "E032"}

    def __init__(self, reader: _Reader, algorithm: str) -> None:
        super().__init__(reader)
        self._algorithm = algorithm
        self._lower: set[str] = set()

    def key(self, name: str) -> None:
        if name.lower() in self._lower:
            self.reader.tell("E097", None, f"{self._algorithm}: {name}")
        self._lower.add(name.lower())
        self.name = name
        if not terms.is_value(self._algorithm, name):
            self.reader.tell(self.forms.get(self._algorithm, "E057"), self._algorithm, name)

    def take(self, path: str) -> None:
        if content_path(path, self.reader.tell):
            self.reader.made.fixity.setdefault(path, []).append((self._algorithm, self.name.lower()))


class _Versions(_Keyed):
    def inner(self, is_map: bool) -> _Handler:
        self.reader.made.blocks[self.name] = Block()
        if not is_map:
            self.reader.tell("E047", f"{self.name}: {{}}", "[]")
            return _Handler(self.reader)
        return _Version(self.reader, self.name)

    def value(self, event: str, value: object) -> None:
        self.reader.made.blocks[self.name] = Block()
        self.reader.tell("E047", f"{self.name[:100]}: {{}}", _shown(value))


class _Version(_Keyed):
    known = ("created", "state", "message", "user")

    def __init__(self, reader: _Reader, version: str) -> None:
        super().__init__(reader)
        self._version = version
        self.about: dict[str, str] = {}

    def key(self, name: str) -> None:
        super().key(name)
        if name not in self.known:
            self._tell("E102", None, name)

    def inner(self, is_map: bool) -> _Handler:
        if self.name == "state" and is_map:
            return _State(self.reader, self._version)
        if self.name == "user" and is_map:
            return _User(self.reader, self._version, self.about)
        self._wrong("{}" if is_map else "[]")
        return _Handler(self.reader)

    def value(self, event: str, value: object) -> None:
        if self.name in ("created", "message") and isinstance(value, str):
            self.about[self.name] = value
            if self.name == "created" and not terms.is_time(value):
                self._tell("E049", "RFC 3339", value)
        else:
            self._wrong(_shown(value))

    def _wrong(self, found: str) -> None:
        codes = {"created": "E049", "state": "E050", "message": "E094", "user": "E054"}
        if self.name in codes:
            self._tell(codes[self.name], None, found)

    def close(self) -> None:
        for name in ("created", "state"):
            if name not in self.keys:
                self._tell("E048", name, None)
        for name in ("message", "user"):
            if name not in self.keys:
                self._tell("W007", name, None)
        names = ("created", "message", "user.name", "user.address")
        self.reader.made.blocks[self._version].about = tuple(self.about.get(name, "\0") for name in names)

    def _tell(self, code: str, expected: str | None, found: str | None) -> None:
        self.reader.tell(code, expected, f"{self._version[:40]}: {found}" if found is not None else self._version)


class _User(_Keyed):
    def __init__(self, reader: _Reader, version: str, about: dict[str, str]) -> None:
        super().__init__(reader)
        self._version = version
        self._about = about

    def key(self, name: str) -> None:
        super().key(name)
        if name not in ("name", "address"):
            self.reader.tell("E102", None, f"{self._version}: user.{name[:200]}")

    def inner(self, is_map: bool) -> _Handler:
        self.value("", {} if is_map else [])
        return _Handler(self.reader)

    def value(self, event: str, value: object) -> None:
        told = f"{self._version}: {_shown(value)}"
        if self.name == "name" and (not isinstance(value, str) or not value):
            self.reader.tell("E054", "name", told)
        elif self.name == "address" and (not isinstance(value, str) or not terms.is_uri(value)):
            self.reader.tell("W009", "URI", told)
        if isinstance(value, str):
            self._about[f"user.{self.name}"] = value

    def close(self) -> None:
        if "name" not in self.keys:
            self.reader.tell("E054", "name", self._version)
        if "address" not in self.keys:
            self.reader.tell("W008", "address", self._version)


class _State(_ByDigest):
    code = "E051"

    def __init__(self, reader: _Reader, version: str) -> None:
        super().__init__(reader)
        self._version = version
        self._paths: list[tuple[str, str]] = []
        self._asked = reader.version(version, True)

    def key(self, name: str) -> None:
        super().key(name)
        self.reader.used.setdefault(name, self._version)

    def take(self, path: str) -> None:
        if wrong := wrong_element(path, "E052", "E053"):
            self.reader.tell(wrong, None, f"{self._version}: {path}")
        else:
            self._paths.append((path, self.name.lower()))
            if self._asked:
                self.reader.state[path] = self.name.lower()

    def close(self) -> None:
        self._paths.sort(key=lambda pair: order(pair[0]))
        for twin, path in conflicts_in([path for path, _ in self._paths]):
            self.reader.tell("E095", twin, f"{self._version}: {path}")
        made = hashlib.sha256()
        for path, digest in self._paths:
            made.update(f"{digest} {path}\0".encode("utf-8", "surrogatepass"))
        block = self.reader.made.blocks[self._version]
        block.fingerprint, block.files = made.hexdigest(), len(self._paths)


def _width(versions: list[str]) -> int:
    return len(versions[0]) - 1 if versions and versions[0] != "v1" else 0


def _highest(names: Iterable[str]) -> str | None:
    numbered = [(int(name[1:]), name) for name in names if name[:1] == "v" and name[1:].isdecimal() and len(name) < 12]
    return max(numbered)[1] if numbered else None


def _shown(value: object) -> str:
    """A JSON value as it is told, cut."""
    import json

    if isinstance(value, str):
        return value[:300]
    try:
        return json.dumps(value)[:300]
    except (TypeError, ValueError):
        return str(value)[:300]
