"""Rules of the file (hồ sơ) or batch as EAD.xml describes it, and of its documents compared with it: EAD-10, -12,
-13, -15, -17, -18, -21."""

from __future__ import annotations

from pipeline.packages.tt05 import values
from pipeline.packages.tt05.gathered import Findings
from pipeline.packages.tt05.package import Document, Package


class FileRules:
    """Keeps the longest retention and whether a document is digitised, nothing else."""

    def __init__(self, package: Package, found: Findings) -> None:
        self._package = package
        self._found = found
        self._told = package.ead_values
        self._first = values.period(self._told.get("startDate", ""))
        self._last = values.period(self._told.get("endDate", ""))
        self._backwards = bool(self._first and self._last and self._first.first > self._last.last)
        self._longest = ""
        self._digitised = False

    def see(self, document: Document) -> None:
        told = document.values
        if told.get("confidenceLevel") == "02":
            self._digitised = True
        term = told.get("maintenance", "")
        if values.YEARS.get(term, 0) > values.YEARS.get(self._longest, 0):
            self._longest = term
        if document.description is not None:
            self._dated(document.description, told.get("issuedDate", ""))
            if not self._package.type.is_file:
                self._permanent(document.description, term)

    def end(self) -> None:
        package, found, told = self._package, self._found, self._told
        path = package.ead_path
        if path is None or package.ead.problem is not None or not package.type.is_file:
            return
        if self._backwards:
            found.add("TT05-EAD-10", path, found=told["startDate"], expected=told["endDate"])
        term = told.get("maintenance", "")
        self._permanent(path, term)
        if 0 < values.YEARS.get(term, 0) < values.YEARS.get(self._longest, 0):
            found.add("TT05-EAD-13", path, found=term, expected=self._longest)
        level = told.get("confidenceLevel", "")
        if level == "02" and not told.get("paperFileCode"):
            found.add("TT05-EAD-15", path)
        if not level:
            found.add("TT05-EAD-17", path)
        if (self._digitised or level in ("02", "03")) and told.get("numberOfPaper") == "":
            found.add("TT05-EAD-18", path)

    def _permanent(self, path: bytes, term: str) -> None:
        """The historical archive takes permanent records only; silent where nobody said who receives them."""
        if self._package.settings.receiver == "historical" and term and term != "01":
            self._found.add("TT05-EAD-12", path, found=term, expected="01")

    def _dated(self, path: bytes, told: str) -> None:
        when = values.period(told)
        if when is None or not self._package.type.is_file or self._backwards:
            return
        early = self._first is not None and when.last < self._first.first
        late = self._last is not None and when.first > self._last.last
        if early or late:
            span = f"{self._told.get('startDate', '')} – {self._told.get('endDate', '')}"
            self._found.add("TT05-EAD-21", path, found=told, expected=span)
