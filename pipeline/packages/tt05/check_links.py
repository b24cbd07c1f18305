"""Rules TT05-LNK, and MET-26 for single documents: what joins descriptions to documents, and what is counted."""

from __future__ import annotations

import re

from pipeline.packages.tt05.files import DESCRIPTION, text
from pipeline.packages.tt05.files import stem as stem_of
from pipeline.packages.tt05.gathered import Findings
from pipeline.packages.tt05.package import Document, Package

_NUMBER = re.compile("[0-9]{1,18}")
_CODES = ("docId", "docCode", "arcDocCode")


class LinkRules:
    """Fed with the documents of a package in their order."""

    def __init__(self, package: Package, found: Findings) -> None:
        self._package = package
        self._found = found
        self._mapped = any(div.label.partition("/")[0] == "MetadataLink" for div in package.rep.divs())
        self._readable = package.rep_path is not None and package.rep.problem is None and package.rep.is_mets
        self._described = self._held = self._all = 0
        self._pages = self._held_pages = 0
        self._paged: bool | None = None

    def see(self, document: Document) -> None:
        self._all += 1
        self._described += document.description is not None
        self._held += bool(document.data)
        if document.description is None:
            self._paged = False
            for path in document.data:
                self._found.add("TT05-LNK-01", path)
            return
        if not document.data:
            self._found.add("TT05-LNK-02", document.description)
        else:
            self._names(document, document.description)
            self._division(document, document.description)
        self._count_pages(document)

    def end(self) -> None:
        """LNK-04, -05, -06: what the package says of its documents as a whole."""
        self._total()
        declared = self._package.ead_values.get("numberOfPage", "")
        has_field = "numberOfPage" in self._package.fields("ead")
        known = (self._pages, self._held_pages)
        if has_field and self._paged and _NUMBER.fullmatch(declared) and int(declared) not in known:
            self._found.add("TT05-LNK-05", self._package.ead_path, found=self._pages, expected=declared)

    def _total(self) -> None:
        package = self._package
        declared = package.ead_values.get("totalDoc", "")
        if "totalDoc" not in package.fields("ead") or not _NUMBER.fullmatch(declared):
            return
        # Where a description or a document is missing, LNK-01 or -02 says so; the number may count either.
        if int(declared) not in (self._all, self._described, self._held):
            code = "TT05-LNK-06" if package.type.of == "AIP" else "TT05-LNK-04"
            self._found.add(code, package.ead_path, found=self._all, expected=declared)

    def _names(self, document: Document, description: bytes) -> None:
        """LNK-03; `data_name` of the settings may ask more of the data file's name."""
        match = DESCRIPTION.fullmatch(description.rpartition(b"/")[2])
        if match is None:
            return
        name = text(match.group(2))
        data = [text(stem_of(path)) for path in document.data]
        codes = {key: document.values[key] for key in _CODES if document.values.get(key)}
        known = {one.lower() for one in (*data, *codes.values())}
        wanted = self._package.settings.data_name
        asked = codes.get(wanted) or (codes.get("arcDocCode") if wanted == "docCode" else None)
        if name.lower() not in known:
            self._found.add("TT05-LNK-03", description, found=name, expected=", ".join(data[:3]))
        elif asked and not any(one.lower() == asked.lower() for one in data):
            self._found.add("TT05-LNK-03", description, found=", ".join(data[:3]), expected=asked)

    def _division(self, document: Document, description: bytes) -> None:
        """MET-26 of one document; where not even their division is there, the rule of the whole METS has said it."""
        if self._readable and self._mapped and not document.joined and not document.linked:
            self._found.add("TT05-MET-26", description, expected="MetadataLink/File")

    def _count_pages(self, document: Document) -> None:
        """Nothing adds up where the pages of one document are not known."""
        pages = document.values.get("numberOfPage")
        if document.described.problem is not None:
            self._paged = False
        elif pages is None:
            if document.kind and "numberOfPage" in self._package.fields(document.kind):
                self._paged = False
        elif not _NUMBER.fullmatch(pages):
            self._paged = False
        else:
            self._pages += int(pages)
            self._held_pages += int(pages) if document.data else 0
            self._paged = self._paged is not False
