"""The published shapes of what verbs print with `--json`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from commands.cli.calling import verb_of
from commands.cli.schemas import all_verbs

FOLDER = Path(__file__).parents[2] / "docs" / "schemas" / "commands"


@pytest.mark.parametrize("called", list(all_verbs()))
def test_each_verb_says_what_its_data_is_and_publishes_it(called: str) -> None:
    assert "JsonValue" not in verb_of(called).call.__annotations__["return"]

    published = json.loads((FOLDER / f"{called.replace(' ', '-')}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(published)
    assert published["$id"] == f"portalops:commands/{called.replace(' ', '-')}/{verb_of(called).version}"
