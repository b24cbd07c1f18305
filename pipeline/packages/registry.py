"""Which kinds there are, and which one a package is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import cast

from pipeline.errors import UsageProblem
from pipeline.packages import Kind, Recognition
from pipeline.packages.recognition import mets_kind
from pipeline.tree import Tree
from pipeline.tree.archive import ArchiveTree


class _Kinds(Mapping[str, Kind]):
    """Kinds by name, each made (and its libraries loaded) when it is first asked for."""

    def __init__(self, makers: dict[str, Callable[[], Kind]]) -> None:
        self._makers = makers
        self._made: dict[str, Kind] = {}

    def __getitem__(self, name: str) -> Kind:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def _bagit() -> Kind:
    from pipeline.packages.bagged import PlainBag

    return PlainBag()


def _eark_aip() -> Kind:
    from pipeline.packages.eark import EarkAip

    return cast(Kind, EarkAip())


def _eark_sip() -> Kind:
    from pipeline.packages.eark import Eark

    return Eark("eark-sip")


def _eark_dip() -> Kind:
    from pipeline.packages.eark import Eark

    return Eark("eark-dip")


def _bagged(inner: str) -> Callable[[], Kind]:
    def make() -> Kind:
        from pipeline.packages.bagged import Bagged

        return Bagged(inner)

    return make


def _folder() -> Kind:
    from pipeline.packages.folder import Folder

    return Folder()


def _tt05() -> Kind:
    from pipeline.packages.tt05.kind import Tt05

    return Tt05()


KINDS: Mapping[str, Kind] = _Kinds(
    {
        "bagit": _bagit,
        "bagit+eark-aip": _bagged("eark-aip"),
        "bagit+eark-dip": _bagged("eark-dip"),
        "bagit+eark-sip": _bagged("eark-sip"),
        "bagit+folder": _bagged("folder"),
        "eark-aip": _eark_aip,
        "eark-dip": _eark_dip,
        "eark-sip": _eark_sip,
        "folder": _folder,
        "tt05": _tt05,
    }
)


def accepted(kind: str, accepts: Collection[str]) -> bool:
    """Whether a profile that accepts these kinds takes a package of this one; a bag and what is in it both count."""
    return all(part in accepts for part in kind.split("+"))


def forced_kind(kind: str) -> tuple[str, str]:
    """(kind, version) of what a person names, as `tt05/SIP_hoso`; UsageProblem when there is no such kind or type."""
    name, _, version = kind.partition("/")
    if name not in KINDS or (version and (name != "tt05" or version not in _tt05_types())):
        known = ", ".join([*KINDS, *(f"tt05/{one}" for one in _tt05_types())])
        raise UsageProblem("USE-KIND", kind=kind, known=known)
    return name, version


def _tt05_types() -> tuple[str, ...]:
    from pipeline.packages.tt05.types import PackageType

    return tuple(PackageType)


def _circular(tree: Tree, trusted: bool = True) -> Recognition | None:
    """As tt05; where somebody said so (`trusted`) any depth, and a folder `representations` is mark enough.

    Without the kind itself: its rules take a tenth of a second to load, and most packages are something else.
    """
    from pipeline.packages.tt05.types import recognise as circular

    return circular(tree, trusted=trusted)


def _misplaced(tree: Tree) -> Recognition | None:
    """E-ARK packages that an archive holds otherwise than in its one root folder (CSIPSTR1): beside more, several, or
    one folder deeper."""
    if not isinstance(tree, ArchiveTree):
        return None
    tops: set[bytes] = set()
    holding: set[bytes] = set()
    for entry in tree.entries():
        parts = entry.path.split(b"/", 2)
        tops.add(parts[0])
        if parts[1:] == [b"METS.xml"]:
            holding.add(parts[0])
    if tree.rooted and len(tops) != 1:
        return None
    for top in sorted(holding):
        found = mets_kind(tree, top + b"/")
        if found is not None and found.kind.startswith("eark-"):
            return found
    return None


def recognise(tree: Tree, forced: str | None = None, accepts: Collection[str] = ()) -> tuple[Kind, Recognition]:
    """What a package is and why; `forced` overrides (`tt05/SIP_hoso` its type too).

    `bagit.txt` → bagit, or `bagit+eark-…` where `data/METS.xml` says so; a mark of Circular 05/2025 → tt05; `METS.xml`
    with an OAISPACKAGETYPE → eark-…; else folder. Where a profile `accepts` tt05 alone, a folder `representations` is
    mark enough. UsageProblem when `forced` is no kind at all.
    """
    if forced is not None:
        name, version = forced_kind(forced)
        own = _circular(tree) if name == "tt05" else KINDS[name].recognise(tree)
        chosen = Recognition(name, version or (own.version if own else ""), "chosen by the person who asked")
        return KINDS[name], chosen
    from pipeline.packages.bagit import Bagit  # the kind itself loads what judges packages inside of bags

    bag = Bagit().recognise(tree)
    if bag is not None:
        from pipeline.packages.bagged import kind_of

        both = kind_of(tree, bag)
        return (KINDS["bagit"], bag) if both is None else (KINDS[both.kind], both)
    if tuple(accepts) == ("tt05",) and (expected := _circular(tree)) is not None:
        return KINDS["tt05"], expected
    found = mets_kind(tree)
    if found is None or found.kind != "tt05":
        marked = _circular(tree, trusted=False)
        found = marked or found
    if found is None:
        found = _misplaced(tree)
    if found is not None:
        # The kind itself knows the version of the profile, the marks alone do not.
        own = KINDS[found.kind].recognise(tree)
        return KINDS[found.kind], own or found
    folder = KINDS["folder"].recognise(tree)
    return KINDS["folder"], folder or Recognition("folder", "", "nothing else was recognised")
