"""Which rule is about a file: by its format, its first bytes and what else is known about it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from pipeline.content.normalisation.rules import CONDITIONS, PRESERVATION, WORDS, Rule, rules
from pipeline.records import Format


def plan_for(
    found: Format | None,
    head: bytes,
    name: str = "default",
    *,
    purpose: str = PRESERVATION,
    marks: Collection[str] = (),
) -> Rule | None:
    """The rule for a file of this format; `head` are its first bytes (16 are enough). None: it stays as it is.

    The first rule that names the PUID and whose conditions hold. A signed file stays as it is where the rule says so.
    """
    if found is None or found.puid is None:
        return None
    for rule in rules(name).rules:
        if rule.purpose == purpose and found.puid in rule.puids and _holds(rule, head, marks):
            return None if rule.signed == "keep" and "signed" in marks else rule
    return None


def _holds(rule: Rule, head: bytes, marks: Collection[str]) -> bool:
    def is_so(name: str) -> bool:
        return CONDITIONS[name](head) if name in CONDITIONS else name in marks

    return all(map(is_so, rule.when)) and not any(map(is_so, rule.unless))


def wants_head(found: Format | None, name: str = "default", purpose: str = PRESERVATION) -> bool:
    """Whether a rule might want this format, so that it is worth opening the file for its first bytes."""
    if found is None or found.puid is None:
        return False
    seen = found.basis if "text match" in found.basis else None
    return any(
        rule.purpose == purpose
        and found.puid in rule.puids
        and (seen is None or all(WORDS[one] in seen for one in rule.when if one in WORDS))
        for rule in rules(name).rules
    )


def ruled_differently(found: Format | None, read_head: Callable[[], bytes], name: str = "default") -> bool:
    """Whether the two formats that two engines name lead to different rules for one file.

    `read_head` gives its first bytes; it is asked only where some rule is about one of the formats.
    """
    if found is None or found.second is None:
        return False
    other = replace(found, puid=found.second.puid, basis=found.second.basis)
    if not (wants_head(found, name) or wants_head(other, name)):
        return False
    head = read_head()
    return plan_for(found, head, name) != plan_for(other, head, name)
