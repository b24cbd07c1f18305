"""Files of every family that tests make when they run: too big, or too many, to lie in the checkout."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import wave
import zipfile
from collections.abc import Callable
from pathlib import Path

import pikepdf

from pipeline.settings import PROJECT
from tests.content.normalisation.oldfonts import TCVN3, VNI, Old, sheet, slides, word

DATA = PROJECT / "tests" / "data"
WORDS = "Quyết định về việc phê duyệt danh mục hồ sơ lưu trữ của Ủy ban nhân dân tỉnh Ví Dụ, số 12 năm 2019.\n"
_SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=8000:duration=0.2")
_FILM = ("-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=0.5")
_SOURCE_OF_DV = ("-f", "lavfi", "-i", "testsrc=size=720x576:rate=25:duration=0.1")

FFMPEG: dict[str, tuple[str, ...]] = {
    "tone.aiff": (*_SOUND, "-c:a", "pcm_s16be"),
    "tone24.aiff": (*_SOUND, "-c:a", "pcm_s24be"),
    "tone.au": (*_SOUND, "-c:a", "pcm_s16be"),
    "tone.flac": (*_SOUND,),
    "tone.mp3": (*_SOUND, "-c:a", "libmp3lame", "-ar", "44100", "-b:a", "64k"),
    "tone.ogg": (*_SOUND, "-c:a", "libvorbis", "-ar", "44100"),
    "tone.opus": (*_SOUND, "-c:a", "libopus", "-ar", "48000"),
    "tone.wma": (*_SOUND, "-c:a", "wmav2", "-ar", "44100"),
    "tone.m4a": (*_SOUND, "-c:a", "aac", "-ar", "44100"),
    "tone.ra": (*_SOUND, "-c:a", "real_144", "-ac", "1", "-f", "rm"),
    "film.avi": (*_FILM, *_SOUND, "-c:v", "mpeg4", "-c:a", "pcm_s16le"),
    "camera.avi": (*_FILM, "-c:v", "mjpeg", "-pix_fmt", "yuvj420p"),
    "film.flv": (*_FILM, "-c:v", "flv1"),
    "film.dv": (*_SOURCE_OF_DV, "-c:v", "dvvideo", "-pix_fmt", "yuv420p"),
    "film.mov": (*_FILM, "-c:v", "mpeg4"),
    "film.mkv": (*_FILM, "-c:v", "ffv1", "-level", "3"),
    "film.webm": (*_FILM, "-c:v", "libvpx"),
    "film.wmv": (*_FILM, "-c:v", "wmv2"),
    "film.mpg": (*_FILM, "-r", "25", "-c:v", "mpeg2video"),
    "film.3gp": (*_FILM, "-vf", "scale=128:96", "-c:v", "h263"),
}
"""Sound and film: what follows `ffmpeg`; the ending says which container."""

VIPS: dict[str, tuple[str, ...]] = {
    "page.webp": ("copy", "{page}", "{out}"),
    "page.heic": ("copy", "{page}", "{out}"),
    "page.avif": ("copy", "{page}", "{out}"),
    "page.jpg": ("copy", "{page}", "{out}[Q=60]"),
    "grey.jpg": ("colourspace", "{page}", "{out}[Q=60]", "b-w"),
    "lzw.tif": ("copy", "{page}", "{out}[compression=lzw]"),
    "deflate.tif": ("copy", "{page}", "{out}[compression=deflate]"),
    "zstd.tif": ("copy", "{page}", "{out}[compression=zstd]"),
    "page.jp2": ("copy", "{page}", "{out}"),
}
"""Pictures: what follows `vips`; `{page}` is a small page."""


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=120)


def zipped(members: dict[str, bytes | str], *, stored: tuple[str, ...] = ()) -> bytes:
    """A zip; members named in `stored` are not compressed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            made.writestr(info, data)
    return out.getvalue()


def docx(
    body: str = WORDS, parts: dict[str, bytes | str] | None = None, relations: str = "", inside: str = ""
) -> bytes:
    """A Word file of the least parts that a program opens; `relations` of the document, `inside` its body."""
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    return zipped(
        {
            "[Content_Types].xml": f'<?xml version="1.0"?><Types xmlns="{package}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            '<Default Extension="png" ContentType="image/png"/>'
            f'<Override PartName="/word/document.xml" ContentType="{main}"/></Types>',
            "_rels/.rels": f'<?xml version="1.0"?><Relationships xmlns="{package}/relationships">'
            f'<Relationship Id="rId1" Type="{office}/officeDocument" Target="word/document.xml"/></Relationships>',
            "word/_rels/document.xml.rels": f'<?xml version="1.0"?><Relationships xmlns="{package}/relationships">'
            f"{relations}</Relationships>",
            "word/document.xml": f'<?xml version="1.0"?><w:document xmlns:w="{word}" xmlns:r="{office}"><w:body>'
            f"<w:p><w:r><w:t>{body}</w:t></w:r></w:p>{inside}</w:body></w:document>",
            **(parts or {}),
        }
    )


def epub(chapter: str = WORDS) -> bytes:
    """A book of one chapter, EPUB 3."""
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<?xml version="1.0"?><container version="1.0" '
            'xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="a.opf" '
            'media-type="application/oebps-package+xml"/></rootfiles></container>',
            "a.opf": '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0" '
            'unique-identifier="id"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">a'
            "</dc:identifier><dc:title>Sổ tay</dc:title><dc:language>vi</dc:language></metadata><manifest>"
            '<item id="c" href="c.xhtml" media-type="application/xhtml+xml"/></manifest>'
            '<spine><itemref idref="c"/></spine></package>',
            "c.xhtml": f'<html xmlns="http://www.w3.org/1999/xhtml"><body><p>{chapter}</p></body></html>',
        },
        stored=("mimetype",),
    )


def scan(picture: bytes) -> bytes:
    """A PDF whose one page is a JPEG."""
    with pikepdf.new() as made:
        page = made.add_blank_page(page_size=(300, 424))
        image = pikepdf.Stream(made, picture)
        image.Type, image.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
        image.Width, image.Height, image.BitsPerComponent = 300, 424, 8
        image.ColorSpace, image.Filter = pikepdf.Name.DeviceRGB, pikepdf.Name.DCTDecode
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=image))
        page.Contents = pikepdf.Stream(made, b"q 300 0 0 424 0 0 cm /Im0 Do Q")
        out = io.BytesIO()
        made.save(out, deterministic_id=True)
        return out.getvalue()


def sound(seconds: float = 0.1) -> bytes:
    """A WAVE of silence."""
    out = io.BytesIO()
    with wave.open(out, "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(2)
        made.setframerate(8000)
        made.writeframes(bytes(2 * round(8000 * seconds)))
    return out.getvalue()


def table() -> bytes:
    """A dBASE III table of one row."""
    head = struct.pack("<BBBBIHH20x", 3, 119, 1, 1, 1, 32 + 32 + 1, 11)
    field = struct.pack("<11scIBB14x", b"TEN", b"C", 0, 10, 0)
    return head + field + b"\r" + b" " + b"Ho so".ljust(10) + b"\x1a"


def svg(inside: str = "", more: str = "") -> bytes:
    """A drawing that says what it is."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" '
        f'xmlns:xlink="http://www.w3.org/1999/xlink" version="1.1" width="80" height="60" viewBox="0 0 80 60"{more}>'
        f'<rect width="80" height="60" fill="#fff"/><text x="4" y="30" font-size="10">Sơ đồ</text>{inside}</svg>\n'
    ).encode()


BYTES: dict[str, Callable[[], bytes]] = {
    "ascii.txt": lambda: b"So lieu thong ke nam 2019\r\n" * 20,
    "utf8.txt": lambda: WORDS.encode(),
    "utf16be.txt": lambda: b"\xfe\xff" + WORDS.encode("utf-16-be"),
    "cp1252.txt": lambda: "Le Ministère de l'Intérieur, à Hanoï, a été créé\n".encode("cp1252") * 3,
    "broken.txt": lambda: (WORDS * 3).encode()[:250] + b"\xff\xfe\xc3\n" + WORDS.encode(),
    "table.csv": lambda: "Số,Tên hồ sơ\n1,Hồ sơ đất đai\n".encode(),
    "record.json": lambda: json.dumps({"tên": "Hồ sơ", "số": 1}, ensure_ascii=False).encode(),
    "record.xml": lambda: '<?xml version="1.0" encoding="UTF-8"?>\n<hoso><ten>Hồ sơ đất đai</ten></hoso>\n'.encode(),
    "broken.xml": lambda: '<?xml version="1.0" encoding="UTF-8"?>\n<hoso><ten>Hồ sơ</hoso>\n'.encode(),
    "page.html": lambda: (
        f'<!DOCTYPE html>\n<html lang="vi"><head><meta charset="utf-8"><title>Tin</title></head>'
        f"<body><p>{WORDS}</p></body></html>\n".encode()
    ),
    "drawing.svg": svg,
    "book.epub": epub,
    "minimal.docx": docx,
    "hoso.dbf": table,
    "sound.wav": sound,
    "archive.zip": lambda: zipped({"a.txt": WORDS}),
    "noise.bin": lambda: bytes((7 * number * number + 13) % 251 for number in range(3000)),
    "empty.bin": lambda: b"",
    "blank.pdf": lambda: _blank(),
}
"""Files that Python writes."""


def _blank() -> bytes:
    with pikepdf.new() as made:
        made.add_blank_page()
        out = io.BytesIO()
        made.save(out, deterministic_id=True)
        return out.getvalue()


OLD: dict[str, tuple[Callable[[Path, Old], Path], Old]] = {
    "tcvn3.docx": (word, TCVN3),
    "vni.xlsx": (sheet, VNI),
    "tcvn3.pptx": (slides, TCVN3),
}
"""Office files in fonts of old encodings."""


def make(name: str, out: Path, scratch: Path) -> None:
    """Writes the file of this name: of one of the tables above, a part of another (`half NAME`), or a scan."""
    _, half, whole = name.rpartition("half ")
    made = scratch / whole
    page = scratch / "a small page.png"
    if not page.exists():
        _run("vips", "resize", DATA / "vietnamese" / "image" / "page.png", page, "0.3")
    if not made.exists():
        if whole in BYTES:
            made.write_bytes(BYTES[whole]())
        elif whole in OLD:
            write, old = OLD[whole]
            write(made, old)
        elif whole in FFMPEG:
            _run("ffmpeg", "-v", "error", "-y", *FFMPEG[whole], "-bitexact", made)
        elif whole.endswith((".pcx", ".psd")):
            _run("vips", "magicksave", page, made)
        elif whole == "scan.pdf":
            picture = scratch / "scan.jpg"
            _run("vips", "copy", DATA / "vietnamese" / "image" / "page.png", f"{picture}[Q=60]")
            made.write_bytes(scan(picture.read_bytes()))
        elif whole == "two.gif":
            _run("vips", "invert", page, scratch / "dark.png")
            _run("vips", "join", page, scratch / "dark.png", scratch / "two.v", "vertical")
            _run("vips", "gifsave", scratch / "two.v", made, "--page-height", "127")
        else:
            told = {"page": str(page), "out": str(made)}
            _run("vips", *(part.format(**told) for part in VIPS[whole]))
    data = made.read_bytes()
    out.write_bytes(data[: len(data) // 2] if half else data)
