"""Which files of a package are no longer what they were, where the inventory of a copy itself was rewritten."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pipeline.errors import Problem
from pipeline.names import shown
from pipeline.standards import ocfl
from pipeline.storage.judging import Damage, Judgement, What
from pipeline.storage.layouts import ocfl as layout
from pipeline.storage.stores import Store
from pipeline.storage.versions import StoredTree, stored_tree
from pipeline.tree import ContentDamage


def behind(
    store: Store, judged: Judgement, version: int, known: Mapping[int, str], others: Iterable[Store], scratch: Path
) -> tuple[Damage, ...]:
    """Every file that a rewritten inventory hides, by its logical path; nothing where the inventory is vouched for.

    The copy's files were compared with an inventory that the journal (`known`, digests by version) does not know, so
    they agree with it and with nothing else. What they should be says the same version's inventory in another store,
    if the journal vouches for it; else the package's own METS and PREMIS. `changed` and `missing`: the bytes that
    were sealed are not there; `inventory`: they are, but the inventory says otherwise; `extra`: never part of the
    version. Digests stand in `expected` and `found`. SystemProblem when the store fails.
    """
    if not known or judged.missing or judged.inventory_sha256 in known.values():
        return ()
    says, where = _said(store, judged.urn, scratch)
    truth, whole = _vouched(judged.urn, version, known.get(version), others, scratch), True
    if truth is None:
        truth, whole = _described(store, judged.urn, scratch), False
    if not truth:
        return ()
    found: list[Damage] = []
    for path, digests in sorted(truth.items()):
        now = says.get(path)
        for digest in sorted(digests - {now or ""}):
            if _there(store, where, digest):
                found.append(Damage(What.INVENTORY, shown(path), digest, now))
            else:
                found.append(Damage(What.CHANGED if now else What.MISSING, shown(path), digest, now))
    if whole:
        found += [Damage(What.EXTRA, shown(path), None, says[path]) for path in sorted(says.keys() - truth.keys())]
    return tuple(found)


def _said(store: Store, urn: str, scratch: Path) -> tuple[dict[bytes, str], dict[str, str]]:
    """Logical path → digest as the copy's own root inventory has it, and digest of a name → key of what lies there."""
    base = layout.prefix(urn)
    says: dict[bytes, str] = {}
    with contextlib.suppress(KeyError, ocfl.InventoryError), layout.fetched(
        store, base + ocfl.INVENTORY, scratch
    ) as (file, _):  # fmt: skip
        inventory = ocfl.read_inventory(file)
        says = {bytes(path): digest for digest, path in inventory.state(inventory.head)}
    return says, {key.rpartition("/")[2]: key for key, _ in store.list(base) if "/content/" in key}


def _there(store: Store, where: Mapping[str, str], digest: str) -> bool:
    """Whether the bytes of a digest lie in the copy under its name, whatever its inventory says."""
    key = where.get(digest)
    try:
        return key is not None and layout.digest_of(store, key)[0] == digest
    except KeyError:
        return False


def _vouched(
    urn: str, version: int, digest: str | None, others: Iterable[Store], scratch: Path
) -> dict[bytes, set[str]] | None:
    """The state of a version by an inventory of another store that has the digest of the journal; None without one."""
    for other in others:
        for name in (ocfl.INVENTORY, f"v{version}/{ocfl.INVENTORY}"):
            with contextlib.suppress(KeyError, Problem, ocfl.InventoryError), layout.fetched(
                other, layout.prefix(urn) + name, scratch
            ) as (file, found):  # fmt: skip
                if found == digest:
                    return {bytes(path): {one} for one, path in ocfl.read_inventory(file).state(version)}
    return None


def _described(store: Store, urn: str, scratch: Path) -> dict[bytes, set[str]]:
    """What METS and PREMIS of the copy itself say, as far as they can be read: logical path → SHA-256 by either."""
    from pipeline.standards.xml import Unreadable

    found: dict[bytes, set[str]] = {}
    try:
        tree = stored_tree(store, urn, scratch=scratch)
        with contextlib.closing(tree):
            for path, digest in _digests(tree):
                if digest:
                    found.setdefault(tree.name + b"/" + path, set()).add(digest.lower())
    except (Problem, Unreadable, ContentDamage, KeyError, ValueError):
        pass  # No package that we can read is left: the inventory is named as rewritten, and that is all there is.
    return found


def _digests(tree: StoredTree) -> Iterator[tuple[bytes, str]]:
    # Loaded here: nearly no audit needs them, and they cost it a tenth of a second.
    from pipeline.packages.eark.preservation import path_of
    from pipeline.packages.eark.rows import EarkRows
    from pipeline.standards import premis

    rows = EarkRows(tree)
    for row in rows.files():
        yield row.path, row.sha256
    for manifest in rows.manifests:
        for file in manifest.preservation:
            with contextlib.closing(tree.open(file)) as source:
                for part in premis.read(source):
                    if isinstance(part, premis.Object) and (path := path_of(part.identifiers)) is not None:
                        yield path, next((value for kind, value in part.fixity if kind == "SHA-256"), "")
