"""Rules for the root element and the header of a METS: what the package is, who made and who submits it."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from pipeline.packages.eark.layout import PROFILE
from pipeline.packages.eark.recognition import PACKAGES
from pipeline.packages.eark.requirements import Edition
from pipeline.records import Finding, Level, PackagePath
from pipeline.standards import mets
from pipeline.standards.mets import HeaderAgent
from pipeline.standards.vocabularies import eark
from pipeline.standards.xml import parsed_moment
from pipeline.workspace import now

_DATE_TIME = re.compile(r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")

_SIP = {
    "2.2": re.compile(r"https://earksip\.dilcis\.eu/profile/E-ARK-SIP-v2-\d+-\d+\.xml"),
    "2.1": re.compile(r"https://earksip\.dilcis\.eu/profile/E-ARK-SIP(-v2-1-\d+)?\.xml"),
    "2.0": re.compile(r"https://earksip\.dilcis\.eu/profile/E-ARK-SIP(-v2-0-\d+)?\.xml"),
}
SIP_PROFILE = "https://earksip.dilcis.eu/profile/E-ARK-SIP-v2-2-0.xml"

_OLD_AIP = re.compile(r"https://earkaip\.dilcis\.eu/profile/E-ARK-AIP(-v2-[01]-\d+)?\.xml")

_NEARLY_AIP = re.compile(
    r"https://eark(aip|sip|csip)\.dilcis\.eu/profile/E-ARK-AIP-v2-2-\d+\.xml"
    r"|https://earkcsip\.dilcis\.eu/profile/E-ARK-CSIP(-v2-[01]-\d+)?\.xml"
)
"""Addresses that AIPs have in the field: another host than the odd one of AIPM2 (RODA, commons-ip); before 2.2, when
AIPs had no profile of their own, that of CSIP (earkweb, ESSArch)."""

DIP_PROFILE = "https://earkdip.dilcis.eu/profile/E-ARK-DIP.xml"
"""DIP2 lays down the address without a version."""

_VERSIONED_DIP = re.compile(r"https://earkdip\.dilcis\.eu/profile/E-ARK-DIP-v2-\d+-\d+\.xml")

_WRITTEN = datetime(2027, 1, 1, tzinfo=UTC)
"""No clock that is set before this is trusted to call a date a future one."""

_SOFTWARE = (("CSIP11", "role", "CREATOR"), ("CSIP12", "type", "OTHER"), ("CSIP13", "other_type", "SOFTWARE"))
_PEOPLE = ("ORGANIZATION", "INDIVIDUAL")
_CODE = "IDENTIFICATIONCODE"
_SPELT_BY_SCHEMA = ("citcarchival_v1_0", "citsarchival_v1_0", "csarchival_v1_0")
_ROLES = ("CREATOR", "EDITOR", "ARCHIVIST", "PRESERVATION", "DISSEMINATOR", "CUSTODIAN", "IPOWNER", "OTHER")


class HeaderRules:
    """Rules of one METS; `owner` is the name of the folder that holds it."""

    def __init__(self, path: PackagePath, owner: bytes, is_root: bool, edition: Edition) -> None:
        self._path = path
        self._owner = owner
        self._is_root = is_root
        self._edition = edition

    def head(self, head: mets.Head) -> Iterator[Finding]:
        """Attributes of `mets`."""
        kind, line = self._edition.kind, head.line
        owner = self._owner.decode("utf-8", "surrogateescape")
        if not (head.objid or "").strip():
            yield self._finding("CSIP1", line, owner, head.objid)
        elif _folder(head.objid or "") != _folder(owner):
            # CSIPSTR2 is a SHOULD; our own identity hangs on it, so an AIP has to keep it.
            yield self._finding("CSIP1", line, owner, head.objid, None if kind == "eark-aip" else Level.WARNING)
        yield from self._types(head)
        profile = (head.profile or "").strip()
        if not profile:
            yield self._finding("CSIP6", line, self._profile())
        if not self._is_root:
            return
        if kind == "eark-aip":
            if profile and profile != PROFILE and not _OLD_AIP.fullmatch(profile):
                level = Level.WARNING if _NEARLY_AIP.fullmatch(profile) else None
                yield self._finding("AIPM2", line, PROFILE, head.profile, level)
        elif self._edition.csip_alone:
            yield self._finding("EARK-CSIP", line, found=head.profile)
        elif kind == "eark-dip":
            if profile != DIP_PROFILE:
                level = Level.WARNING if _VERSIONED_DIP.fullmatch(profile) else None
                yield self._finding("DIP2", line, DIP_PROFILE, head.profile, level)
        elif not _SIP[self._edition.version].fullmatch(profile):
            yield self._finding("SIP2", line, SIP_PROFILE, head.profile)
        if kind == "eark-sip" and head.label is not None and not head.label.strip():
            yield self._finding("SIP1", line)

    def _profile(self) -> str:
        return {"eark-aip": PROFILE, "eark-dip": DIP_PROFILE}.get(self._edition.kind, SIP_PROFILE)

    def _types(self, head: mets.Head) -> Iterator[Finding]:
        line = head.line
        kind = _dashed(head.type or "")
        other = head.type in ("Other", "OTHER")
        categories = {_dashed(term) for term in eark("content category")}
        if kind not in categories and not other:
            yield self._finding("CSIP2", line, found=head.type)
        elif not other and (head.type or "").strip() not in eark("content category"):
            yield self._finding("CSIP2", line, found=head.type, level=Level.WARNING)
        elif other and not (head.other_type or "").strip():
            yield self._finding("CSIP3", line)
        elif other and _dashed(head.other_type or "") in categories - {"Other"}:
            level = Level.WARNING if self._edition.version == "2.0" else None
            yield self._finding("CSIP3", line, found=head.other_type, level=level)
        elif head.other_type is not None and not other:
            yield self._finding("CSIP3", line, found=head.other_type, level=beside(head.other_type))
        if head.content_type is None:
            yield self._finding("CSIP4", line, level=None if self._is_root else Level.ERROR)
        elif head.content_type not in eark("content information type"):
            yield self._finding("CSIP4", line, found=head.content_type, level=weight_of_term(head.content_type))
        if (wrong := other_content(head.content_type, head.other_content_type)) is not None:
            yield self._finding("CSIP5", line, found=head.other_content_type, level=wrong)

    def header(self, header: mets.Header) -> Iterator[Finding]:
        """`metsHdr`."""
        line = header.line
        if no_time(header.created) or _future(header.created):
            yield self._finding("CSIP7", line, found=header.created)
        if no_time(header.modified):
            # The attribute may be absent, but one that is there is a time.
            wrong = Level.ERROR if header.modified is not None else None
            yield self._finding("CSIP8", line, found=header.modified, level=wrong)
        elif _future(header.modified):
            yield self._finding("CSIP8", line, found=header.modified, level=Level.ERROR)
        wanted = PACKAGES[self._edition.kind]
        if header.package_type not in eark("package type"):
            yield self._finding("CSIP9", line, found=header.package_type)
        if self._is_root and header.package_type != wanted:
            archival = wanted == "AIP" and header.package_type in ("AIU", "AIC")
            known = header.package_type in eark("package type")
            code = {"SIP": "SIP4", "AIP": "AIPM3", "DIP": "DIP3"}[wanted]
            if not archival and not self._edition.csip_alone and (known or wanted != "AIP"):
                yield self._finding(code, line, wanted, header.package_type)
        yield from self._software(header)
        if self._is_root and self._edition.kind == "eark-sip":
            yield from self._submission(header)

    def _software(self, header: mets.Header) -> Iterator[Finding]:
        agents = header.agents
        if not agents:
            # The agent is the maker of the package; commons-ip writes none into a representation of a SIP.
            lenient = not self._is_root and self._edition.kind != "eark-aip"
            yield self._finding("CSIP10", header.line, level=Level.WARNING if lenient else None)
            return
        software = [agent for agent in agents if is_software(agent)]
        if not software:
            yield self._nearly(header)
            return
        judged = [list(self._of_software(agent, header.line)) for agent in software]
        yield from min(judged, key=len)

    def _nearly(self, header: mets.Header) -> Finding:
        """What keeps the agent that comes nearest from being the software that made the package."""

        def nearness(agent: HeaderAgent) -> tuple[int, bool]:
            fits = sum(getattr(agent, attribute) == value for _, attribute, value in _SOFTWARE)
            return fits, any(kind == "SOFTWARE VERSION" for kind, _ in agent.notes)

        agent = max(header.agents, key=nearness)
        if nearness(agent) == (1, False) and agent.role == "CREATOR" and agent.type in _PEOPLE:
            return self._finding("CSIP12", header.line, "OTHER", agent.type)
        code, attribute, value = next(one for one in _SOFTWARE if getattr(agent, one[1]) != one[2])
        return self._finding(code, header.line, value, getattr(agent, attribute))

    def _of_software(self, agent: HeaderAgent, line: int) -> Iterator[Finding]:
        if not agent.name.strip():
            yield self._finding("CSIP14", line)
        if len(agent.notes) != 1:
            yield self._finding("CSIP15", line, "1", str(len(agent.notes)))
            return
        kind, text = agent.notes[0]
        if not text.strip():
            yield self._finding("CSIP15", line, "1", "0")
        if kind != "SOFTWARE VERSION":
            yield self._finding("CSIP16", line, "SOFTWARE VERSION", kind)

    def _submission(self, header: mets.Header) -> Iterator[Finding]:
        line = header.line
        if header.record_status is not None and header.record_status not in eark("record status"):
            yield self._finding("SIP3", line, ", ".join(sorted(eark("record status"))), header.record_status)
        kinds = Counter(kind for kind, _ in header.alternatives)
        for code, kind, most in (
            ("SIP5", "SUBMISSIONAGREEMENT", 1), ("SIP6", "PREVIOUSSUBMISSIONAGREEMENT", 0),
            ("SIP7", "REFERENCECODE", 1), ("SIP8", "PREVIOUSREFERENCECODE", 0),
        ):  # fmt: skip
            if most and kinds[kind] > most:
                yield self._finding(code, line, "1", str(kinds[kind]))
            elif any(one == kind and not text.strip() for one, text in header.alternatives):
                yield self._finding(code, line, "1", "0", Level.WARNING)
        if self._edition.csip_alone:
            return
        yield from self._roles(header)
        creators = [one for one in header.agents if one.role == "CREATOR" and not _seems_software(one)]
        archival = [one for one in header.agents if one.role == "ARCHIVIST"]
        keepers = [one for one in header.agents if one.role == "PRESERVATION"]
        people = [one for one in creators if one.type in _PEOPLE]
        others = [
            one for one in header.agents
            if one.type in _PEOPLE and one.role not in ("CREATOR", "ARCHIVIST", "PRESERVATION")
        ]  # fmt: skip
        if not people and not others:
            wrong = next((one.type for one in creators), None)
            yield self._finding("SIP17" if creators else "SIP15", line, " / ".join(_PEOPLE), wrong)
        organisations = [one for one in people if one.type == "ORGANIZATION"]
        if len(organisations) > 1:
            # The role of the archival creator is not laid down: one of two may be that, if nothing else is.
            both = len(organisations) == 2 and not archival and len({one.name for one in organisations}) == 2
            level = Level.WARNING if both else None
            yield self._finding("SIP15", line, "1", str(len(organisations)), level)
        yield from self._named(line, organisations, "SIP18", "SIP19", "SIP20")
        persons = [one for one in people if one.type == "INDIVIDUAL"]
        for one in persons:
            if not one.name.strip():
                yield self._finding("SIP24" if organisations else "SIP18", line)
        for agents, codes, types in (
            (archival, ("SIP9", "SIP11", "SIP12", "SIP13", "SIP14"), _PEOPLE),
            (keepers, ("SIP26", "SIP28", "SIP29", "SIP30", "SIP31"), ("ORGANIZATION",)),
        ):  # fmt: skip
            if len(agents) > 1:
                yield self._finding(codes[0], line, "1", str(len(agents)), Level.WARNING)
            for one in agents:
                if one.type not in types:
                    yield self._finding(codes[1], line, " / ".join(types), one.type)
            yield from self._named(line, agents, *codes[2:])

    def _roles(self, header: mets.Header) -> Iterator[Finding]:
        """Agents that are people or organisations, but not in a role of METS: the submitting one, unless there is."""
        known = [one for one in header.agents if one.type in _PEOPLE and one.role in _ROLES]
        for one in header.agents:
            if one.type in _PEOPLE and one.role not in _ROLES:
                submits = not any(one.role == "CREATOR" for one in known)
                yield self._finding("SIP16" if submits else "SIP10", header.line, ", ".join(_ROLES), one.role)

    def _named(self, line: int, agents: list[HeaderAgent], name: str, note: str, note_type: str) -> Iterator[Finding]:
        for agent in agents:
            if not agent.name.strip():
                yield self._finding(name, line)
            if len(agent.notes) > 1:
                yield self._finding(note, line, "1", str(len(agent.notes)), Level.WARNING)
            for kind, _ in agent.notes:
                if kind != _CODE:
                    yield self._finding(note_type, line, _CODE, kind)

    def _finding(
        self, code: str, line: int, expected: str | None = None, found: str | None = None, level: Level | None = None
    ) -> Finding:
        return Finding(code, self._path, line or None, expected, found, level or self._edition.weight(code))


def weight_of_term(content_type: str) -> Level:
    """How heavy a content information type outside the vocabulary weighs: the schema spells three otherwise."""
    return Level.WARNING if content_type in _SPELT_BY_SCHEMA else Level.ERROR


def beside(said: str) -> Level:
    """How heavy an attribute for other terms weighs beside a term of the vocabulary: an empty one says nothing."""
    return Level.ERROR if said.strip() else Level.WARNING


def other_content(content_type: str | None, said: str | None) -> Level | None:
    """What is wrong with OTHERCONTENTINFORMATIONTYPE (CSIP5, CSIP63): it names, for OTHER alone, what is no term."""
    if content_type == "OTHER":
        known = (said or "").strip() in eark("content information type")
        return Level.ERROR if known or not (said or "").strip() else None
    return None if said is None else beside(said)


def is_software(agent: HeaderAgent) -> bool:
    """Whether an agent is the one of CSIP10–16."""
    return all(getattr(agent, attribute) == value for _, attribute, value in _SOFTWARE)


def _seems_software(agent: HeaderAgent) -> bool:
    """Whether an agent is meant as software, though an attribute of it may be wrong."""
    said = any(kind == "SOFTWARE VERSION" for kind, _ in agent.notes)
    return is_software(agent) or (said and agent.type not in _PEOPLE)


def no_time(text: str | None) -> bool:
    """Whether an attribute holds no xs:dateTime."""
    if text is None or _DATE_TIME.fullmatch(text.strip()) is None:
        return True
    # xs:dateTime has the last moment of a day as 24:00:00 too.
    return parsed_moment(re.sub(r"T24:00:00(\.0+)?", "T00:00:00", text)) is None


def _future(text: str | None) -> bool:
    when = parsed_moment(text)
    return when is not None and when > max(now(), _WRITTEN) + timedelta(days=1)


def _dashed(term: str) -> str:
    """Terms hold en dashes here and hyphens there; people and older versions write either."""
    return term.replace("–", "-").strip()


def _folder(name: str) -> str:
    """CSIP1: what no file system takes in a name is mapped; all ways to map it are one here."""
    return re.sub(r"%[0-9A-Fa-f]{2}|[^\w.\-]", "_", unicodedata.normalize("NFC", name.strip()))
