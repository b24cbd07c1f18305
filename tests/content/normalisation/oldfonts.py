"""Office files in fonts of old encodings, written by hand from Unicode text that is known."""
# ruff: noqa: E501  # XML by hand

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from pipeline.text import encode

_W: Final = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_S: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_A: Final = "http://schemas.openxmlformats.org/drawingml/2006/main"
_P: Final = "http://schemas.openxmlformats.org/presentationml/2006/main"
_R: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

LETTERS: Final = (
    "á à ả ã ạ ă ắ ằ ẳ ẵ ặ â ấ ầ ẩ ẫ ậ é è ẻ ẽ ẹ ê ế ề ể ễ ệ í ì ỉ ĩ ị ó ò ỏ õ ọ ô ố ồ ổ ỗ ộ ơ ớ ờ ở ỡ ợ ú ù ủ ũ ụ "
    "ư ứ ừ ử ữ ự ý ỳ ỷ ỹ ỵ đ Ă Â Ê Ô Ơ Ư Đ"
)
"""Every letter of TCVN3."""


@dataclass(frozen=True, slots=True)
class Old:
    """An old encoding as office files carry it; `capitals` is the font that shows small letters as capitals."""

    encoding: str
    font: str
    sans: str
    capitals: str | None

    def __call__(self, text: str) -> str:
        """Text as such a file holds it: the bytes, taken for CP1252."""
        return shown(encode(text, self.encoding))

    def title(self, text: str) -> tuple[str, str]:
        """(font, text as the file holds it) of text in capitals."""
        if self.capitals is None:
            return self.font, self(text)
        return self.capitals, "".join(one if one.isascii() else self(one.lower()) for one in text)


TCVN3: Final = Old("tcvn3", ".VnTime", ".VnArial", ".VnTimeH")
VNI: Final = Old("vni", "VNI-Times", "VNI-Helve", None)


def shown(raw: bytes) -> str:
    """As CP1252 shows bytes."""
    return "".join(bytes([one]).decode("cp1252", "ignore") or chr(one) for one in raw)


def packed(target: Path, parts: dict[str, str], types: dict[str, str]) -> Path:
    """A package of parts; `types` are content types by part, the others are XML or relationships."""
    overrides = "".join(f'<Override PartName="/{name}" ContentType="{kind}"/>' for name, kind in types.items())
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr(
            "[Content_Types].xml",
            f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
            f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>',
        )
        for name, text in parts.items():
            written.writestr(name, _HEAD + text)
    return target


def relations(*targets: tuple[str, str]) -> str:
    """(type, target), numbered rId1 and so on."""
    kinds = {"core-properties": f"{_PACKAGE}/relationships/metadata/core-properties"}
    return f'<Relationships xmlns="{_PACKAGE}/relationships">' + "".join(
        f'<Relationship Id="rId{number}" Type="{kinds.get(kind, f"{_R}/{kind}")}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    ) + "</Relationships>"  # fmt: skip


def core(title: str) -> str:
    return (
        f'<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{escape(title)}</dc:title>'
        "<dc:creator>Office 97</dc:creator></cp:coreProperties>"
    )


def run(text: str, font: str = "", properties: str = "") -> str:
    fonts = f'<w:rFonts w:ascii="{font}" w:hAnsi="{font}" w:cs="{font}"/>' if font else ""
    return f'<w:r><w:rPr>{properties}{fonts}</w:rPr><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def paragraph(*runs: str, style: str = "", more: str = "") -> str:
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    return f"<w:p><w:pPr>{named}{more}</w:pPr>{''.join(runs)}</w:p>"


WORD_TEXTS: Final = {
    "direct": "Căn cứ Luật Tổ chức Hội đồng nhân dân và Ủy ban nhân dân;",
    "inherited": "Điều 2. Giao Trung tâm Lưu trữ tỉnh tổ chức thu thập, chỉnh lý tài liệu.",
    "character": "theo đúng quy định của pháp luật",
    "title": "QUYẾT ĐỊNH CỦA ỦY BAN NHÂN DÂN TỈNH",
    "cell": "Hồ sơ về việc cấp đất thổ cư",
    "header": "Trung tâm Lưu trữ quốc gia",
    "footer": "Lưu: Văn thư, nghiệp vụ",
    "footnote": "Theo tờ trình của Giám đốc sở",
    "endnote": "Xem phụ lục kèm theo quyết định",
    "comment": "Cần kiểm tra lại số liệu",
    "box": "Văn bản trong khung chữ",
    "shape": "Chữ nằm trong hình vẽ",
    "list": "Phê duyệt danh mục hồ sơ",
    "deleted": "đoạn này đã bị xóa bỏ",
    "inserted": "đoạn này được thêm vào",
    "link": "đường dẫn tới văn bản",
    "control": "nội dung của ô nhập",
    "unicode": "Chữ này đã là Unicode: ngày tháng năm, người ký",
}
"""Text by the place of a Word document in which it stands."""


def word(target: Path, old: Old, *, title: str = "Quyết định phê duyệt danh mục hồ sơ lưu trữ") -> Path:
    """A Word document with text in an old encoding in every place that has a font, and some Unicode."""
    texts, font = WORD_TEXTS, old.font

    def legacy(key: str) -> str:
        text = texts[key]
        if old.encoding == "tcvn3":
            text = text.replace("Ủ", "ủ")  # TCVN3 has no capitals with a tone
        return old(text)

    def piece(key: str) -> str:
        return run(legacy(key), font)

    capital_font, capital_text = old.title(texts["title"])
    direct = legacy("direct")
    cut = direct.index("d") + 3  # inside a syllable, with VNI between a letter and its mark
    shape = (
        '<w:r><w:pict xmlns:v="urn:schemas-microsoft-com:vml"><v:shape style="width:200pt;height:40pt" '
        'type="#_x0000_t202"><v:textbox><w:txbxContent>{}</w:txbxContent></v:textbox></v:shape></w:pict></w:r>'
    )
    drawing = (
        '<w:r><w:drawing><wp:inline xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing">'
        '<wp:extent cx="2000000" cy="500000"/><wp:docPr id="7" name="x"/>'
        f'<a:graphic xmlns:a="{_A}"><a:graphicData uri="http://schemas.microsoft.com/office/word/2010/wordprocessingShape">'
        '<wps:wsp xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><wps:cNvSpPr/><wps:spPr>'
        '<a:xfrm><a:off x="0" y="0"/><a:ext cx="2000000" cy="500000"/></a:xfrm><a:prstGeom prst="ellipse"><a:avLst/>'
        "</a:prstGeom></wps:spPr><wps:txbx><w:txbxContent>{}</w:txbxContent></wps:txbx><wps:bodyPr/></wps:wsp>"
        "</a:graphicData></a:graphic></wp:inline></w:drawing></w:r>"
    )
    body = [
        paragraph(run(capital_text, capital_font)),
        paragraph(run(direct[:cut], font), run(direct[cut:], font, "<w:b/>")),
        paragraph(run(old(LETTERS), old.sans)),
        paragraph(run(legacy("inherited")), style="Derived"),
        paragraph(run(legacy("character"), properties='<w:rStyle w:val="Marked"/>'),
                  run(" — "), run(texts["unicode"], "Times New Roman")),  # fmt: skip
        f"<w:tbl><w:tblPr/><w:tblGrid><w:gridCol/></w:tblGrid><w:tr><w:tc>{paragraph(piece('cell'))}</w:tc></w:tr></w:tbl>",
        paragraph(run("x", font), '<w:r><w:footnoteReference w:id="2"/></w:r>', '<w:r><w:endnoteReference w:id="2"/></w:r>',
                  '<w:commentRangeStart w:id="1"/>', run("y", font), '<w:commentRangeEnd w:id="1"/>',
                  '<w:r><w:commentReference w:id="1"/></w:r>'),  # fmt: skip
        paragraph(shape.format(paragraph(piece("box")))),
        paragraph(drawing.format(paragraph(piece("shape")))),
        paragraph(piece("list"), more='<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'),
        paragraph(
            f'<w:del w:id="8" w:author="Office 97" w:date="1998-08-15T00:00:00Z"><w:r><w:rPr><w:rFonts w:ascii="{font}" '
            f'w:hAnsi="{font}"/></w:rPr><w:delText xml:space="preserve">{escape(legacy("deleted"))}</w:delText></w:r></w:del>',
            f'<w:ins w:id="9" w:author="Office 97" w:date="1998-08-15T00:00:00Z">{piece("inserted")}</w:ins>',
        ),
        paragraph(f'<w:hyperlink w:anchor="here">{piece("link")}</w:hyperlink>'),
        f"<w:sdt><w:sdtPr><w:text/></w:sdtPr><w:sdtContent>{paragraph(piece('control'))}</w:sdtContent></w:sdt>",
    ]  # fmt: skip
    section = (
        '<w:sectPr><w:headerReference w:type="default" r:id="rId1"/><w:footerReference w:type="default" r:id="rId2"/>'
        "</w:sectPr>"
    )
    spaces = f'xmlns:w="{_W}" xmlns:r="{_R}"'
    notes = "".join(
        f'<w:{{0}} w:id="{number}" w:type="{kind}"><w:p><w:r><w:{kind}/></w:r></w:p></w:{{0}}>'
        for number, kind in enumerate(("separator", "continuationSeparator"))
    )
    parts = {
        "_rels/.rels": relations(("officeDocument", "word/document.xml"), ("core-properties", "docProps/core.xml")),
        "docProps/core.xml": core(old(title)),
        "word/_rels/document.xml.rels": relations(
            ("header", "header1.xml"), ("footer", "footer1.xml"), ("footnotes", "footnotes.xml"),
            ("endnotes", "endnotes.xml"), ("comments", "comments.xml"), ("styles", "styles.xml"),
            ("numbering", "numbering.xml"),
        ),
        "word/document.xml": f"<w:document {spaces}><w:body>{''.join(body)}{section}</w:body></w:document>",
        "word/header1.xml": f"<w:hdr {spaces}>{paragraph(piece('header'))}</w:hdr>",
        "word/footer1.xml": f"<w:ftr {spaces}>{paragraph(piece('footer'))}</w:ftr>",
        "word/footnotes.xml": f"<w:footnotes {spaces}>{notes.format('footnote')}"
                              f'<w:footnote w:id="2">{paragraph(piece("footnote"))}</w:footnote></w:footnotes>',
        "word/endnotes.xml": f"<w:endnotes {spaces}>{notes.format('endnote')}"
                             f'<w:endnote w:id="2">{paragraph(piece("endnote"))}</w:endnote></w:endnotes>',
        "word/comments.xml": f'<w:comments {spaces}><w:comment w:id="1" w:author="Office 97">'
                             f"{paragraph(piece('comment'))}</w:comment></w:comments>",
        "word/numbering.xml": f'<w:numbering {spaces}><w:abstractNum w:abstractNumId="1"><w:lvl w:ilvl="0"><w:start w:val="1"/>'
                              f'<w:numFmt w:val="decimal"/><w:lvlText w:val="{old("Điều")} %1."/></w:lvl></w:abstractNum>'
                              '<w:num w:numId="1"><w:abstractNumId w:val="1"/></w:num></w:numbering>',
        "word/styles.xml": f'<w:styles {spaces}><w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii="Times New Roman" '
                           'w:hAnsi="Times New Roman"/></w:rPr></w:rPrDefault></w:docDefaults>'
                           '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style>'
                           f'<w:style w:type="paragraph" w:styleId="Base"><w:name w:val="Base"/><w:rPr><w:rFonts w:ascii="{font}" '
                           f'w:hAnsi="{font}"/></w:rPr></w:style><w:style w:type="paragraph" w:styleId="Derived">'
                           '<w:name w:val="Derived"/><w:basedOn w:val="Base"/><w:rPr><w:i/></w:rPr></w:style>'
                           f'<w:style w:type="character" w:styleId="Marked"><w:name w:val="Marked"/><w:rPr><w:rFonts w:ascii="{font}" '
                           f'w:hAnsi="{font}"/></w:rPr></w:style></w:styles>',
    }  # fmt: skip
    kinds = ("document.main", "header", "footer", "footnotes", "endnotes", "comments", "numbering", "styles")
    names = ("document", "header1", "footer1", "footnotes", "endnotes", "comments", "numbering", "styles")
    types = {
        f"word/{name}.xml": f"{_OFFICE}.wordprocessingml.{kind}+xml" for name, kind in zip(names, kinds, strict=True)
    }
    types["docProps/core.xml"] = "application/vnd.openxmlformats-package.core-properties+xml"
    return packed(target, parts, types)


SHEET_TEXTS: Final = {
    "cell": "Sổ đăng bộ điền thổ xã Mẫu",
    "column": "Bản đồ địa chính huyện",
    "rich": "Tổng số tờ của hồ sơ",
    "result": "Tổng cộng: hồ sơ lưu trữ",
    "comment": "Số liệu chưa được kiểm tra",
    "header": "Danh mục hồ sơ nộp lưu",
    "unicode": "Ghi chú này đã là Unicode",
    "box": "Chữ trong hình của bảng tính",
}


def sheet(target: Path, old: Old, *, title: str = "Danh mục hồ sơ nộp lưu năm") -> Path:
    """A workbook with text in an old encoding in cells, columns, rich text, results, formats, notes, shapes, headers."""
    texts, font = SHEET_TEXTS, old.font
    strings = [f"<si><t>{escape(old(texts['cell']))}</t></si>", f"<si><t>{escape(old(texts['column']))}</t></si>",
               (f'<si><r><rPr><rFont val="Arial"/></rPr><t xml:space="preserve">Unicode: </t></r><r><rPr><rFont val="{font}"/></rPr>'
               f"<t>{escape(old(texts['rich']))}</t></r></si>"), f"<si><t>{escape(texts['unicode'])}</t></si>"]  # fmt: skip
    formula = f'"{old("Tổng cộng: ")}"&amp;"{old("hồ sơ lưu trữ")}"'
    rows = (
        '<row r="1"><c r="A1" s="1" t="s"><v>0</v></c><c r="B1" t="s"><v>2</v></c><c r="C1" s="2" t="s"><v>1</v></c></row>'
        f'<row r="2"><c r="A2" s="1" t="str"><f>{formula}</f><v>{escape(old(texts["result"]))}</v></c>'
        '<c r="B2" t="s"><v>3</v></c><c r="C2" s="3"><v>1250</v></c></row>'
    )
    spaces = f'xmlns="{_S}" xmlns:r="{_R}"'
    drawing = (
        '<xdr:wsDr xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing" '
        f'xmlns:a="{_A}"><xdr:twoCellAnchor><xdr:from><xdr:col>4</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>4</xdr:row>'
        "<xdr:rowOff>0</xdr:rowOff></xdr:from><xdr:to><xdr:col>7</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>9</xdr:row>"
        '<xdr:rowOff>0</xdr:rowOff></xdr:to><xdr:sp><xdr:nvSpPr><xdr:cNvPr id="2" name="x"/><xdr:cNvSpPr/></xdr:nvSpPr><xdr:spPr>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></xdr:spPr><xdr:txBody><a:bodyPr/><a:p>'
        f"{_letters(old(texts['box']), font)}</a:p></xdr:txBody></xdr:sp><xdr:clientData/></xdr:twoCellAnchor></xdr:wsDr>"
    )
    parts = {
        "_rels/.rels": relations(("officeDocument", "xl/workbook.xml"), ("core-properties", "docProps/core.xml")),
        "docProps/core.xml": core(old(title)),
        "xl/_rels/workbook.xml.rels": relations(("worksheet", "worksheets/sheet1.xml"), ("styles", "styles.xml"),
                                                ("sharedStrings", "sharedStrings.xml")),
        "xl/worksheets/_rels/sheet1.xml.rels": relations(("comments", "../comments1.xml"), ("drawing", "../drawings/drawing1.xml")),
        "xl/drawings/drawing1.xml": drawing,
        "xl/workbook.xml": f'<workbook {spaces}><sheets><sheet name="{escape(old("Tổng hợp"))}" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/worksheets/sheet1.xml": f'<worksheet {spaces}><cols><col min="3" max="3" width="20" style="2"/></cols><sheetData>{rows}</sheetData>'
                                    f'<headerFooter><oddHeader>&amp;C&amp;"{font},Regular"{escape(old(texts["header"]))}</oddHeader></headerFooter>'
                                    '<drawing r:id="rId2"/></worksheet>',
        "xl/comments1.xml": f'<comments {spaces}><authors><author>x</author></authors><commentList><comment ref="A1" authorId="0"><text><r>'
                            f'<rPr><rFont val="{font}"/></rPr><t>{escape(old(texts["comment"]))}</t></r></text></comment></commentList></comments>',
        "xl/sharedStrings.xml": f'<sst {spaces}>{"".join(strings)}</sst>',
        "xl/styles.xml": f'<styleSheet {spaces}><numFmts count="1"><numFmt numFmtId="170" formatCode="#,##0&quot; {old("đồng")}&quot;"/></numFmts>'
                         f'<fonts><font><sz val="11"/><name val="Arial"/></font><font><sz val="11"/><name val="{font}"/></font>'
                         f'<font><sz val="11"/><name val="{old.sans}"/></font></fonts><fills><fill/></fills><borders><border/></borders>'
                         '<cellStyleXfs><xf fontId="0"/></cellStyleXfs><cellXfs><xf fontId="0"/><xf fontId="1" applyFont="1"/>'
                         '<xf fontId="2" applyFont="1"/><xf fontId="1" numFmtId="170" applyFont="1" applyNumberFormat="1"/></cellXfs></styleSheet>',
    }  # fmt: skip
    kinds = {"xl/workbook.xml": "sheet.main", "xl/worksheets/sheet1.xml": "worksheet", "xl/styles.xml": "styles",
             "xl/sharedStrings.xml": "sharedStrings", "xl/comments1.xml": "comments"}  # fmt: skip
    types = {name: f"{_OFFICE}.spreadsheetml.{kind}+xml" for name, kind in kinds.items()}
    types["xl/drawings/drawing1.xml"] = f"{_OFFICE}.drawing+xml"
    types["docProps/core.xml"] = "application/vnd.openxmlformats-package.core-properties+xml"
    return packed(target, parts, types)


def _letters(text: str, font: str = "") -> str:
    face = f'<a:latin typeface="{font}"/>' if font else ""
    return f'<a:r><a:rPr lang="en-US">{face}</a:rPr><a:t>{escape(text)}</a:t></a:r>'


SLIDE_TEXTS: Final = {
    "title": "Báo cáo công tác văn thư",
    "first": "Tình hình quản lý tài liệu",
    "second": "Số hồ sơ đã chỉnh lý trong năm",
    "shape": "Chữ trong hình trên trang",
    "cell": "Số tờ của từng hồ sơ",
    "notes": "Lời thuyết minh cho trang này",
    "footer": "Trung tâm Lưu trữ tỉnh",
    "unicode": "Dòng này đã là Unicode, người trình bày",
}


def slides(target: Path, old: Old, *, title: str = "Báo cáo công tác văn thư lưu trữ") -> Path:
    """A presentation whose fonts stand at the run, at the level of a placeholder, in the master and in the theme."""
    texts, font = SLIDE_TEXTS, old.font
    spaces = f'xmlns:a="{_A}" xmlns:r="{_R}" xmlns:p="{_P}"'
    group = '<p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>'

    def shape(number: int, placeholder: str, *paragraphs: str, place: int = 0) -> str:
        geometry = (f'<a:xfrm><a:off x="500000" y="{place}"/><a:ext cx="8000000" cy="900000"/></a:xfrm>'
                    '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom>')  # fmt: skip
        return (
            f'<p:sp><p:nvSpPr><p:cNvPr id="{number}" name="x{number}"/><p:cNvSpPr/><p:nvPr>{placeholder}</p:nvPr></p:nvSpPr>'
            f"<p:spPr>{geometry}</p:spPr><p:txBody><a:bodyPr/><a:lstStyle/>{''.join(paragraphs)}</p:txBody></p:sp>"
        )

    def line(*runs: str, level: int = 0) -> str:
        return f'<a:p><a:pPr lvl="{level}"/>{"".join(runs)}</a:p>'

    table = (
        '<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="9" name="t"/><p:cNvGraphicFramePr/><p:nvPr/></p:nvGraphicFramePr>'
        '<p:xfrm><a:off x="500000" y="4500000"/><a:ext cx="3000000" cy="400000"/></p:xfrm><a:graphic><a:graphicData '
        'uri="http://schemas.openxmlformats.org/drawingml/2006/table"><a:tbl><a:tblPr/><a:tblGrid><a:gridCol w="3000000"/></a:tblGrid>'
        f'<a:tr h="400000"><a:tc><a:txBody><a:bodyPr/><a:p>{_letters(old(texts["cell"]), font)}</a:p></a:txBody><a:tcPr/></a:tc></a:tr>'
        "</a:tbl></a:graphicData></a:graphic></p:graphicFrame>"
    )
    slide = (
        shape(2, '<p:ph type="title"/>', line(_letters(old(texts["title"]))), place=100000)
        + shape(3, '<p:ph type="body" idx="1"/>', line(_letters(old(texts["first"]))),
                line(_letters(old(texts["second"])), level=1), place=1200000)
        + shape(4, "", line(_letters(old(texts["shape"]), font)), line(_letters(texts["unicode"], "Arial")), place=2500000)
        + shape(5, '<p:ph type="ftr" idx="3"/>', line(_letters(old(texts["footer"]), font)), place=5500000)
        + table
    )  # fmt: skip
    levels = "".join(
        f'<a:lvl{number}pPr><a:defRPr sz="2400"><a:latin typeface="{old.sans}"/></a:defRPr></a:lvl{number}pPr>'
        for number in (1, 2)
    )
    bare = "<a:lvl1pPr><a:defRPr/></a:lvl1pPr>"
    tree = f"<p:cSld><p:spTree>{group}{{}}</p:spTree></p:cSld>"
    holders = shape(2, '<p:ph type="title"/>', line(), place=100000) + shape(3, '<p:ph type="body" idx="1"/>', line(),
                                                                             place=1200000)  # fmt: skip
    colours = ('<p:clrMap bg1="lt1" tx1="dk1" bg2="lt2" tx2="dk2" accent1="accent1" accent2="accent2" accent3="accent3" '
               'accent4="accent4" accent5="accent5" accent6="accent6" hlink="hlink" folHlink="folHlink"/>')  # fmt: skip
    scheme = "".join(
        f'<a:{name}><a:srgbClr val="{value}"/></a:{name}>'
        for name, value in {"dk1": "000000", "lt1": "FFFFFF", "dk2": "333333", "lt2": "EEEEEE", "accent1": "4472C4",
                            "accent2": "ED7D31", "accent3": "A5A5A5", "accent4": "FFC000", "accent5": "5B9BD5",
                            "accent6": "70AD47", "hlink": "0563C1", "folHlink": "954F72"}.items()
    )  # fmt: skip
    fill = '<a:solidFill><a:schemeClr val="phClr"/></a:solidFill>' * 3
    theme = (
        f'<a:theme xmlns:a="{_A}" name="t"><a:themeElements><a:clrScheme name="c">{scheme}</a:clrScheme><a:fontScheme name="f">'
        f'<a:majorFont><a:latin typeface="{font}"/><a:ea typeface=""/><a:cs typeface=""/></a:majorFont><a:minorFont>'
        '<a:latin typeface="Arial"/><a:ea typeface=""/><a:cs typeface=""/></a:minorFont></a:fontScheme><a:fmtScheme name="m">'
        f"<a:fillStyleLst>{fill}</a:fillStyleLst><a:lnStyleLst>{'<a:ln/>' * 3}</a:lnStyleLst><a:effectStyleLst>"
        f"{'<a:effectStyle><a:effectLst/></a:effectStyle>' * 3}</a:effectStyleLst><a:bgFillStyleLst>{fill}</a:bgFillStyleLst>"
        "</a:fmtScheme></a:themeElements></a:theme>"
    )
    parts = {
        "_rels/.rels": relations(("officeDocument", "ppt/presentation.xml"), ("core-properties", "docProps/core.xml")),
        "docProps/core.xml": core(old(title)),
        "ppt/_rels/presentation.xml.rels": relations(("slideMaster", "slideMasters/slideMaster1.xml"), ("slide", "slides/slide1.xml"),
                                                     ("notesMaster", "notesMasters/notesMaster1.xml")),
        "ppt/presentation.xml": f'<p:presentation {spaces}><p:sldMasterIdLst><p:sldMasterId id="2147483648" r:id="rId1"/></p:sldMasterIdLst>'
                                '<p:notesMasterIdLst><p:notesMasterId r:id="rId3"/></p:notesMasterIdLst><p:sldIdLst><p:sldId id="256" r:id="rId2"/>'
                                '</p:sldIdLst><p:sldSz cx="9144000" cy="6858000"/><p:notesSz cx="6858000" cy="9144000"/></p:presentation>',
        "ppt/slides/_rels/slide1.xml.rels": relations(("slideLayout", "../slideLayouts/slideLayout1.xml"),
                                                      ("notesSlide", "../notesSlides/notesSlide1.xml")),
        "ppt/slides/slide1.xml": f"<p:sld {spaces}>{tree.format(slide)}</p:sld>",
        "ppt/slideLayouts/_rels/slideLayout1.xml.rels": relations(("slideMaster", "../slideMasters/slideMaster1.xml")),
        "ppt/slideLayouts/slideLayout1.xml": f'<p:sldLayout {spaces} type="obj">{tree.format(holders)}</p:sldLayout>',
        "ppt/slideMasters/_rels/slideMaster1.xml.rels": relations(("slideLayout", "../slideLayouts/slideLayout1.xml"),
                                                                  ("theme", "../theme/theme1.xml")),
        "ppt/slideMasters/slideMaster1.xml": f"<p:sldMaster {spaces}>{tree.format(holders)}{colours}"
                                             '<p:sldLayoutIdLst><p:sldLayoutId id="2147483649" r:id="rId1"/></p:sldLayoutIdLst><p:txStyles>'
                                             '<p:titleStyle><a:lvl1pPr><a:defRPr sz="4000"><a:latin typeface="+mj-lt"/></a:defRPr></a:lvl1pPr></p:titleStyle>'
                                             f"<p:bodyStyle>{levels}</p:bodyStyle><p:otherStyle>{bare}</p:otherStyle></p:txStyles></p:sldMaster>",
        "ppt/notesMasters/_rels/notesMaster1.xml.rels": relations(("theme", "../theme/theme2.xml")),
        "ppt/notesMasters/notesMaster1.xml": f"<p:notesMaster {spaces}>{tree.format('')}{colours}</p:notesMaster>",
        "ppt/notesSlides/_rels/notesSlide1.xml.rels": relations(("notesMaster", "../notesMasters/notesMaster1.xml"),
                                                                ("slide", "../slides/slide1.xml")),
        "ppt/notesSlides/notesSlide1.xml": f"<p:notes {spaces}>"
                                           + tree.format(shape(2, '<p:ph type="body" idx="1"/>', line(_letters(old(texts["notes"]), font)))) + "</p:notes>",
        "ppt/theme/theme1.xml": theme,
        "ppt/theme/theme2.xml": theme,
    }  # fmt: skip
    kinds = {"presentation.xml": "presentation.main", "slides/slide1.xml": "slide", "slideLayouts/slideLayout1.xml": "slideLayout",
             "slideMasters/slideMaster1.xml": "slideMaster", "notesMasters/notesMaster1.xml": "notesMaster",
             "notesSlides/notesSlide1.xml": "notesSlide"}  # fmt: skip
    types = {f"ppt/{name}": f"{_OFFICE}.presentationml.{kind}+xml" for name, kind in kinds.items()}
    types |= {f"ppt/theme/theme{number}.xml": f"{_OFFICE}.theme+xml" for number in (1, 2)}
    types["docProps/core.xml"] = "application/vnd.openxmlformats-package.core-properties+xml"
    return packed(target, parts, types)


_SPACES: Final = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in {"office": "office", "style": "style", "text": "text", "table": "table", "draw": "drawing", "number":
                         "datastyle", "fo": "xsl-fo-compatible", "svg": "svg-compatible", "chart": "chart", "meta": "meta",
                         "manifest": "manifest", "form": "form"}.items()
) + ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xlink="http://www.w3.org/1999/xlink"'  # fmt: skip


def document(
    body: str,
    *,
    fonts: dict[str, str] | None = None,
    faces: dict[str, str] | None = None,
    styles: str = "",
    family: str = "",
    kind: str = "text",
    meta: dict[str, str] | None = None,
    more: dict[str, bytes] | None = None,
    prologue: str = "",
) -> io.BytesIO:
    """An OpenDocument text by hand. `fonts`: styles by name with their font (of both kinds unless `family` says one);
    `faces`: declarations by name; `styles`: common ones as XML; `more`: further members.
    """
    families = (family,) if family else ("paragraph", "text")
    automatic = "".join(
        f'<style:style style:name="{name}" style:family="{one}"><style:text-properties style:font-name="{name}"/></style:style>'
        for name in fonts or {}
        for one in families
    )
    declared = "".join(
        f'<style:font-face style:name="{name}" svg:font-family="{font}"/>'
        for name, font in ((fonts or {}) | (faces or {})).items()
    )
    declared = f"<office:font-face-decls>{declared}</office:font-face-decls>"
    content = (
        f"{prologue}<office:document-content {_SPACES}>{declared}<office:automatic-styles>{automatic}</office:automatic-styles>"
        f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    )
    told = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in (meta or {}).items())
    parts: dict[str, bytes] = {
        "content.xml": content.encode(),
        "styles.xml": f"<office:document-styles {_SPACES}>{declared}{styles}</office:document-styles>".encode(),
        "meta.xml": f"<office:document-meta {_SPACES}><office:meta>{told}</office:meta></office:document-meta>".encode(),
        **(more or {}),
    }
    ole = 'manifest:media-type="application/vnd.sun.star.oleobject"'
    entries = "".join(
        f'<manifest:file-entry manifest:full-path="{name}" {ole if name == "Object 1" else ""}/>' for name in parts
    )
    parts["META-INF/manifest.xml"] = f"<manifest:manifest {_SPACES}>{entries}</manifest:manifest>".encode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as written:
        written.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}")
        for name, data in parts.items():
            written.writestr(name, data)
    target.seek(0)
    return target
