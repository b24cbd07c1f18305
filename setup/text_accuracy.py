"""Writes the table of accuracy into `docs/text.md`: how often texts of each length and encoding are told right.

python setup/text_accuracy.py                       writes it
python setup/text_accuracy.py --check               exit 1 when the page says something else
python setup/text_accuracy.py --messages FOLDER     prints the same for the .mo files of FOLDER, writes nothing
"""

from __future__ import annotations

import gettext
import random
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from pipeline.text import convert, detect, encode, lost  # noqa: E402

PAGE = PROJECT / "docs" / "text.md"
TEXT = PROJECT / "tests" / "data" / "udhr" / "vi.txt"
BEGIN, END = "<!-- accuracy: setup/text_accuracy.py -->\n", "<!-- end of accuracy -->\n"
ENCODINGS = {
    "tcvn3": "TCVN3", "vni": "VNI", "viscii": "VISCII", "cp1258": "CP1258", "cp1258-split": "CP1258, tones apart",
    "utf-8": "UTF-8", "nfd": "UTF-8 NFD",
}  # fmt: skip
LENGTHS = (10, 20, 30, 60, 120)
SAMPLES = 400


def as_written(text: str, encoding: str) -> str:
    """What the encoding can hold: TCVN3 writes capitals with a tone small."""
    if encoding != "tcvn3":
        return text
    missing = lost(text, encoding)
    return "".join(char.lower() if char in missing else char for char in text)


def samples(texts: Sequence[str], length: int, encoding: str, number: int = SAMPLES) -> Iterator[str]:
    """Pieces of that many characters from anywhere, the same on every run, that the encoding can hold and that hold a
    letter with a mark."""
    draw = random.Random(f"{length} {encoding}")
    texts = [text for text in texts if len(text) > length]
    while number:
        text = draw.choice(texts)
        start = draw.randrange(len(text) - length)
        piece = as_written(unicodedata.normalize("NFC", text[start : start + length]), encoding)
        if not piece.isascii() and not lost(piece, encoding):
            number -= 1
            yield piece


def measured(texts: Sequence[str], length: int, encoding: str, number: int = SAMPLES) -> tuple[float, float]:
    """(per cent told and converted right, per cent told wrong); the rest is left to a person."""
    right = wrong = 0
    for piece in samples(texts, length, encoding, number):
        raw = encode(piece, encoding)
        found = detect(raw)
        if found.encoding is None:
            continue
        if convert(raw, found).text == piece:
            right += 1
        else:
            wrong += 1
    return 100 * right / number, 100 * wrong / number


def table(texts: Sequence[str]) -> str:
    """Markdown: a row for each encoding."""
    lines = ["| right / wrong, % | " + " | ".join(f"{length} characters" for length in LENGTHS) + " |"]
    lines.append("|---" * (len(LENGTHS) + 1) + "|")
    for encoding, name in ENCODINGS.items():
        found = [measured(texts, length, encoding) for length in LENGTHS]
        lines.append(f"| {name} | " + " | ".join(f"{right:.1f} / {wrong:.1f}" for right, wrong in found) + " |")
    return "\n".join(lines) + "\n"


def messages(folder: Path) -> list[str]:
    """Messages of programs that are long and clearly Vietnamese."""
    found = []
    for path in sorted(folder.glob("*.mo")):
        with path.open("rb") as source:
            catalogue: dict[Any, str] = getattr(gettext.GNUTranslations(source), "_catalog")  # noqa: B009
        for key, said in catalogue.items():
            text = unicodedata.normalize("NFC", " ".join(str(said).split()))
            if key and len(text) > LENGTHS[-1] and sum(not char.isascii() for char in text) > 0.15 * len(text):
                found.append(text)
    return found


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--messages"]:
        texts = messages(Path(arguments[1]))
        print(f"{len(texts)} messages\n{table(texts)}", end="")
        return 0
    page = PAGE.read_text(encoding="utf-8")
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    made = head + BEGIN + table([TEXT.read_text(encoding="utf-8").replace("\n", " ")]) + END + tail
    if "--check" in arguments:
        if made == page:
            return 0
        print("docs/text.md is not what is measured: run python setup/text_accuracy.py", file=sys.stderr)
        return 1
    PAGE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
