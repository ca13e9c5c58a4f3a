"""The published schema says what reports as data are: every one is valid by it, and what is none is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from portalops.model.message import msg
from portalops.model.organisation import Name
from portalops.reports.document import (
    Bars,
    Block,
    Bullets,
    ByteSize,
    Cell,
    Document,
    FileLink,
    Grid,
    GridMark,
    Heading,
    KeyValues,
    Line,
    LineChart,
    Notice,
    Paragraph,
    QrCode,
    Quantity,
    SignatureBlock,
    Status,
    TableBlock,
    Tone,
    Verbatim,
)
from portalops.reports.document_schema import document_schema
from portalops.reports.formats.json import FORMAT
from portalops.reports.material import Material
from portalops.reports.named import load_report
from tests.reports import access_sample, backups_sample, changes_sample, evidence_sample, sample, servers_sample
from tests.reports.sample import HOSTILE

PUBLISHED = Path(__file__).parents[2] / "docs/schemas/document.schema.json"

NAME = Name("Sở Y tế", HOSTILE)
STATE = Status(msg("met"), Tone.GOOD)
MOMENT = datetime(2026, 11, 30, 17, 0, 0, 250_000, UTC)
CELLS: tuple[Cell, ...] = (
    HOSTILE, 7, date(2026, 11, 30), MOMENT, msg("met"), NAME, STATE, ByteSize(9), Quantity(99.5, 1, "%"), Quantity(3),
    FileLink(HOSTILE), None,
)  # fmt: skip
MARK = GridMark("✓", Tone.GOOD, msg("met"))
BLOCKS: tuple[Block, ...] = (
    Heading(2, msg("Scope and basis")),
    Paragraph(msg("seen: {line}", line=HOSTILE)),
    Verbatim(HOSTILE),
    Bullets((msg("met"),)),
    KeyValues([(msg("met"), cell) for cell in CELLS]),
    TableBlock(msg("Written"), [msg("At")] * len(CELLS), [CELLS]),
    TableBlock(msg("Written"), (msg("At"),), ()),
    Notice(NAME, Tone.BAD),
    Grid(msg("met"), CELLS, [(cell, [MARK, None]) for cell in CELLS], [(MARK, msg("met"))], {1: msg("met")}),
    Bars(msg("met"), [(NAME, [(Tone.UNSURE, msg("met"), 0)])]),
    LineChart(
        msg("met"), (date(2026, 11, 30),), (Line(msg("met"), Tone.GOOD, (99.5,)),), 1, "%", ((msg("met"), 99.0),)
    ),
    LineChart(msg("met"), (MOMENT, MOMENT.replace(microsecond=0)), (Line(msg("met"), Tone.GOOD, (None, 0)),)),
    QrCode("portalops-head 1\n", msg("met")),
    SignatureBlock(((msg("met"), None), (msg("met"), NAME))),
)


def validator() -> jsonschema.Draft202012Validator:
    schema = document_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def data_of(document: Document, language: str = "en") -> Any:
    return json.loads(FORMAT.render(document, language=language))


def everything() -> Document:
    return Document(msg("Written"), BLOCKS, [(msg("At"), cell) for cell in CELLS], "Asia/Ho_Chi_Minh")


def test_the_published_schema_is_that_of_this_release() -> None:
    assert json.loads(PUBLISHED.read_bytes()) == document_schema()


def test_every_kind_of_block_and_cell_is_in_the_schema_even_with_hostile_words() -> None:
    assert {type(block) for block in BLOCKS} == {globals()[name] for name in str(Block).split(" | ")}
    assert {block["type"] for block in data_of(everything())["blocks"]} == set(document_schema()["$defs"]) - {
        "tone",
        "cell",
        "facts",
    }
    for language in ("vi", "en"):
        validator().validate(data_of(everything(), language))


REPORTS: dict[str, Callable[[], Material]] = {
    "access": access_sample.material,
    "changes": changes_sample.material,
    "servers": servers_sample.material,
    "backups": lambda: backups_sample.material(backups_sample.evidence()),
    "evidence": lambda: backups_sample.material(evidence_sample.evidence(), evidence_sample.proof()),
}


@pytest.mark.parametrize("name", REPORTS)
def test_reports_of_a_month_with_hostile_words_are_valid(name: str) -> None:
    data = data_of(load_report(name).build(REPORTS[name]()))

    assert len(data["blocks"]) > 20
    validator().validate(data)


def test_the_report_of_all_duties_is_valid_in_vietnamese() -> None:
    validator().validate(data_of(sample.document(), "vi"))


def _without_zone(data: Any) -> None:
    del data["zone"]


def _of_another_version(data: Any) -> None:
    data["schema"] = "portalops/document/2"


def _of_a_kind_that_is_not_there(data: Any) -> None:
    data["blocks"][0]["type"] = "script"


def _with_a_level_in_words(data: Any) -> None:
    data["blocks"][0]["level"] = "2"


def _with_a_tone_that_is_not_there(data: Any) -> None:
    data["blocks"][7]["tone"] = "green"


def _with_a_list_as_a_cell(data: Any) -> None:
    data["blocks"][5]["rows"][0][0] = []


def _with_half_a_state(data: Any) -> None:
    data["blocks"][4]["rows"][0]["value"] = {"word": "met"}


def _with_a_moment_without_zone(data: Any) -> None:
    data["blocks"][11]["moments"][0] = "2026-11-30T17:00:00"


def _with_a_key_more(data: Any) -> None:
    data["blocks"][1]["html"] = "<b>"


@pytest.mark.parametrize(
    "spoil",
    [
        _without_zone,
        _of_another_version,
        _of_a_kind_that_is_not_there,
        _with_a_level_in_words,
        _with_a_tone_that_is_not_there,
        _with_a_list_as_a_cell,
        _with_half_a_state,
        _with_a_moment_without_zone,
        _with_a_key_more,
    ],
    ids=lambda spoil: spoil.__name__.strip("_"),
)
def test_what_is_no_such_document_is_not_valid(spoil: Callable[[Any], None]) -> None:
    data = data_of(everything())
    validator().validate(data)

    spoil(data)

    with pytest.raises(jsonschema.ValidationError):
        validator().validate(data)
