"""Content paths and logical paths of an inventory: form, place, and conflicts among them (§3.5.2, §3.5.3.1)."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable

Tell = Callable[[str, str | None, str | None], None]
"""(code, expected, found): a finding in the inventory that is read."""


def content_path(path: str, tell: Tell) -> bool:
    """Whether a content path has the form that the standard asks; told when not (E035, E099, E100)."""
    if "/" not in path and "\\" in path:
        tell("E035", "/", path)
        return False
    wrong = wrong_element(path, "E099", "E100")
    if wrong:
        tell(wrong, None, path)
    return not wrong


def wrong_element(path: str, parts: str, ends: str) -> str | None:
    """`ends` when a path begins or ends with a slash, `parts` when an element is empty, `.` or `..`; else None."""
    if path.startswith("/") or path.endswith("/"):
        return ends
    if not path or any(part in ("", ".", "..") for part in path.split("/")):
        return parts
    return None


def numbers(versions: Iterable[str]) -> dict[str, str]:
    """Version names by their number without its zeros: what `misplaced` asks."""
    return {name[1:].lstrip("0"): name for name in versions}


def misplaced(path: str, versions: Container[str], bare: Container[str], content: str) -> str | None:
    """E014 when a content path names a version by another name than its folder has, E042 when it is in none."""
    version, _, rest = path.partition("/")
    folder, slash, _ = rest.partition("/")
    if version in versions:
        return None if folder == content and slash else "E042"
    return "E014" if version[:1] == "v" and version[1:].lstrip("0") in bare else "E042"


def conflicts(paths: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of paths of which the first stands twice or is the beginning of the second."""
    return conflicts_in(sorted(paths, key=order))


def conflicts_in(ordered: list[str]) -> list[tuple[str, str]]:
    """The same of paths that are sorted so that what lies in a folder follows it at once."""
    found = []
    above = ""
    for path in ordered:
        if above and (path == above or path.startswith(above + "/")):
            found.append((above, path))
        else:
            above = path
    return found


def order(path: str) -> str:
    """Key by which what lies in a folder follows the folder's own name at once."""
    return path.replace("/", "\0")
