"""How often text is told right, held against the line that was promised and against docs/text.md."""

from __future__ import annotations

import gettext
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.settings import PROJECT
from setup.text_accuracy import ENCODINGS, measured, messages
from tests.text.samples import udhr

INSTALLED = Path("/usr/share/locale/vi/LC_MESSAGES")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_of_100_samples_of_60_characters_99_are_right(encoding: str) -> None:
    right, wrong = measured([udhr("vi").replace("\n", " ")], 60, encoding, 1000)
    assert right >= 99
    assert wrong == 0


@pytest.mark.skipif(
    gettext.find("coreutils", "/usr/share/locale", ["vi"]) is None, reason="no messages in Vietnamese here"
)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_messages_of_programs_too(encoding: str) -> None:
    right, wrong = measured(messages(INSTALLED), 60, encoding, 400)
    assert right >= 99
    assert wrong <= 0.25


def test_the_page_says_what_is_measured() -> None:
    script = [sys.executable, str(PROJECT / "setup" / "text_accuracy.py"), "--check"]
    done = subprocess.run(script, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
