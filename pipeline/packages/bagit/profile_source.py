"""A BagIt profile from where a person says it is: a file, or an address that is asked once because they named it."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipeline.errors import SystemProblem, UsageProblem
from pipeline.packages.bagit.profile import MOST_BYTES, BagProfile, known, load, parsed

_SECONDS = 20.0


def profile_at(place: str) -> BagProfile:
    """The profile at a path or an http(s) address; one that is published here is taken from here.

    UsageProblem USE-BAG-PROFILE when it is wrong, SystemProblem SYS-BAG-PROFILE when the address does not answer.
    """
    if place in known():
        return known()[place]
    if urlsplit(place).scheme not in ("http", "https"):
        return load(Path(place))
    try:
        with _opener().open(place, timeout=_SECONDS) as answer:
            raw = answer.read(MOST_BYTES + 1)
    except (OSError, ValueError) as problem:
        cause = getattr(problem, "reason", None) or problem
        raise SystemProblem("SYS-BAG-PROFILE", transient=True, url=place, cause=cause) from None
    if len(raw) > MOST_BYTES:
        raise UsageProblem("USE-BAG-PROFILE", profile=place, cause=f"> {MOST_BYTES} B")
    return parsed(raw, place)


class _Onward(urllib.request.HTTPRedirectHandler):
    """Follows to http and https alone."""

    def redirect_request(self, request: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if urlsplit(newurl).scheme not in ("http", "https"):
            raise urllib.error.URLError(f"leads to {newurl}")
        return super().redirect_request(request, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """Speaks http and https, nothing else: no file, no ftp, no data addresses."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(), urllib.request.HTTPHandler(), urllib.request.HTTPSHandler(), _Onward(),
        urllib.request.HTTPErrorProcessor(), urllib.request.HTTPDefaultErrorHandler(),
    ):  # fmt: skip
        opener.add_handler(handler)
    return opener
