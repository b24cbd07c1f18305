"""All rules of one package, in one pass over its documents; what comes of it as a verdict per document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Literal, Protocol

from pipeline.findings import level_of
from pipeline.packages.tt05.check_certificate import check_certificate
from pipeline.packages.tt05.check_content import ContentRules
from pipeline.packages.tt05.check_descriptions import DescriptionRules, check_description
from pipeline.packages.tt05.check_documents import DocumentCodes
from pipeline.packages.tt05.check_file import FileRules
from pipeline.packages.tt05.check_fixity import check_fixity
from pipeline.packages.tt05.check_identifiers import CodeRules, check_identifiers
from pipeline.packages.tt05.check_linked import LinkedRules
from pipeline.packages.tt05.check_links import LinkRules
from pipeline.packages.tt05.check_mets import check_mets
from pipeline.packages.tt05.check_premis import PremisRules
from pipeline.packages.tt05.check_schemas import check_schemas
from pipeline.packages.tt05.check_structure import check_structure
from pipeline.packages.tt05.gathered import Findings
from pipeline.packages.tt05.own_schemas import check_frame, check_own_schemas
from pipeline.packages.tt05.package import Document, Package
from pipeline.records import DocumentVerdict, Finding, Level
from pipeline.settings import Profile


class DocumentRules(Protocol):
    """Rules of single documents, with what they must remember to compare them."""

    def see(self, document: Document) -> None:
        """One document, in the order of the package."""
        ...

    def end(self) -> None:
        """After the last one."""
        ...


CHECKS: Final[tuple[Callable[[Package, Findings], None], ...]] = (
    check_structure,
    check_schemas,
    check_mets,
    check_fixity,
    check_description,
    check_frame,
    check_own_schemas,
    check_identifiers,
    check_certificate,
)
"""Rules of the package as a whole, in this order, before those of the documents."""

DOCUMENT_CHECKS: Final[tuple[Callable[[Package, Findings], DocumentRules], ...]] = (
    LinkRules,
    DescriptionRules,
    FileRules,
    DocumentCodes,
    CodeRules,
    LinkedRules,
    PremisRules,
    ContentRules,
)
"""What makes the rules of documents."""


def check(package: Package, found: Findings) -> list[str]:
    """Everything that is wrong with the package, into `found`; the identifiers of its documents, in their order.

    Never raises on content.
    """
    identifiers = []
    for one in CHECKS:
        one(package, found)
    rules = [make(package, found) for make in DOCUMENT_CHECKS]
    for document in package.documents():
        identifiers.append(document.identifier)
        for one_rule in rules:
            one_rule.see(document)
    for one_rule in rules:
        one_rule.end()
    return identifiers


def verdicts(
    package: Package, found: Findings, identifiers: list[str], profile: Profile | None
) -> Iterator[DocumentVerdict]:
    """The documents with what stands on their own files; `decision` when a person has to decide, and nothing worse."""
    for identifier, (own, paths) in zip(identifiers, package.places(), strict=True):
        findings = found.at(paths)
        yield DocumentVerdict(identifier, package.files.whole(own), _verdict(findings, profile), findings)


def _verdict(findings: tuple[Finding, ...], profile: Profile | None) -> Literal["valid", "invalid", "decision"]:
    levels = {level_of(finding, profile) for finding in findings}
    return "invalid" if Level.ERROR in levels else "decision" if Level.DECISION in levels else "valid"
