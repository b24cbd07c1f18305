"""Only what passes by itself is tried again."""

from __future__ import annotations

import pytest

from pipeline.errors import SystemProblem
from pipeline.storage.stores import ABSENT, Store, StoreAbsent, StoreConflict
from pipeline.storage.stores.patience import Patient
from tests.storage.faults import Broken, full, gone


class Flaky(Broken):
    """Fails so many times, then works."""

    def __init__(self, store: Store, times: int, problem: SystemProblem) -> None:
        super().__init__(store)
        self._times = times
        self._cause = problem
        self.calls = 0

    def _look(self) -> None:
        self.calls += 1
        if self.calls <= self._times:
            raise self._cause


def patient(store: Store, times: int, problem: SystemProblem) -> tuple[Patient, Flaky, list[float]]:
    slept: list[float] = []
    flaky = Flaky(store, times, problem)
    return Patient(flaky, (0.5, 2.0), slept.append), flaky, slept


def test_a_moment_is_waited_for(folders: list[Store]) -> None:
    store, flaky, slept = patient(folders[0], 2, gone())
    assert store.replace("settings/a", b"1")
    assert flaky.calls == 3
    assert len(slept) == 2 and 0.3 < slept[0] < 0.7 and 1.4 < slept[1] < 2.6
    assert folders[0].read("settings/a") == b"1"


def test_longer_than_a_moment_is_told(folders: list[Store]) -> None:
    store, flaky, _ = patient(folders[0], 9, gone())
    with pytest.raises(StoreAbsent):
        store.read("store.json")
    assert flaky.calls == 3


def test_what_a_person_must_mend_is_told_at_once(folders: list[Store]) -> None:
    store, flaky, slept = patient(folders[0], 9, full())
    with pytest.raises(SystemProblem, match="SYS-STORE-FULL"):
        store.put("settings/a", b"1", 1, "0" * 64)
    assert (flaky.calls, slept) == (1, [])


def test_a_condition_is_asked_once(folders: list[Store]) -> None:
    """The answer to a first attempt may have got lost: a second would meet its own document."""
    store, flaky, _ = patient(folders[0], 1, gone())
    with pytest.raises(StoreAbsent):
        store.replace("settings/a", b"1", ABSENT)
    assert flaky.calls == 1
    store.replace("settings/a", b"1", ABSENT)
    with pytest.raises(StoreConflict):
        store.replace("settings/a", b"1", ABSENT)


def test_what_is_not_there_is_no_fault(folders: list[Store]) -> None:
    store, flaky, _ = patient(folders[0], 0, gone())
    with pytest.raises(KeyError):
        store.get("settings/none")
    assert store.head("settings/none") is None
    assert flaky.calls == 2
