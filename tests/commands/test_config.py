"""`portalops config` lists every problem, shows every value with its origin, and describes every key."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from commands.cli.configuration_schema import configuration_schema, schema_bytes
from commands.cli.entry import run
from commands.cli.kinds import ALONE, all_kinds
from portalops.errors import ExitCode
from portalops.model.runs import JobKind

SCHEMA = Path(__file__).parent.parent.parent / "docs/schemas/portalops.schema.json"
KEY = "age1ktc7plp37xcgtkwtxqkglem66atmp3qfzk665e0juve274uec9nss9a7k3"
OTHER_KEY = "age18p7rr5fy8vnqyalyd5h07hp23gpgdp9lm8vye77x949urknc85wqtw7jqn"
GOOD = f"""
[portal]
id = "kh"
name = {{ vi = "Cổng", en = "Portal" }}
[backup]
recipients = [{{ name = "operator", key = "{KEY}" }}, {{ name = "escrow", key = "{OTHER_KEY}" }}]
[checks.declared]
listeners = ["tcp/22"]
[[updates.source]]
id = "news"
kind = "feed"
url = "https://example.test/rss"
channel = "portal"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "portalops.toml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def answered(capsys: pytest.CaptureFixture[str], config: Path, *arguments: str) -> tuple[int, Any]:
    code = run(["--json", "--lang", "en", "--config", str(config), *arguments], os.environ)
    return code, json.loads(capsys.readouterr().out)


def test_a_right_configuration_passes(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = answered(capsys, config, "config", "check")

    assert (code, answer["ok"], answer["data"]) == (ExitCode.OK, True, [])


def test_what_leaves_a_duty_without_evidence_is_a_warning(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job = "[backup.excused]\nchannels='none'\n[[job]]\nid='b'\nkind='verify'\nevery='week'\n"
    config.write_text(f"{GOOD}{job}", encoding="utf-8")

    code, answer = answered(capsys, config, "config", "check")

    warnings = " | ".join(answer["warnings"])
    assert code == ExitCode.OK
    assert "no source has the class content" in warnings
    assert "channels" not in warnings
    assert "there is no job of kind check" in warnings
    assert "there is no job of kind verify" not in warnings


def test_a_host_that_only_watches_others_is_asked_for_no_duties(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(f"{GOOD}[[witness.ledger]]\nid='khanh-hoa'\nkind='folder'\nfolder='heads'\n", encoding="utf-8")

    code, answer = answered(capsys, config, "config", "check")

    assert (code, answer["warnings"]) == (ExitCode.OK, [])


@pytest.mark.parametrize(
    ("lines", "code", "said"),
    [
        ("[[backup.medium]]\nid='m'\nkind='floppy'", "PO1008", ":16: backup.medium m is of an unknown kind: floppy"),
        ("[[updates.source]]\nid='s'\nkind='feeed'", "PO1008", ":16: updates.source s is of an unknown kind: feeed"),
        (
            "[checks.declared.host.web]\nlisteners = 22",
            "PO1001",
            ":15: checks.declared.host.web.listeners is not a list",
        ),
        ("[checks.declared]\n", "PO1003", ":14:17: not valid TOML: this table is defined twice"),
        (
            "[[job]]\nid='j'\nkind='check'\nevery='day'\nduty='99.9'",
            "PO1001",
            ":18: the job j names a duty that the rulebook",
        ),
        ("[calendar]\nfile='absent.toml'", "PO1001", "absent.toml"),
        ("[signing]\nkeyy='x'", "PO1004", ":15: unknown key signing.keyy"),
    ],
)
def test_every_problem_is_listed_with_its_place(
    config: Path, capsys: pytest.CaptureFixture[str], lines: str, code: str, said: str
) -> None:
    config.write_text(f"{GOOD}{lines}\n", encoding="utf-8")

    exit_code, answer = answered(capsys, config, "config", "check")

    assert exit_code == ExitCode.CONFIGURATION
    assert [problem["id"] for problem in answer["data"]] == [code]
    assert said in answer["data"][0]["message"]


def test_problems_of_several_kinds_are_listed_together(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = GOOD.replace('listeners = ["tcp/22"]', "listenres = 1").replace('channel = "portal"', 'channel = "radio"')
    config.write_text(text, encoding="utf-8")

    _code, answer = answered(capsys, config, "config", "check")

    messages = " | ".join(problem["message"] for problem in answer["data"])
    assert "unknown key checks.declared.listenres" in messages
    assert "updates.source.channel is not one of portal, subportal, submission" in messages


def test_one_key_twice_is_one_key(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = "[[backup.source]]\nid='f'\nkind='files'\nclass='configuration'\ninclude=['/etc']\n"
    config.write_text(GOOD.replace(OTHER_KEY, KEY) + source, encoding="utf-8")

    _code, answer = answered(capsys, config, "config", "check")

    assert "PO1208" in {problem["id"] for problem in answer["data"]}


def test_show_names_the_origin_of_every_value(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTALOPS_UPDATES_JUDGE_WEEKS", "5")

    code, answer = answered(capsys, config, "config", "show", "--origin")

    assert code == ExitCode.OK
    found = {item["id"]: (item["value"], item["origin"]) for item in answer["data"]}
    assert found["portal.id"] == ("kh", f"{config}:3")
    assert found["backup.pack_mib"] == (64, "default")
    assert found["updates.judge_weeks"] == (5, "PORTALOPS_UPDATES_JUDGE_WEEKS")
    assert found["rulebook.unit_weekly_min"][0] == 2
    assert found["rulebook.unit_weekly_min"][1].startswith("kh-37-2010@")
    assert found["updates.source[news].kind"] == ("feed", f"{config}:11")
    assert found["checks.declared.listeners"] == (["tcp/22"], f"{config}:8")


def test_an_address_with_a_login_is_refused_and_not_repeated(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(GOOD.replace("https://", "https://user:hunter2@"), encoding="utf-8")
    _code, answer = answered(capsys, config, "config", "show")

    assert "hunter2" not in json.dumps(answer)
    assert answer["error"]["code"] == "PO1006"


def test_the_published_schema_is_current() -> None:
    assert SCHEMA.read_bytes() == schema_bytes(configuration_schema()), "run: portalops config schema --output " + str(
        SCHEMA
    )


def test_the_schema_describes_every_kind() -> None:
    definitions = configuration_schema()["$defs"]

    for section, name, kind in all_kinds():
        described = definitions[f"{section}.{name}"]
        assert described["properties"]["kind"]["const"] == name
        identity = {"kind"} if section in ALONE else {"id", "kind"}
        assert identity <= set(described["required"])
        fields = kind.settings.model_fields
        assert {info.alias or key for key, info in fields.items()} <= set(described["properties"])


def test_the_schema_refers_to_nothing_that_is_not_there() -> None:
    schema = configuration_schema()

    for reference in _references(schema):
        assert reference.removeprefix("#/$defs/") in schema["$defs"], reference
    assert set(schema["$defs"]["core.JobKind"]["enum"]) == {kind.value for kind in JobKind}


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [reference for inner in node.values() for reference in _references(inner)]
    return [reference for inner in node for reference in _references(inner)] if isinstance(node, list) else []


def test_schema_is_written_as_a_file(tmp_path: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "schema.json"

    code, answer = answered(capsys, config, "config", "schema", "--output", str(target))

    assert code == ExitCode.OK
    assert json.loads(target.read_bytes()) == answer["data"]
