"""Which kinds there are, and which one a package is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import cast

from pipeline.errors import UsageProblem
from pipeline.packages import Kind, Recognition
from pipeline.packages.recognition import mets_kind
from pipeline.tree import Tree

UNBUILT = ("tt05",)
"""Kinds that are recognised, so that they are never taken for a folder, but cannot be read yet."""


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
    from pipeline.packages.bagit import Bagit

    return Bagit()


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
    }
)


def accepted(kind: str, accepts: Collection[str]) -> bool:
    """Whether a profile that accepts these kinds takes a package of this one; a bag and what is in it both count."""
    return all(part in accepts for part in kind.split("+"))


def recognise(tree: Tree, forced: str | None = None) -> tuple[Kind | None, Recognition]:
    """What a package is and why; `forced` overrides. The kind is None when it is recognised but not built yet.

    `bagit.txt` → bagit, or `bagit+eark-…` where `data/METS.xml` says so; `METS.xml` with marks of Circular 05/2025 →
    tt05; with an OAISPACKAGETYPE → eark-…;
    else folder. UsageProblem when `forced` is no kind at all.
    """
    if forced is not None:
        if forced not in KINDS and forced not in UNBUILT:
            raise UsageProblem("USE-KIND", kind=forced, known=", ".join(KINDS))
        own = KINDS[forced].recognise(tree) if forced in KINDS else None
        chosen = Recognition(forced, own.version if own else "", "chosen by the person who asked")
        return KINDS.get(forced), chosen
    bag = KINDS["bagit"].recognise(tree)
    if bag is not None:
        from pipeline.packages.bagged import kind_of

        both = kind_of(tree, bag)
        return (KINDS["bagit"], bag) if both is None else (KINDS[both.kind], both)
    found = mets_kind(tree)
    if found is not None:
        # The kind itself knows the version of the profile, the marks alone do not.
        own = KINDS[found.kind].recognise(tree) if found.kind in KINDS else None
        return KINDS.get(found.kind), own or found
    folder = KINDS["folder"].recognise(tree)
    return KINDS["folder"], folder or Recognition("folder", "", "nothing else was recognised")
