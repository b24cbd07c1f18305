"""Writes the tables of accuracy into `docs/ocr.md`: what tesseract reads wrong on pages whose text is known.

python setup/ocr_accuracy.py              writes them (some three minutes)

Pages are drawn here from the Declaration of Human Rights under the heading of a Vietnamese decision, then turned,
blurred and strewn with noise as a scanner does; the same on every run.
"""

from __future__ import annotations

import random
import re
import sys
import tempfile
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from pipeline.tools.run import Bounds, run  # noqa: E402
from pipeline.tools.tesseract import TESSERACT  # noqa: E402

PAGE = PROJECT / "docs" / "ocr.md"
TEXT = PROJECT / "tests" / "data" / "udhr" / "vi.txt"
BEGIN, END = "<!-- accuracy: setup/ocr_accuracy.py -->\n", "<!-- end of accuracy -->\n"
FONTS = Path("/usr/share/fonts/truetype/liberation2")
HEADING = (
    "ỦY BAN NHÂN DÂN TỈNH VÍ DỤ",
    "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
    "Độc lập - Tự do - Hạnh phúc",
    "Số: 1234/QĐ-UBND",
    "QUYẾT ĐỊNH VỀ VIỆC PHÊ DUYỆT DANH MỤC HỒ SƠ",
)
DPI = (100, 150, 200, 300, 400)
LANGUAGES = ("vie", "vie+eng")
A4 = (8.27, 11.69)


@dataclass(frozen=True, slots=True)
class Look:
    """How a page looks: font, size in points, degrees that it lies askew, blur in inches, noise (0–1), bilevel."""

    font: str = "LiberationSerif-Regular"
    points: float = 13.0
    skew: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    bilevel: bool = False


LOOKS = {
    "clean": Look(),
    "scanned: askew 0.7°, blur, noise": Look(skew=0.7, blur=0.003, noise=0.35),
    "the same, bilevel": Look(skew=0.7, blur=0.003, noise=0.35, bilevel=True),
    "typewriter letters, faint, askew 1.5°, much noise": Look(
        font="LiberationMono-Regular", points=12, skew=-1.5, blur=0.004, noise=0.6
    ),
}


def words(number: int) -> list[str]:
    """So many words of the text, from its start."""
    return unicodedata.normalize("NFC", TEXT.read_text(encoding="utf-8")).split()[:number]


def drawn(look: Look, dpi: int, inches: tuple[float, float] = A4, number: int = 320) -> tuple[Image.Image, str]:
    """A page in grey (or bilevel), and the text that stands on it, lines apart."""
    size = (round(inches[0] * dpi), round(inches[1] * dpi))
    font = ImageFont.truetype(str(FONTS / f"{look.font}.ttf"), look.points * dpi / 72)
    image = Image.new("L", size, 255)
    pen = ImageDraw.Draw(image)
    margin, leading = 0.12 * size[0], look.points * 1.45 * dpi / 72
    lines: list[str] = []
    waiting = [*HEADING, " ".join(words(number))]
    for paragraph in waiting:
        line = ""
        for word in paragraph.split():
            if line and pen.textlength(f"{line} {word}", font) > size[0] - 2 * margin:
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}".strip()
        lines.append(line)
    lines = lines[: int((size[1] - 1.2 * margin) / leading) - 1]
    for at, line in enumerate(lines):
        pen.text((margin, 0.6 * margin + at * leading), line, fill=40, font=font)
    return scanned(image, look, dpi), "\n".join(lines)


def scanned(image: Image.Image, look: Look, dpi: int) -> Image.Image:
    """The page as a scanner might see it."""
    if look.skew:
        image = image.rotate(look.skew, Image.Resampling.BICUBIC, fillcolor=255)
    if look.blur:
        image = image.filter(ImageFilter.GaussianBlur(look.blur * dpi))
    if look.noise:
        dots = random.Random(f"{image.size}").randbytes(image.width * image.height)
        noise = Image.frombytes("L", image.size, dots).filter(ImageFilter.GaussianBlur(0.7))
        image = ImageChops.add(image.point(lambda value: 20 + value * 0.85), noise.point(
            lambda value: 128 + (value - 128) * look.noise), offset=-128)  # fmt: skip
    return image.point(lambda value: 255 if value > 140 else 0).convert("1") if look.bilevel else image


def read(image: Image.Image, dpi: int, languages: str) -> str:
    """What tesseract reads, in the sandbox and with the arguments of normalisation."""
    with tempfile.TemporaryDirectory() as folder:
        file, out = Path(folder) / "page.pgm", Path(folder) / "out"
        out.mkdir()
        image.convert("L").save(file)
        told = ["{in}/page.pgm", "{out}/read", "-l", languages, "--dpi", str(dpi), "--psm", "3", "txt"]
        ran = run(TESSERACT, told, {"page.pgm": file}, out, Bounds(seconds=120))
        if not ran.ok:
            raise SystemExit(ran.tail)
        return (out / "read.txt").read_text(encoding="utf-8")


def distance(one: Sequence[str], two: Sequence[str]) -> int:
    """Insertions, deletions and replacements from one sequence to the other (Levenshtein)."""
    before = list(range(len(two) + 1))
    for number, item in enumerate(one, 1):
        now = [number]
        for at, other in enumerate(two, 1):
            now.append(min(before[at] + 1, now[-1] + 1, before[at - 1] + (item != other)))
        before = now
    return before[-1]


def errors(truth: str, told: str) -> tuple[float, float]:
    """Percent of characters and of words that are wrong, blanks being one; both texts in NFC."""
    one, two = (re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip() for text in (truth, told))
    return 100 * distance(one, two) / len(one), 100 * distance(one.split(), two.split()) / len(one.split())


def measured(name: str, dpi: int, languages: str) -> tuple[float, float]:
    """Character and word error rate of a page, percent."""
    image, truth = drawn(LOOKS[name], dpi)
    return errors(truth, read(image, dpi, languages))


def table() -> str:
    """Both languages, all looks and resolutions: CER / WER in percent."""
    parts = [f"tesseract {TESSERACT.version}; CER / WER in percent, one page of some 1,500 letters each.\n"]
    for languages in LANGUAGES:
        parts.append(f"\n| `{languages}` | " + " | ".join(f"{dpi} dpi" for dpi in DPI) + " |\n|---" * 1)
        parts.append("|---" * len(DPI) + "|\n")
        for name in LOOKS:
            cells = ["{:.1f} / {:.1f}".format(*measured(name, dpi, languages)) for dpi in DPI]
            parts.append(f"| {name} | " + " | ".join(cells) + " |\n")
    return "".join(parts)


def documented() -> dict[tuple[str, str, int], tuple[float, float]]:
    """The figures of the page: language, look, dots per inch → CER, WER."""
    text = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    found: dict[tuple[str, str, int], tuple[float, float]] = {}
    languages = ""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0].startswith("`"):
            languages = cells[0].strip("`")
        elif cells[0] in LOOKS:
            for dpi, cell in zip(DPI, cells[1:], strict=True):
                cer, wer = (float(one) for one in cell.split("/"))
                found[languages, cells[0], dpi] = cer, wer
    return found


def main() -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(before + BEGIN + table() + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
