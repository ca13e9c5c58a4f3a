"""Pieces of a Word document (WordprocessingML, ECMA-376 part 1) as text, so that a long table is written row by row.

Every text is escaped here and nowhere else. Lengths are millimetres; a file counts in twentieths of a point and in EMU.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from portalops.reports.document import Tone

FACE, CODE_FACE = "Arial", "Courier New"
"""Both are in every Word, and have every Vietnamese letter; LibreOffice takes Liberation Sans and Mono, which have their widths."""

BODY_POINTS, TABLE_POINTS, CODE_POINTS = 10.0, 8.5, 8.0

NAMESPACES = {
    "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "wp": "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
    "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
    "pic": "http://schemas.openxmlformats.org/drawingml/2006/picture",
    "asvg": "http://schemas.microsoft.com/office/drawing/2016/SVG/main",
}
"""The last is Microsoft's own ([MS-ODRAWXML], `svgBlip`): an SVG beside the dots that older readers show."""

DECLARED = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in NAMESPACES.items())
_SVG_EXTENSION = "{96DAC541-7B7A-43D3-8B79-37D633B846F1}"

TONE_STYLES: Mapping[Tone, str] = {tone: f"Status{tone.value.title()}" for tone in Tone}
KEY_STYLES: Mapping[Tone, str] = {**TONE_STYLES, Tone.BAD: "KeyBad"}
"""Of the signs in a legend, which look as they do in the chart."""
NOTICE_STYLES: Mapping[Tone, str] = {tone: f"Notice{tone.value.title()}" for tone in Tone}


def twips(millimetres: float) -> int:
    """Return a length as WordprocessingML counts it.

    >>> twips(25.4)
    1440
    """
    return round(millimetres * 1440 / 25.4)


def emu(millimetres: float) -> int:
    """Return a length as DrawingML counts it."""
    return round(millimetres * 36_000)


def run(text: str, style: str = "") -> str:
    """Return a text in a character style."""
    face = f'<w:rPr><w:rStyle w:val="{style}"/></w:rPr>' if style else ""
    return f'<w:r>{face}<w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def paragraph(style: str, *runs: str, form: str = "") -> str:
    """Return a paragraph; `form` holds properties that come after its style, in the schema's order."""
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{form}</w:pPr>{"".join(runs)}</w:p>'


def bookmarked(number: int, name: str, content: str) -> str:
    """Return content that links lead to."""
    return f'<w:bookmarkStart w:id="{number}" w:name="{name}"/>{content}<w:bookmarkEnd w:id="{number}"/>'


def link(name: str, content: str) -> str:
    """Return content that leads to a bookmark of the same file."""
    return f'<w:hyperlink w:anchor="{name}" w:history="1">{content}</w:hyperlink>'


def field(kind: str) -> str:
    """Return a field that the word processor fills in, such as PAGE."""
    return f'<w:fldSimple w:instr=" {kind} "><w:r><w:t>1</w:t></w:r></w:fldSimple>'


def field_part(kind: str, instruction: str = "") -> str:
    """Return the mark of a field that holds whole paragraphs: `begin` with its instruction and `separate`, or `end`."""
    if kind == "end":
        return '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    return (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
        f'<w:r><w:instrText xml:space="preserve"> {escape(instruction)} </w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r>'
    )


# --- tables -----------------------------------------------------------------------------------------


def table_start(style: str, widths_mm: Sequence[float], *, caption: str = "", has_head: bool = True) -> str:
    """Return what opens a table.

    Args:
        style: of the table.
        widths_mm: of its columns.
        caption: its name for those who cannot see it.
        has_head: its first row holds headers.
    """
    grid = "".join(f'<w:gridCol w:w="{twips(width)}"/>' for width in widths_mm)
    named = f"<w:tblCaption w:val={quoteattr(caption[:250])}/>" if caption else ""
    return (
        f'<w:tbl><w:tblPr><w:tblStyle w:val="{style}"/><w:tblW w:w="{sum(map(twips, widths_mm))}" w:type="dxa"/>'
        f'<w:tblLayout w:type="fixed"/><w:tblLook w:val="{"00A0" if has_head else "0080"}" w:firstRow="{int(has_head)}"'
        ' w:lastRow="0" w:firstColumn="1" w:lastColumn="0" w:noHBand="1" w:noVBand="1"/>'
        f"{named}</w:tblPr><w:tblGrid>{grid}</w:tblGrid>"
    )


TABLE_END = "</w:tbl>"


def row(cells: Iterable[str], *, is_head: bool = False) -> str:
    """Return a row; a head is repeated on each page.

    Rows are held together by their paragraphs (`keepLines`) and not by `cantSplit`: LibreOffice 25.2 leaves rows out where a
    table of such rows goes on on the next page.
    """
    marks = "<w:trPr><w:tblHeader/></w:trPr>" if is_head else ""
    return f"<w:tr>{marks}{''.join(cells)}</w:tr>"


def cell(width_mm: float, content: str, *, shade: str = "", is_centred: bool = False) -> str:
    """Return a cell that holds paragraphs; `shade` is a colour such as `f1f4f7`."""
    filled = f'<w:shd w:val="clear" w:color="auto" w:fill="{shade}"/>' if shade else ""
    middle = '<w:vAlign w:val="center"/>' if is_centred else ""
    return f'<w:tc><w:tcPr><w:tcW w:w="{twips(width_mm)}" w:type="dxa"/>{filled}{middle}</w:tcPr>{content}</w:tc>'


# --- pictures and pages -------------------------------------------------------------------------------


def picture(number: int, dots: str, svg: str, size_mm: tuple[float, float], description: str) -> str:
    """Return a picture in the line.

    Args:
        number: of the picture, the only one in the document.
        dots: relationship of the PNG.
        svg: relationship of the SVG that takes its place where it is understood; empty for none.
        size_mm: width and height.
        description: what it shows, for those who cannot see it.
    """
    width, height = map(emu, size_mm)
    said = quoteattr(description)
    name = f'id="{number}" name="Picture {number}" descr={said}'
    better = (
        f'<a:extLst><a:ext uri="{_SVG_EXTENSION}"><asvg:svgBlip r:embed="{svg}"/></a:ext></a:extLst>' if svg else ""
    )
    return (
        f'<w:r><w:drawing><wp:inline distT="0" distB="0" distL="0" distR="0"><wp:extent cx="{width}" cy="{height}"/>'
        f'<wp:docPr {name}/><wp:cNvGraphicFramePr><a:graphicFrameLocks noChangeAspect="1"/></wp:cNvGraphicFramePr>'
        f'<a:graphic><a:graphicData uri="{NAMESPACES["pic"]}"><pic:pic><pic:nvPicPr><pic:cNvPr {name}/><pic:cNvPicPr/>'
        f'</pic:nvPicPr><pic:blipFill><a:blip r:embed="{dots}">{better}</a:blip><a:stretch><a:fillRect/></a:stretch>'
        f'</pic:blipFill><pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="{width}" cy="{height}"/></a:xfrm>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic>'
        "</wp:inline></w:drawing></w:r>"
    )


A4_MM = (210.0, 297.0)
TOP_MM, BOTTOM_MM, LEFT_MM, RIGHT_MM, FOOT_MM = 18.0, 22.0, 20.0, 15.0, 9.0


def text_width_mm(*, lies: bool) -> float:
    """Return how broad a line is on A4, upright or lying."""
    return A4_MM[1 if lies else 0] - LEFT_MM - RIGHT_MM


def text_height_mm(*, lies: bool) -> float:
    """Return how high a page's text is."""
    return A4_MM[0 if lies else 1] - TOP_MM - BOTTOM_MM


def section(footer: str, *, lies: bool) -> str:
    """Return the properties of pages; `footer` is the relationship of their foot."""
    width, height = (twips(side) for side in (reversed(A4_MM) if lies else A4_MM))
    turned = ' w:orient="landscape"' if lies else ""
    return (
        f'<w:sectPr><w:footerReference w:type="default" r:id="{footer}"/><w:type w:val="nextPage"/>'
        f'<w:pgSz w:w="{width}" w:h="{height}"{turned}/>'
        f'<w:pgMar w:top="{twips(TOP_MM)}" w:right="{twips(RIGHT_MM)}" w:bottom="{twips(BOTTOM_MM)}"'
        f' w:left="{twips(LEFT_MM)}" w:header="{twips(FOOT_MM)}" w:footer="{twips(FOOT_MM)}" w:gutter="0"/>'
        '<w:cols w:space="720"/></w:sectPr>'
    )


# --- styles -------------------------------------------------------------------------------------------


def styles(colours: Mapping[str, str]) -> Mapping[str, str]:
    """Return every style of a report by its id.

    Args:
        colours: of the page's style sheet by their names, such as `--good-back`.
    """
    ink = {name: value.removeprefix("#").upper() for name, value in colours.items()}
    soft, line, band = ink["--soft"], ink["--line"], ink["--band"]
    whole = "<w:keepLines/>"
    keep = f"<w:keepNext/>{whole}"
    tight = '<w:spacing w:before="20" w:after="20" w:line="240" w:lineRule="auto"/>'
    found = {
        "Title": _paragraph_style("Title", _spacing(0, 8), _type(15, bold=True), next_="Normal"),
        "TOCHeading": _paragraph_style("TOC Heading", keep + _spacing(8, 3), _type(11, bold=True)),
        "TOC1": _paragraph_style("toc 1", _spacing(0, 2), ""),
        "Caption": _paragraph_style("caption", keep + _spacing(6, 3), _type(9, bold=True), next_="Normal"),
        "ReportText": _paragraph_style("Report Text", _spacing(2, 5), ""),
        "ReportCode": _paragraph_style(
            "Report Code", f'<w:shd w:val="clear" w:color="auto" w:fill="{band}"/>{tight}', _code(7)
        ),
        "TableText": _paragraph_style("Table Text", whole + tight, _type(TABLE_POINTS)),
        "TableNumber": _paragraph_style("Table Number", whole + tight + '<w:jc w:val="right"/>', _type(TABLE_POINTS)),
        "TableLabel": _paragraph_style("Table Label", whole + tight, _type(TABLE_POINTS, bold=True)),
        "TableHead": _paragraph_style("Table Head", keep + tight, _type(TABLE_POINTS, bold=True)),
        "TableSign": _paragraph_style("Table Sign", tight + '<w:jc w:val="center"/>', _type(8, bold=True)),
        "FactLabel": _paragraph_style("Fact Label", tight, _type(9.5, colour=soft)),
        "FactText": _paragraph_style("Fact Text", whole + tight, _type(9.5)),
        "Picture": _paragraph_style("Picture", "<w:keepNext/>" + _spacing(0, 3), ""),
        "Legend": _paragraph_style("Legend", _spacing(0, 8, lines=276), _type(TABLE_POINTS)),
        "Gap": _paragraph_style("Gap", _spacing(0, 0), _type(5)),
        "SignatureText": _paragraph_style("Signature Text", "<w:keepNext/>" + tight + '<w:jc w:val="center"/>', ""),
        "SignatureRoom": _paragraph_style(
            "Signature Room",
            f'<w:pBdr><w:bottom w:val="dotted" w:sz="4" w:space="1" w:color="{soft}"/></w:pBdr>'
            + _spacing(56, 0)
            + '<w:ind w:left="284" w:right="284"/>',
            "",
        ),
        "Footer": _paragraph_style("footer", tight, _type(7, colour=soft)),
        "FooterNumber": _paragraph_style("Footer Number", tight + '<w:jc w:val="right"/>', _type(7, colour=soft)),
        "CodeText": _character_style("Code Text", _code(CODE_POINTS)),
        "StrongText": _character_style("Strong Text", "<w:b/><w:bCs/>"),
        "LinkText": _character_style("Link Text", f'<w:color w:val="{ink["--link"]}"/>'),
        "ReportTable": _table_style("Report Table", line, ("top", "left", "bottom", "right", "insideH", "insideV")),
        "ReportFacts": _table_style("Report Facts", line, ("bottom", "insideH")),
        "ReportGrid": _table_style(
            "Report Grid", line, ("top", "left", "bottom", "right", "insideH", "insideV"), side=0
        ),
        "ReportRoom": _table_style("Report Room", line, ()),
        "ReportFoot": _table_style("Report Foot", line, ("top",)),
    }
    for level, points, before in ((1, 12.5, 16), (2, 11.0, 12), (3, 10.0, 10), (4, 10.0, 8)):
        rule = f'<w:pBdr><w:bottom w:val="single" w:sz="8" w:space="2" w:color="{ink["--ink"]}"/></w:pBdr>'
        form = keep + (rule if level == 1 else "") + _spacing(before, 5) + f'<w:outlineLvl w:val="{level - 1}"/>'
        found[f"Heading{level}"] = _paragraph_style(
            f"heading {level}", form, _type(points, bold=True), next_="ReportText"
        )
    bad_shade = f'<w:shd w:val="clear" w:color="auto" w:fill="{ink["--bad"]}"/>'
    found["KeyBad"] = _character_style("Key bad", f'<w:b/><w:bCs/><w:color w:val="{ink["--bad-back"]}"/>{bad_shade}')
    for tone in Tone:
        own, back = ink[f"--{tone.value}"], ink[f"--{tone.value}-back"]
        shade = f'<w:shd w:val="clear" w:color="auto" w:fill="{back}"/>'
        edge = "".join(
            f'<w:{side} w:val="single" w:sz="{36 if side == "left" else 4}" w:space="4" w:color="{own}"/>'
            for side in ("top", "left", "bottom", "right")
        )
        found[NOTICE_STYLES[tone]] = _paragraph_style(
            f"Notice {tone.value}",
            f'<w:keepLines/><w:pBdr>{edge}</w:pBdr>{shade}{_spacing(6, 8)}<w:ind w:left="142" w:right="142"/>',
            f'<w:color w:val="{own}"/>',
        )
        found[TONE_STYLES[tone]] = _character_style(
            f"Status {tone.value}", f'<w:b/><w:bCs/><w:color w:val="{own}"/>{shade}'
        )
    return {key: _identified(key, text) for key, text in found.items()}


def _identified(key: str, text: str) -> str:
    own = "" if key.startswith(("Title", "TOC", "Heading")) or key in ("Caption", "Footer") else ' w:customStyle="1"'
    return text.replace("<w:style ", f'<w:style xmlns:w="{NAMESPACES["w"]}" w:styleId="{key}"{own} ', 1)


def _paragraph_style(name: str, form: str, face: str, *, next_: str = "") -> str:
    follows = f'<w:next w:val="{next_}"/>' if next_ else ""
    return (
        f'<w:style w:type="paragraph"><w:name w:val="{name}"/><w:basedOn w:val="Normal"/>{follows}<w:qFormat/>'
        f"<w:pPr>{form}</w:pPr><w:rPr>{face}</w:rPr></w:style>"
    )


def _character_style(name: str, face: str) -> str:
    return (
        f'<w:style w:type="character"><w:name w:val="{name}"/><w:basedOn w:val="DefaultParagraphFont"/><w:qFormat/>'
        f"<w:rPr>{face}</w:rPr></w:style>"
    )


def _table_style(name: str, colour: str, sides: Sequence[str], *, side: int = 68) -> str:
    edges = "".join(f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="{colour}"/>' for side in sides)
    borders = f"<w:tblBorders>{edges}</w:tblBorders>" if edges else ""
    return (
        f'<w:style w:type="table"><w:name w:val="{name}"/><w:basedOn w:val="TableNormal"/>'
        f'<w:tblPr>{borders}<w:tblCellMar><w:left w:w="{side}" w:type="dxa"/><w:right w:w="{side}" w:type="dxa"/></w:tblCellMar>'
        "</w:tblPr></w:style>"
    )


def _spacing(before: float, after: float, *, lines: int = 259) -> str:
    return (
        f'<w:spacing w:before="{round(before * 20)}" w:after="{round(after * 20)}" w:line="{lines}" w:lineRule="auto"/>'
    )


def _type(points: float, *, bold: bool = False, colour: str = "") -> str:
    heavy = "<w:b/><w:bCs/>" if bold else ""
    inked = f'<w:color w:val="{colour}"/>' if colour else ""
    return f'{heavy}{inked}<w:sz w:val="{round(points * 2)}"/><w:szCs w:val="{round(points * 2)}"/>'


def _code(points: float) -> str:
    fonts = " ".join(f'w:{script}="{CODE_FACE}"' for script in ("ascii", "hAnsi", "eastAsia", "cs"))
    return f"<w:rFonts {fonts}/><w:noProof/>{_type(points)}"
