"""OSCAL Assessment Results: the structure that the standard asks for, and no duty satisfied that is not met."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

import pytest

from portalops.compliance import distrusted
from portalops.errors import ReportError
from portalops.model.assessment import Assessment, JudgedDuty
from portalops.model.message import msg, verbatim
from portalops.model.verdicts import DutyVerdict
from portalops.reports import formats
from portalops.reports.document import Document, Paragraph
from tests.reports.sample import HOSTILE, document

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TOKEN = re.compile(r"[A-Za-z_][A-Za-z0-9._-]*")
"""What the standard takes as an identifier; ours are of these letters alone."""

KEYS = {
    "results": {"uuid", "metadata", "import-ap", "results", "back-matter"},
    "result": {
        "uuid", "title", "description", "start", "end", "reviewed-controls", "observations", "findings", "remarks",
    },
    "finding": {"uuid", "title", "description", "props", "target", "related-observations"},
    "observation": {
        "uuid", "description", "props", "methods", "types", "relevant-evidence", "collected", "expires",
    },
}  # fmt: skip
"""Of version 1.1.2, as far as they are used here; the standard takes no other."""


@lru_cache
def data(language: str = "en") -> Any:
    return of(document(), language)


def of(made: Document, language: str = "en") -> Any:
    return json.loads(formats.load("oscal").render(made, language=language))["assessment-results"]


def assessment() -> Assessment:
    found = document().assessment
    assert found is not None
    return found


def every(node: object, key: str) -> Iterator[Any]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from every(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from every(value, key)


def prop(node: Any, name: str) -> str:
    (value,) = [each["value"] for each in node["props"] if each["name"] == name]
    return str(value)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_it_has_what_the_standard_asks_for_and_nothing_else(language: str) -> None:
    made = data(language)
    (result,) = made["results"]
    assert set(made) == KEYS["results"]
    assert {"title", "last-modified", "version", "oscal-version"} <= set(made["metadata"])
    assert set(result) == KEYS["result"]
    for finding in result["findings"]:
        assert KEYS["finding"] - {"related-observations"} <= set(finding) <= KEYS["finding"]
        assert finding["target"]["type"] == "objective-id"
        assert set(finding["target"]["status"]) == {"state", "reason", "remarks"}
    for observation in result["observations"]:
        assert KEYS["observation"] - {"expires"} <= set(observation) <= KEYS["observation"]
    assert not [value for value in every(made, "props") if not value]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_value_has_the_form_that_the_standard_asks_for(language: str) -> None:
    made = data(language)
    for value in every(made, "uuid"):
        assert UUID.fullmatch(value)
    for key in ("target-id", "control-id", "name", "reason"):
        assert all(TOKEN.fullmatch(value) for value in every(made, key))
    for key in ("start", "end", "collected", "expires", "last-modified"):
        assert all(value.endswith("Z") and datetime.fromisoformat(value) for value in every(made, key))
    for value in every(made, "value"):
        assert re.fullmatch(r"\S(.*\S)?", value)
    for value in every(made, "title"):
        assert re.fullmatch(r"[^\n]+", value)
    assert all(value.startswith("https://portalops.invalid/") for value in every(made, "ns"))


def test_references_lead_to_what_is_there_and_no_identifier_is_given_twice() -> None:
    made = data()
    given = list(every(made, "uuid"))
    assert len(given) == len(set(given))
    assert made["import-ap"]["href"].removeprefix("#") in given
    observations = {each["uuid"] for each in made["results"][0]["observations"]}
    named = list(every(made["results"][0]["findings"], "observation-uuid"))
    assert set(named) == observations
    assert len(named) == len(observations)


def test_a_duty_is_satisfied_where_it_is_met_and_nowhere_else() -> None:
    judged = {str(each.duty.id): each.standing for each in assessment().judged}
    findings = data()["results"][0]["findings"]
    assert [prop(each, "duty") for each in findings] == list(judged)
    states = {}
    for finding in findings:
        standing = judged[prop(finding, "duty")]
        status = finding["target"]["status"]
        assert prop(finding, "verdict") == standing.verdict.value
        assert (status["state"] == "satisfied") is (standing.verdict is DutyVerdict.MET)
        states[standing.verdict] = (status["state"], status["reason"])
    assert states[DutyVerdict.MET] == ("satisfied", "pass")
    assert states[DutyVerdict.UNMET] == ("not-satisfied", "fail")
    assert states[DutyVerdict.INSUFFICIENT_EVIDENCE] == ("not-satisfied", "other")


@pytest.mark.parametrize("verdict", list(DutyVerdict))
def test_every_verdict_is_told(verdict: DutyVerdict) -> None:
    first = assessment().judged[0]
    changed = replace(assessment(), judged=(JudgedDuty(first.duty, replace(first.standing, verdict=verdict)),))
    (finding,) = of(replace(document(), assessment=changed))["results"][0]["findings"]
    assert prop(finding, "verdict") == verdict.value
    assert finding["target"]["status"]["state"] == ("satisfied" if verdict is DutyVerdict.MET else "not-satisfied")


def test_on_a_ledger_that_was_changed_nothing_is_satisfied() -> None:
    given = assessment()
    doubted = distrusted([each.standing for each in given.judged])
    judged = tuple(JudgedDuty(one.duty, standing) for one, standing in zip(given.judged, doubted, strict=True))
    made = of(replace(document(), assessment=replace(given, judged=judged, holds=False)))
    assert set(every(made, "state")) == {"not-satisfied"}
    assert prop(made["metadata"], "ledger-holds") == "no"


def test_all_records_behind_a_duty_are_named() -> None:
    records = {str(each.duty.id): each.standing.evidence for each in assessment().judged if each.standing.evidence}
    observations = data()["results"][0]["observations"]
    assert {prop(each, "duty") for each in observations} == set(records)
    for each in observations:
        (evidence,) = each["relevant-evidence"]
        assert [int(seq) for seq in prop(evidence, "ledger-records").split(", ")] == sorted(records[prop(each, "duty")])


def test_identifiers_are_of_ledger_and_head_and_stay_the_same() -> None:
    assert list(every(data(), "uuid")) == list(every(of(document()), "uuid"))
    vi, en = (data(language)["results"][0]["findings"] for language in ("vi", "en"))
    assert [each["uuid"] for each in vi] == [each["uuid"] for each in en]
    assert data("vi")["uuid"] != data("en")["uuid"]
    later = replace(assessment(), head_code="144-0000-0000-0000-0000-0000")
    assert not set(every(of(replace(document(), assessment=later)), "uuid")) & set(every(data(), "uuid"))


def test_text_of_others_is_no_markup_where_oscal_takes_markdown() -> None:
    given = assessment()
    first = given.judged[0]
    hostile = replace(first.standing, reason=verbatim(HOSTILE), details=(verbatim(HOSTILE),))
    made = of(replace(document(), assessment=replace(given, judged=(JudgedDuty(first.duty, hostile),))))
    (finding,) = made["results"][0]["findings"]
    assert r"\<script\>alert" in finding["description"]
    assert "<script>" not in re.sub(r"\\.", "", finding["description"])
    assert "\u202e" not in json.dumps(made, ensure_ascii=False)


def test_the_whole_report_stands_in_the_remarks() -> None:
    (result,) = data("vi")["results"]
    assert result["remarks"] == formats.load("markdown").render(document(), language="vi").decode()


def test_a_document_that_judges_nothing_is_refused_with_what_to_do() -> None:
    with pytest.raises(ReportError) as caught:
        formats.load("oscal").render(Document(msg("Report"), (Paragraph(msg("met")),)), language="en")
    assert "has none" in str(caught.value.message)
    assert "another format" in str(caught.value.hint)


def test_who_recorded_the_evidence_is_a_property_where_the_ledger_has_writers() -> None:
    given = assessment()
    judged = tuple(replace(each, recorders=(verbatim("web1"), verbatim("db1"))) for each in given.judged)

    made = of(replace(document(), assessment=replace(given, judged=judged)))

    said = [each for props in every(made, "props") for each in props if each["name"] == "recorded-by"]
    assert {each["value"] for each in said} == {"web1, db1"}
    assert "recorded-by" not in json.dumps(of(document()))
