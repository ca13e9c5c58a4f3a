"""The bill of materials names every package with its digest and licence; what was not looked up is not called sound."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from scripts.house import Wheel, read_wheel
from scripts.lock import PORTAL_EXTRAS
from scripts.materials import audit_of, bill_of
from tests.packaging.houses import portalops_wheel, wheel

SKIPPED = {"name": "rich", "skip_reason": "Dependency not found on PyPI and could not be audited: rich (15.0.0)"}
"""As pip-audit 2.10.1 writes it where it reaches no index, and says 'No known vulnerabilities found' all the same."""
SOUND = {"name": "lxml", "version": "6.1.3", "vulns": []}
BAD = {"name": "Jinja2", "version": "2.10", "vulns": [{"id": "PYSEC-2019-217", "fix_versions": ["2.10.1"]}]}


def wheels(folder: Path) -> list[Wheel]:
    paths = [
        portalops_wheel(folder, "1.0.0"),
        wheel(
            folder,
            "tiny_dependency",
            "2.0",
            {"t.py": ""},
            "License: MIT\nRequires-Dist: six; python_version < '3.12'\n",
        ),
        wheel(folder, "six", "1.17.0", {"six.py": ""}, "License: Something of their own, version 3\n"),
        wheel(folder, "nameless", "1", {"n.py": ""}),
    ]
    return [read_wheel(path) for path in paths]


def test_the_bill_is_valid_and_says_what_needs_what(tmp_path: Path) -> None:
    held = wheels(tmp_path)

    text = bill_of(held, "portalops", ["3.13", "3.11"], epoch=1_795_713_849, build="0a1b2c3d")

    assert not JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    bill = json.loads(text)
    assert bill["metadata"]["component"]["name"] == "portalops"
    components = {each["name"]: each for each in bill["components"]}
    assert components["tiny-dependency"]["licenses"] == [{"license": {"id": "MIT"}}]
    assert components["six"]["licenses"] == [{"license": {"name": "Something of their own, version 3"}}]
    assert "licenses" not in components["nameless"]
    assert components["six"]["hashes"] == [{"alg": "SHA-256", "content": held[2].sha256}]
    needs = {each["ref"]: each.get("dependsOn", []) for each in bill["dependencies"]}
    assert needs["portalops@1.0.0"] == ["tiny-dependency@2.0"]
    assert needs["tiny-dependency@2.0"] == ["six@1.17.0"]


@pytest.mark.parametrize("extra", PORTAL_EXTRAS)
def test_what_an_extra_that_goes_to_portals_asks_for_is_needed(tmp_path: Path, extra: str) -> None:
    asking = wheel(tmp_path, "portalops", "1.0.0", {"p.py": ""}, f'Requires-Dist: six; extra == "{extra}"\n')
    held = [read_wheel(each) for each in (asking, wheel(tmp_path, "six", "1.17.0", {"six.py": ""}))]

    bill = json.loads(bill_of(held, "portalops", ["3.13"], epoch=1_795_713_849, build="0a1b2c3d"))

    needs = {each["ref"]: each.get("dependsOn", []) for each in bill["dependencies"]}
    assert needs["portalops@1.0.0"] == ["six@1.17.0"]


def test_the_same_wheels_give_the_same_bill(tmp_path: Path) -> None:
    held = wheels(tmp_path)

    texts = {bill_of(each, "portalops", ["3.13"], epoch=1_795_713_849, build="0a1b2c3d") for each in (held, held[::-1])}

    assert len(texts) == 1


@pytest.mark.parametrize(
    ("answer", "verdict", "unknown", "vulnerable"),
    [
        ([SOUND, {**SOUND, "name": "rich"}, {**SOUND, "name": "jinja2"}], "none known", [], {}),
        ([SOUND, SKIPPED, {**SOUND, "name": "jinja2"}], "unknown", ["rich"], {}),
        ([SOUND, BAD], "vulnerable", ["rich"], {"jinja2": ["PYSEC-2019-217"]}),
        ([], "unknown", ["jinja2", "lxml", "rich"], {}),
    ],
)
def test_a_package_that_was_not_looked_up_is_unknown(
    answer: list[object], verdict: str, unknown: list[str], vulnerable: dict[str, list[str]]
) -> None:
    found = audit_of(
        json.dumps({"dependencies": answer, "fixes": []}),
        ["rich", "lxml", "Jinja2"],
        at="2026-11-26",
        tool="pip-audit 2.10.1",
    )

    assert (found["verdict"], found["unknown"], found["vulnerable"]) == (verdict, unknown, vulnerable)


@pytest.mark.parametrize("answer", ["", "{}", "not JSON"])
def test_no_answer_leaves_everything_unknown(answer: str) -> None:
    assert audit_of(answer, ["rich"], at="2026-11-26", tool="pip-audit")["unknown"] == ["rich"]
