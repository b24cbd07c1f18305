"""Which encoding bytes are in, judged by the share of words that are Vietnamese syllables."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import BinaryIO

from . import syllables
from .encodings import GUARD, LEGACY, strictly
from .fonts import font_encoding
from .surface import shown, shows

ENOUGH = 0.5
"""Least score of an answer."""

AHEAD = 0.15
"""Least lead of an answer over the next reading that gives another text."""

EVIDENCE = 2.0
"""Least weight of different known words with a mark behind an answer; below it a person decides."""

_POSSIBLE = 0.55
"""What a syllable counts that the spelling allows but the list lacks."""

_PLAIN = 0.25
"""Weight of a word without a mark: all readings agree on it, so it only tells Vietnamese from other languages."""

_MOST_UNDOING = 2
_LONG_LINE = 5
"""So many words with a mark make a line that is judged for itself."""

_PIECE = 4 << 10
_MOST_PIECES = 32
_WHOLE = _PIECE * _MOST_PIECES
"""So many bytes are looked at whole, of more only pieces."""

_BLOCK = 1 << 20

_SPACE = " \t\r\n\f\v\u00a0"
_EDGE = "“”‘’‚„…–—•‹›«»°©®™€"
_WORD = re.compile(rf"[^{_SPACE}!-@\[-`{{-~]+")
_HIDDEN = re.compile(b"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_SHORT = re.compile("(?=.*Đ)[BCDGHKLMNPQRSTVXĐ]{2,8}")
"""Abbreviations of official text that hold Đ: QĐ, HĐND, NĐ."""

_ODD_WORD = re.compile("[a-zA-Z][\u01c4-\u024f\u0370-\u07ff]|[\u01c4-\u024f\u0370-\u07ff][a-zA-Z]")
"""A Latin letter beside one of another alphabet, or beside a letter that no language of ours has."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Detection:
    """What bytes are in. `encoding` is None when a person has to decide: `candidates` (best first) say between what.

    `score` is the share of words that are syllables, 0 to 1, `margin` its lead over the next reading that gives
    another text, among the words with a mark. `method` is how the answer came about:

    - with an encoding: `empty`, `ascii`, `bom`, `utf-8` (valid and not ASCII), `utf-16` (no mark, but every other byte
      is as it must be), `syllables`, `font`, `neighbours`, `undone` (CP1252 was taken for something else and written as
      UTF-8, `undo` times);
    - without: `ambiguous` (several readings are Vietnamese), `short` (too few words to tell), `mixed` (lines in several
      encodings), `damaged` (UTF-8 with broken places), `foreign` (no reading is Vietnamese), `binary`.

    `words`: weight of the different known words behind it. `composed`: valid Unicode is in NFC already. `against`: what
    font or neighbours say where the bytes say otherwise.
    """

    encoding: str | None
    score: float
    margin: float
    method: str
    candidates: tuple[tuple[str, float], ...] = ()
    undo: int = 0
    words: float = 0.0
    composed: bool = True
    against: str | None = None

    @property
    def confidence(self) -> float:
        """0 to 1: how far the answer (or the best candidate) is to be trusted; 1 where the bytes prove it."""
        if self.method in ("empty", "ascii", "bom", "utf-8", "utf-16"):
            return 1.0
        few = min(1.0, 0.6 + self.words / 10)
        return round(max(0.0, min(self.score, 0.5 + self.margin)) * few, 2)


def detect(data: bytes, fonts: Iterable[str] = (), neighbours: str | None = None) -> Detection:
    """Judges one piece of text: a file, a paragraph, a cell, a name.

    `fonts` are the names of its fonts, `neighbours` the encoding of what stands around it; both help where the bytes
    alone cannot tell, and are contradicted where they can. Never raises.
    """
    examiner = Examiner(fonts, neighbours)
    examiner.feed(data)
    return examiner.detection()


def detect_stream(source: BinaryIO, fonts: Iterable[str] = (), neighbours: str | None = None) -> Detection:
    """As `detect`, of a stream read to its end in constant memory."""
    examiner = Examiner(fonts, neighbours)
    while data := source.read(_BLOCK):
        examiner.feed(data)
    return examiner.detection()


class Examiner:
    """Looks at text as it comes: every byte counts for what is valid, samples from all over it for the language."""

    def __init__(self, fonts: Iterable[str] = (), neighbours: str | None = None) -> None:
        self._told = next((one for name in fonts if (one := font_encoding(name))), None)
        self._neighbours = neighbours
        self._head = b""
        self._waiting = b""
        self._seen = 0
        self._ascii = self._plain = self._composed = self._mappable = True
        self._nul = False
        self._unicode: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()
        self._wide: tuple[str, codecs.IncrementalDecoder] | None = None
        self._last = ""
        self._small = bytearray()
        self._pieces: list[bytes] = []
        self._stride = 1

    def feed(self, data: bytes) -> None:
        """Takes the next bytes, as many as there are."""
        data, self._waiting = self._waiting + data, b""
        if not self._seen and len(data) < 4:  # a byte order mark is seen whole
            self._waiting = data
            return
        for start in range(0, len(data), _BLOCK):
            self._take(data[start : start + _BLOCK])

    def _take(self, data: bytes) -> None:
        self._head = self._head or data[:4]
        if self._seen == 0 and (name := _wide_mark(data)):
            self._wide = (name, codecs.getincrementaldecoder(name)())
        self._nul = self._nul or b"\0" in data
        if not data.isascii():
            self._ascii = False
        self._plain = self._plain and not _HIDDEN.search(data)
        if self._wide is not None:
            self._follow_wide(data, final=False)
        if self._unicode is not None:
            self._follow(data, final=False)
        self._sample(data)
        self._seen += len(data)

    def _follow_wide(self, data: bytes, final: bool) -> None:
        if self._wide is None:
            return
        try:
            text = self._wide[1].decode(data, final)
        except UnicodeDecodeError:
            self._wide = None
            return
        if "\0" in text:
            self._wide = None
        self._note_form(text)

    def _follow(self, data: bytes, final: bool) -> None:
        if self._unicode is None:
            return
        try:
            text = self._unicode.decode(data, final)
        except UnicodeDecodeError:
            self._unicode = None
            return
        if text and not text.isascii():
            if self._wide is None:
                self._note_form(text)
            self._mappable = self._mappable and shows(text.removeprefix("\ufeff"))

    def _note_form(self, text: str) -> None:
        if self._composed:
            self._composed = unicodedata.is_normalized("NFC", self._last + text)
            self._last = text[-1:] or self._last

    def _sample(self, data: bytes) -> None:
        """Keeps what is short whole, else pieces from all over; of a stream fewer and fewer, evenly thinned."""
        if self._seen + len(data) <= _WHOLE:
            self._small += data
            return
        if not self._small:
            self._small += data[:_PIECE]
        if self._seen // _BLOCK % self._stride:
            return
        step = max(_PIECE, len(data) // _MOST_PIECES)
        for start in range(0, len(data), step):
            piece = _clean(data[start : start + step][:_PIECE])
            if piece and not piece.isascii():
                self._pieces.append(piece)
        while len(self._pieces) > 2 * _MOST_PIECES:
            self._pieces = self._pieces[::2]
            self._stride *= 2

    def detection(self) -> Detection:
        """The answer about everything that was fed."""
        if self._waiting:
            self._take(self._waiting)
            self._waiting = b""
        if not self._seen:
            return Detection("utf-8", 1.0, 1.0, "empty")
        self._follow_wide(b"", final=True)
        self._follow(b"", final=True)
        first = bytes(self._small)
        sample = b"\n".join([first, *self._pieces])
        if self._wide is not None:
            name = self._wide[0]
            text = first.decode(name, "ignore")
            return Detection(name, share(unicodedata.normalize("NFC", text)), 1.0, "bom", composed=self._composed)
        if self._nul:
            return _without_mark(first[:_PIECE]) or Detection(None, 0.0, 0.0, "binary")
        if self._ascii and self._plain:
            return Detection("utf-8", 1.0, 1.0, "ascii")
        if self._unicode is not None and not self._ascii:
            text = sample.decode("utf-8", "ignore").replace("\ufeff", "")
            method = "bom" if self._head.startswith(codecs.BOM_UTF8) else "utf-8"
            return self._of_unicode(text, method)
        return _legacy(sample, self._told, self._neighbours)

    def _of_unicode(self, text: str, method: str) -> Detection:
        score = share(unicodedata.normalize("NFC", text))
        found = None
        if score < ENOUGH:
            found = (_undone(text, score) if self._mappable else None) or self._by_chance(text, score)
            if found is not None and found.undo > 1 and self._seen > _WHOLE:
                found = None  # not all of it was looked at, and what cannot be undone so would stop the conversion
        return found or Detection("utf-8", score, 1.0, method, composed=self._composed)

    def _by_chance(self, text: str, score: float) -> Detection | None:
        """Short text in an old encoding whose bytes happen to be valid UTF-8: `ng\u07f6i` is người in VISCII."""
        if self._seen > _PIECE or not _ODD_WORD.search(text):
            return None
        found = _legacy(bytes(self._small), self._told, self._neighbours)
        if found.score < ENOUGH or found.score - score < 2 * AHEAD:
            return None
        candidates = (*found.candidates, ("utf-8", round(score, 3)))
        return replace(found, encoding=None, method="ambiguous", candidates=candidates)


def share(text: str, *, mixed: bool = False) -> float:
    """Share of words that are syllables, from 0 to 1; words without a mark weigh a quarter. 0 if no word has a mark.

    `mixed`: small letters with a mark among capitals are how this encoding writes capitals (TCVN3).
    """
    return _weighed(text, mixed)[0]


def _weighed(text: str, mixed: bool = False) -> tuple[float, float, int, float]:
    """(share, weight of the different known words with a mark, number of words with a mark, share of these alone)."""
    known = plain = fit = 0.0
    total = 0
    different: dict[str, float] = {}
    for word in _WORD.findall(text):
        if word.isascii():
            if len(word) > 1:
                plain += 1
                fit += _credit(word, False)
            continue
        word = word.strip(_EDGE)
        if not word or word.isascii():
            continue
        if len(word) == 1 and not word.isalpha() and word != GUARD:
            continue
        total += 1
        credit = _credit(word, mixed)
        known += credit
        different[word] = credit
    if not total:
        return 0.0, 0.0, 0, 0.0
    return (known + _PLAIN * fit) / (total + _PLAIN * plain), sum(different.values()), total, known / total


@lru_cache(maxsize=1 << 15)
def _credit(word: str, mixed: bool) -> float:
    if not word.isalpha() or len(word) > 2 * syllables.LONGEST:
        return 0.0
    if not (word.islower() or word.isupper() or word.istitle()):
        small = [char for char in word if char.islower()]
        if not mixed or any(char.isascii() for char in small):
            return 0.0
    elif _SHORT.fullmatch(word):
        return 1.0
    rank = syllables.rank(word.lower())
    if rank == syllables.FREQUENT:
        return 1.0
    return _POSSIBLE if rank == syllables.POSSIBLE and len(word) > 1 else 0.0


def _wide_mark(data: bytes) -> str | None:
    return next((name for mark, name in _MARKS[1:] if data.startswith(mark)), None)


def _without_mark(data: bytes) -> Detection | None:
    """UTF-16 without a byte order mark: decodes, and reads as text written in Latin letters."""
    data = data[: len(data) & ~1]
    for name in ("utf-16-le", "utf-16-be"):
        try:
            text = data.decode(name)
        except UnicodeDecodeError:
            continue
        letters = sum(char.isascii() and (char.isprintable() or char in "\t\r\n") for char in text)
        others = sum("\u00a0" <= char <= "\u024f" or "\u0300" <= char <= "\u036f" or "\u1e00" <= char <= "\u1eff"
                     or "\u2010" <= char <= "\u203a" for char in text)  # fmt: skip
        if len(text) > 3 and letters >= 0.4 * len(text) and letters + others == len(text):
            composed = unicodedata.is_normalized("NFC", text)
            score = share(unicodedata.normalize("NFC", text))
            return Detection(name, score, 1.0, "utf-16", composed=composed)
    return None


def _legacy(raw: bytes, told: str | None, neighbours: str | None) -> Detection:
    texts = {encoding: strictly(raw, encoding) for encoding in LEGACY}
    found = {encoding: _weighed(text, encoding == "tcvn3") for encoding, text in texts.items()}
    scores = {encoding: weighed[0] for encoding, weighed in found.items()}
    order = sorted(LEGACY, key=lambda encoding: -scores[encoding])
    candidates = tuple((encoding, round(scores[encoding], 3)) for encoding in order if scores[encoding] > 0)
    best = order[0]
    if best == "vps" and texts["vps"] in (texts[other] for other in order[1:]):
        best = next(other for other in order[1:] if texts[other] == texts["vps"])

    def lead(one: str) -> float:
        return min((over(one, other) for other in order if texts[other] != texts[one]), default=found[one][3])

    def over(one: str, other: str) -> float:
        ahead = found[one][3] - found[other][3]
        if ahead >= AHEAD:
            return ahead
        return max(ahead, _apart(texts[one], texts[other], one == "tcvn3", other == "tcvn3"))

    for hint, method in ((told, "font"), (neighbours, "neighbours")):
        plain = hint.removesuffix("-h") if hint else ""
        if plain in scores and scores[plain] >= ENOUGH and scores[best] - scores[plain] < AHEAD:
            return Detection(hint, scores[plain], lead(plain), method, candidates, words=found[plain][1])
    hint = told or neighbours
    score, margin = scores[best], lead(best)
    if score < ENOUGH:
        broken = _broken(raw)
        if broken is not None:
            return replace(broken, candidates=(*broken.candidates, *candidates), against=hint)
        if _of_several(raw):
            return Detection(None, score, margin, "mixed", candidates, against=hint)
        return Detection(None, score, margin, "foreign", candidates, against=hint)
    if margin < AHEAD or best == "vps":
        return Detection(None, score, margin, "ambiguous", candidates, against=hint)
    if found[best][1] < EVIDENCE:
        return Detection(None, score, margin, "short", candidates, against=hint)
    if _strays(raw, best):
        return Detection(None, score, margin, "mixed", candidates, against=hint)
    return Detection(best, score, margin, "syllables", candidates, words=found[best][1], against=hint)


def _apart(text: str, other: str, mixed: bool, other_mixed: bool) -> float:
    """The lead of one reading among the different words that another reads otherwise; 0 unless it is beyond doubt."""
    words, others = _WORD.findall(text), _WORD.findall(other)
    if len(words) != len(others):
        return 0.0
    pairs = {(a, b) for a, b in zip(words, others, strict=True) if a != b}
    gain = sum(_credit(a.strip(_EDGE), mixed) - _credit(b.strip(_EDGE), other_mixed) for a, b in pairs)
    return gain / len(pairs) if pairs and gain >= 1.0 and gain >= ENOUGH * len(pairs) else 0.0


def _lines(raw: bytes) -> Iterator[bytes]:
    return (line for line in raw.split(b"\n") if not line.isascii())


def _strays(raw: bytes, encoding: str) -> bool:
    """Whether a long line is no Vietnamese in the encoding of all, but clearly is in another."""
    if raw.count(b"\n") < 1:
        return False
    for line in _lines(raw):
        score, _, total, _ = _weighed(strictly(line, encoding), encoding == "tcvn3")
        if total >= _LONG_LINE and score < ENOUGH:
            name, other = _alone(line)
            if name is not None and name != encoding and other - score >= 2 * AHEAD:
                return True
    return False


def _of_several(raw: bytes) -> bool:
    """Whether no reading is right for all because lines are in two or more encodings."""
    return len({_alone(line)[0] for line in list(_lines(raw))[:200]} - {None}) > 1


def _alone(line: bytes) -> tuple[str | None, float]:
    """What one line is in for itself, `utf-8` too, and its score."""
    try:
        score = share(line.decode())
        return ("utf-8" if score >= ENOUGH else None), score
    except UnicodeDecodeError:
        pass
    scores = sorted((share(strictly(line, encoding), mixed=encoding == "tcvn3"), encoding) for encoding in LEGACY)
    (second, _), (first, name) = scores[-2:]
    return (name if first >= ENOUGH and first - second >= AHEAD and name != "vps" else None), first


def _broken(raw: bytes) -> Detection | None:
    """UTF-8 with a few bytes that are none."""
    text = raw.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    good = sum(not char.isascii() for char in text) - bad
    score = share(text)
    if good < 4 * bad or score < ENOUGH:
        return None
    return Detection(None, score, 0.0, "damaged", (("utf-8", round(score, 3)),))


def _undone(text: str, score: float, times: int = 1) -> Detection | None:
    """Text that was shown as CP1252 before it was written as UTF-8; only where undoing it makes clear Vietnamese."""
    raw = shown(text)
    if raw is None or raw.isascii():
        return None
    try:
        again = raw.decode()
    except UnicodeDecodeError:
        found = _legacy(raw, None, None)
        if found.encoding is None or strictly(raw, found.encoding) == unicodedata.normalize("NFC", text):
            return None
        known, total = _weighed(text)[1:3]
        if found.score - score < 2 * AHEAD or (known and total < _LONG_LINE):
            return None
        return replace(found, method="undone", undo=times)
    now, words, _, _ = _weighed(again)
    if now >= ENOUGH:
        composed = unicodedata.is_normalized("NFC", again)
        return Detection("utf-8", now, now - score, "undone", undo=times, words=words, composed=composed)
    return _undone(again, max(score, now), times + 1) if times < _MOST_UNDOING else None


def _clean(piece: bytes) -> bytes:
    """A piece of a bigger text without the words cut at its ends."""
    first, last = piece.find(b" "), piece.rfind(b" ")
    return piece[first + 1 : last] if 0 <= first < last else piece
