"""Settings are taken as they stand or refused by name, whichever of the two ways looks at them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UsageProblem
from pipeline.settings import PROJECT, Household, Profile, Settings, StoreSetting, _adapter, _exact, checked


@dataclass(frozen=True, slots=True)
class Inner:
    word: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Outer:
    one: Inner | None
    many: tuple[Inner, ...] = ()
    words: dict[str, str] = field(default_factory=dict)
    anything: dict[str, Any] = field(default_factory=dict)
    yes: bool = False
    text: str | None = None


def both(kind: type[Any], values: object) -> tuple[Any, Any]:
    """What the short way and pydantic make of values; None where they refuse."""
    from pydantic import ValidationError

    try:
        long = _adapter(kind).validate_python(values)  # type: ignore[arg-type]
    except ValidationError:
        long = None
    short = _exact(kind, values)
    return short if isinstance(short, kind) else None, long


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=2),
    lambda one: st.lists(one, max_size=2) | st.dictionaries(st.sampled_from(["word", "count", "a"]), one, max_size=3),
    max_leaves=5,
)
_NAMES = st.sampled_from(["one", "many", "words", "anything", "yes", "text", "more"])


@given(st.dictionaries(_NAMES, _VALUES, max_size=5))
def test_what_the_short_way_takes_pydantic_takes_alike(values: dict[str, Any]) -> None:
    short, long = both(Outer, values)
    assert short is None or short == long


@pytest.mark.parametrize(
    "values",
    [
        {"one": None},
        {"one": {"word": "x"}, "many": [{"word": "y", "count": 3}], "words": {"a": "b"}, "anything": {"c": [1]},
         "yes": True, "text": "z"},
    ],
)  # fmt: skip
def test_right_values_need_no_pydantic(values: dict[str, Any]) -> None:
    short, long = both(Outer, values)
    assert short is not None and short == long


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"one": None, "more": 1}, "more"),
        ({}, "one"),
        ({"one": {"word": 1}}, "one.word"),
        ({"one": {"word": "x", "more": ""}}, "one.more"),
        ({"one": None, "many": [{"word": "x"}, {}]}, "many.1.word"),
        ({"one": None, "words": {"a": 1}}, "words.a"),
        ([], "-"),
    ],
)
def test_wrong_values_are_named(values: object, key: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        checked(Outer, values, "file.toml")
    assert caught.value.code == "USE-SETTINGS-KEY"
    assert caught.value.values["file"] == "file.toml" and caught.value.values["key"].startswith(key)


@pytest.mark.parametrize("file", sorted((PROJECT / "profiles").glob("*.toml")), ids=lambda file: file.stem)
def test_our_own_profiles_take_the_short_way(file: Path) -> None:
    short, long = both(Profile, tomllib.loads(file.read_text(encoding="utf-8")))
    assert short is not None and short == long


def test_stores_and_settings_take_the_short_way() -> None:
    able = {"put": True, "free": 7}
    store = {"name": "a", "url": "file:///a", "endpoint": None, "capabilities": able}
    short, long = both(Household, {"format": 1, "archive": None, "writer": "", "stores": [store]})
    assert short == long == Household(1, None, "", (StoreSetting("a", "file:///a", capabilities=able),))
    short, long = both(Settings, {"organisation": "Lưu trữ", "workers": 2, "trust_roots": ["a"]})
    assert short is not None and short == long
