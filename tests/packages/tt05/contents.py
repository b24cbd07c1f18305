"""Bytes of documents that are no PDF: pictures, sound, text, the same on every run."""

from __future__ import annotations

import io
import zipfile
from functools import cache

from PIL import Image


@cache
def picture(shade: int, kind: str = "jpeg", dpi: int = 300, mode: str = "RGB") -> bytes:
    """A small picture that says its resolution."""
    out = io.BytesIO()
    colour = (shade, 90, 120) if mode == "RGB" else shade
    Image.new(mode, (64, 48), colour).save(out, kind, dpi=(dpi, dpi))
    return out.getvalue()


@cache
def sound(seed: int, rate: int = 128) -> bytes:
    """Two seconds of MPEG-1 layer III, 44.1 kHz, at a constant rate in kbit/s: silence."""
    index = {64: 5, 96: 7, 128: 9, 192: 11}[rate]
    head = bytes((0xFF, 0xFB, index << 4, 0xC4))
    size = 144_000 * rate // 44_100
    tag = b"ID3\x03\x00\x00\x00\x00\x00\x0bTSSE\x00\x00\x00\x01\x00\x00" + bytes((seed % 26 + 97,))
    tag = tag[:9] + bytes((len(tag) - 10,)) + tag[10:]
    return tag + (head + bytes(size - 4)) * 77


@cache
def wave(seed: int) -> bytes:
    """A second of uncompressed silence."""
    data = bytes((seed % 2,)) + bytes(15_999)
    form = b"fmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00"
    body = b"WAVE" + form + b"data" + len(data).to_bytes(4, "little") + data
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def text(number: int) -> bytes:
    return f"Văn bản thử nghiệm số {number}.\nNơi nhận: lưu trữ.\n".encode()


@cache
def docx(number: int) -> bytes:
    """The smallest document that word processors open."""
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default '
        'Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override '
        'PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.'
        'document.main+xml"/></Types>',
        "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
        'officeDocument" Target="word/document.xml"/></Relationships>',
        "word/document.xml": '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        f"<w:body><w:p><w:r><w:t>Tờ trình số {number}</w:t></w:r></w:p></w:body></w:document>",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            archive.writestr(info, '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + content)
    return out.getvalue()
