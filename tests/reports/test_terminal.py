"""Blocks on and off a terminal."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from portalops.model.message import Message, msg, verbatim
from portalops.model.organisation import Name
from portalops.model.verdicts import DutyVerdict
from portalops.reports.document import (
    Bars,
    Block,
    Bullets,
    ByteSize,
    Grid,
    GridMark,
    Heading,
    KeyValues,
    Line,
    LineChart,
    Notice,
    Paragraph,
    QrCode,
    SignatureBlock,
    Status,
    TableBlock,
    Tone,
    Verbatim,
)
from portalops.reports.reader import Reader
from portalops.reports.terminal import render_blocks
from portalops.reports.words import duty_status
from tests.reports.sample import HOSTILE, VIETNAMESE, document

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
LONG = "word " * 60
TABLE = TableBlock(
    msg("Sets"),
    (msg("Set"), msg("n"), msg("Verdict"), msg("Why")),
    [("s-1", 1234, Status(msg("met"), Tone.GOOD), None), ("s-2", 5, Status(msg("unmet"), Tone.BAD), verbatim(LONG))],
)


def shown(*blocks: Block, language: str = "en", width: int | None = None, colour: bool = False) -> str:
    return render_blocks(blocks, language=language, zone=ZONE, width=width, colour=colour)


def test_nothing_gives_nothing() -> None:
    assert shown() == ""


def test_off_a_terminal_a_row_is_one_line_however_long() -> None:
    lines = shown(TABLE).splitlines()
    assert lines[0] == "Sets"
    row = next(line for line in lines if line.startswith("s-2"))
    assert row.endswith(LONG.strip())
    assert "\x1b" not in shown(TABLE)


def test_numbers_are_right_aligned_and_an_empty_cell_is_a_dash() -> None:
    lines = shown(TABLE, language="vi").splitlines()
    assert lines[4].split() == ["s-1", "1.234", "đạt", "–"]
    assert lines[5].index("5") == lines[4].index("4")


def test_an_empty_table_says_so() -> None:
    assert shown(TableBlock(msg("Sets"), [msg("Set")], [])) == "Sets: nothing to show\n"


@pytest.mark.parametrize("colour", [True, False])
@pytest.mark.parametrize("width", [40, 80, 120])
def test_on_a_terminal_no_line_is_wider_than_it(width: int, colour: bool) -> None:
    blocks = [block for block in document().blocks if not isinstance(block, QrCode)]
    text = shown(*blocks, language="vi", width=width, colour=colour)
    assert max(len(ESCAPE.sub("", line)) for line in text.splitlines()) <= width
    assert ("\x1b[" in text) is colour


@pytest.mark.parametrize("width", [None, 40, 200])
def test_what_is_to_be_copied_is_whole_at_any_width(width: int | None) -> None:
    command = f"sha256sum report.html | ssh-keygen -Y sign -f {'k' * 60}"
    head = f"portalops-head 1\ndigest {'0b' * 32}\n"
    lines = shown(Verbatim(command), QrCode(head, msg("Head code")), width=width).splitlines()
    assert command in lines
    assert head.splitlines() == lines[-2:]


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_a_table_loses_no_word_at_any_width(width: int) -> None:
    tables = [block for block in document().blocks if isinstance(block, TableBlock) and block.rows]
    for table in tables:
        text = "".join(shown(table, language="vi", width=width).split())
        reader = Reader("vi", ZONE)
        for row in table.rows:
            for cell in row:
                if cell is not None:
                    for word in reader.cell(cell).split():
                        assert word in text or len(word) > 20, f"{word} of {table.caption}"


@pytest.mark.parametrize("width", [80, 100, 120, 160])
def test_an_id_that_goes_into_the_next_command_is_broken_at_no_width(width: int) -> None:
    sets = [
        (
            "khanhhoa-20261126T044327Z-full-2c7a6f",
            "26 Nov 2026 11:43 +07",
            "disk-a, disk-b, discs, sftp-other, s3-locked, tape-1",
        )
    ]
    table = TableBlock(msg("Sets"), (msg("Backup set"), msg("Made at"), msg("Verified on")), sets)

    page = shown(table, Paragraph(msg("end")), width=width)

    assert sets[0][0] in page
    assert max(map(len, page.splitlines())) <= width


def test_where_a_table_would_be_squeezed_rows_stand_one_below_the_other() -> None:
    lines = shown(TABLE, width=40).splitlines()
    assert lines[2:5] == ["s-1  ✓ met", "    n: 1,234", "s-2  ✗ unmet"]


def test_colour_off_a_terminal_still_wraps_nothing() -> None:
    text = ESCAPE.sub("", shown(TABLE, colour=True))
    assert next(line for line in text.splitlines() if line.startswith("s-2")).endswith(LONG.strip())


def test_a_status_has_its_shape_beside_its_colour() -> None:
    assert "✓ met" in shown(TABLE, width=100)
    assert "✗ unmet" in shown(TABLE, width=100)


@pytest.mark.parametrize(("width", "colour"), [(None, False), (80, True)])
def test_text_of_others_cannot_steer_the_terminal(width: int | None, colour: bool) -> None:
    hostile = verbatim(HOSTILE)
    mark = GridMark(HOSTILE[-1:], Tone.BAD, hostile)
    text = shown(
        Heading(1, hostile),
        Paragraph(hostile),
        Notice(hostile),
        Bullets([hostile]),
        KeyValues([(hostile, HOSTILE)]),
        TableBlock(hostile, [hostile], [[HOSTILE]]),
        Grid(hostile, [HOSTILE], [(HOSTILE, [mark])], [(mark, hostile)]),
        Bars(hostile, [(hostile, [(Tone.BAD, hostile, 1)])]),
        LineChart(
            hostile, [date(2026, 11, 2)], [Line(hostile, Tone.BAD, [1.0])], unit=HOSTILE, limits=[(hostile, 2.0)]
        ),
        SignatureBlock([(hostile, Name(HOSTILE, HOSTILE))]),
        width=width,
        colour=colour,
    )
    assert not set("\x00\u202e\r\t") & set(text)
    assert "\x1b" not in ESCAPE.sub("", text)
    assert "\x1b[31m\\u202e" not in text


def test_brackets_are_not_read_as_markup() -> None:
    assert "[bold]x[/bold] :smile:" in shown(Paragraph(verbatim("[bold]x[/bold] :smile:")), width=80, colour=True)


def grid(days: int) -> Grid:
    columns = [date(2026, 11, 1) + timedelta(days=day) for day in range(days)]
    mark = GridMark("●", Tone.GOOD, msg("both"))
    rows: list[tuple[Name, list[GridMark | None]]] = [
        (Name(VIETNAMESE, VIETNAMESE), [mark if day % 2 else None for day in range(days)])
    ]
    return Grid(msg("Matrix"), columns, rows, [(mark, msg("both on the same day"))])


def test_a_grid_is_one_band_off_a_terminal_and_several_on_it() -> None:
    assert shown(grid(60)).count("Ủy ban") == 1
    narrow = shown(grid(60), width=80)
    assert narrow.count("Ủy ban") > 2
    assert narrow.count("●") == 30 + 1


def test_a_grid_explains_the_signs_that_it_shows_and_no_others() -> None:
    other = GridMark("✗", Tone.BAD, msg("unmet"))
    shown_grid = replace(grid(4), legend=[*grid(4).legend, (other, msg("the week is unmet"))])

    text = shown(shown_grid, width=80)

    assert "both on the same day" in text
    assert "the week is unmet" not in text


def test_what_is_still_open_has_its_own_sign_and_not_that_of_what_is_unknown() -> None:
    table = TableBlock(msg("Weeks"), (msg("State"),), [(duty_status(DutyVerdict.PENDING),)])

    assert "… pending" in shown(table, width=80)


def test_moments_days_and_sizes_are_local() -> None:
    facts = KeyValues(
        [
            (msg("At"), datetime(2026, 11, 24, 1, 30, tzinfo=UTC)),
            (msg("Day"), date(2026, 11, 24)),
            (msg("Size"), ByteSize(1572864)),
        ]
    )
    assert shown(facts, language="vi").split("\n")[:3] == [
        "Lúc:         24/11/2026 08:30",
        "Ngày:        24/11/2026",
        "Dung lượng:  1,5 MiB",
    ]


def test_bars_say_their_numbers() -> None:
    parts: list[tuple[Tone, Message, int]] = [(Tone.GOOD, msg("met"), 7), (Tone.BAD, msg("unmet"), 0)]
    assert shown(Bars(msg("Duties"), [(msg("All duties"), parts)])).endswith("All duties:  7 met\n")


def test_libraries_are_loaded_only_where_they_are_used() -> None:
    script = (
        "import sys\nfrom portalops.reports.terminal import render_blocks\n"
        "from portalops.reports.document import *\nfrom portalops.model.message import msg\n"
        "blocks = [Paragraph(msg('x')), TableBlock(msg('t'), [msg('h')], [['c']])]\n"
        "assert not {'rich', 'tabulate', 'jinja2'} & set(sys.modules)\n"
        "render_blocks(blocks, language='en', zone=None, width=None, colour=False)\n"
        "assert 'rich' not in sys.modules and 'tabulate' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    script = script.replace("width=None", "width=80").replace(
        "'rich' not in sys.modules and 'tabulate' in", "'tabulate' not in sys.modules and 'rich' in"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
