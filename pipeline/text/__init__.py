"""Vietnamese text in old encodings, seen for what it is and turned into Unicode; imports nothing of this project."""

from .conversion import Converted, Decoder, Unmapped, convert, transcoded
from .detection import Detection, Examiner, detect, detect_stream, share
from .encodings import LEGACY, READABLE, WRITABLE, capitals, decode, encode, lost
from .fonts import font_encoding
from .surface import restored, shown

__all__ = [
    "LEGACY",
    "READABLE",
    "WRITABLE",
    "Converted",
    "Decoder",
    "Detection",
    "Examiner",
    "Unmapped",
    "capitals",
    "convert",
    "decode",
    "detect",
    "detect_stream",
    "encode",
    "font_encoding",
    "lost",
    "restored",
    "share",
    "shown",
    "transcoded",
]
