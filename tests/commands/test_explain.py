"""`portalops explain` has a page for every code, check, verdict and duty."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from commands.cli.entry import run
from commands.explain.explain import error_classes
from portalops.errors import ExitCode
from portalops.model.verdicts import CheckVerdict, DutyVerdict


@pytest.fixture(autouse=True)
def _outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration in the working folder: the shipped rulebook is explained."""
    monkeypatch.chdir(tmp_path)


def explained(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = run(["--json", "--lang", "en", "explain", *arguments], os.environ)
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.heavy
def test_everything_listed_has_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    code, listed = explained(capsys)
    assert code == ExitCode.OK
    names = [item["id"] for item in listed["data"]]
    assert len(names) == len(set(names))

    for name in names:
        code, page = explained(capsys, name)
        assert (code, page["data"]["id"]) == (ExitCode.OK, name)


def test_every_error_exit_code_and_verdict_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    names = {item["id"] for item in explained(capsys)[1]["data"]}

    assert {member.code for member in error_classes()} <= names
    assert {f"exit-{int(code)}" for code in ExitCode} <= names
    assert {verdict.value for verdict in (*DutyVerdict, *CheckVerdict)} <= names


def test_a_duty_shows_its_clause_and_what_counts_as_evidence(capsys: pytest.CaptureFixture[str]) -> None:
    _code, page = explained(capsys, "10.2-content")

    assert "tối thiểu 1 tuần/lần" in page["data"]["text"]
    assert page["data"]["evidence"]["vi"]


def test_an_exit_code_names_the_errors_that_end_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    _code, page = explained(capsys, "exit-5")

    assert "PO1204" in page["data"]["errors"]


def test_case_does_not_matter(capsys: pytest.CaptureFixture[str]) -> None:
    assert explained(capsys, "po1203")[1]["data"]["name"] == "MediumUnavailable"
    assert explained(capsys, "Pending")[1]["data"]["id"] == "pending"


def test_an_unknown_name_suggests_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    code, page = explained(capsys, "insuficient-evidence")

    assert code == ExitCode.USAGE
    assert "insufficient-evidence" in page["error"]["hint"]


def test_error_codes_are_unique_and_every_class_explains_itself() -> None:
    classes = error_classes()

    assert len({member.code for member in classes}) == len(classes)
    for member in classes:
        assert "explanation" in vars(member), member
        assert str(member.explanation).endswith(".")


def test_check_is_explained_in_the_readers_language(capsys: pytest.CaptureFixture[str]) -> None:
    shown = {}
    for language in ("vi", "en"):
        assert run(["--lang", language, "explain", "acct.uid0"], os.environ) == ExitCode.OK
        shown[language] = capsys.readouterr().out

    assert "Only root has the user number 0." in shown["en"]
    assert "Only root" not in shown["vi"] and "Chỉ root" in shown["vi"]
