"""What holds for every verb: what it refuses, whatever it does."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.cli.calling import command_of
from commands.cli.declared import DeclaredCommand, DeclaredParameter, Takes, declared_commands
from commands.cli.entry import run
from commands.cli.help import Parameter, name_of, parameters_of
from portalops.errors import ExitCode
from tests.commands.signed_home import Home

LEAVES = {verb.called: verb for command in declared_commands() for verb in command.leaves()}
HUGE = str(10**20)
EXTRA = """
[[unit]]
id = "so-y-te"
name = { vi = "Sở Y tế" }

[[host]]
id = "web1"
address = "local"

[backup]
recipients = [
  { name = "operator", key = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p" },
  { name = "escrow", key = "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg" },
]

[[backup.source]]
id = "content"
kind = "files"
class = "content"
include = ["/etc/hostname"]

[[backup.medium]]
id = "disk-a"
kind = "disk"
folder = "disk-a"

[[job]]
id = "drill"
kind = "drill"
every = "month"

[[job]]
id = "backup"
kind = "backup"
every = "week"

[[job]]
id = "updates"
kind = "updates"
every = "day"
"""
NOT_ASKED = {
    ("media add", "ID"): "it names what is new",
    ("host add", "HOST"): "it names what is new",
    ("check results", "--host"): "without a scan there is nothing to choose from",
    ("media destroyed", "ID"): "discs are asked for, and no set has any",
    ("incident correct", "--host"): "there is no incident",
    ("updates matrix", "--unit"): "nothing was collected",
    ("updates status", "--unit"): "nothing was collected",
    ("backup drill", "--medium"): "there is no key",
    ("backup restore", "--medium"): "there is no key",
    ("backup restore", "--source"): "there is no key",
    ("backup diff", "--source"): "there is no second side",
    ("backup find", "--source"): "there is no key",
    ("backup ls", "--source"): "there is no set",
    ("backup ls", "--medium"): "there is no set",
}
FIRST = {
    ("NAME", "--host"): "servers",
    ("NAME", "--unit"): "updates",
    ("CHECK", "--host"): "ssh.root-login",
    ("FIRST", "LAST"): "1",
    ("LAST", "FIRST"): "1",
}
"""Arguments that another parameter goes with."""
BESIDE = {
    "backup run": ["--dry-run"],
    "updates exempt": [
        "--kind",
        "fault",
        "--from",
        "2026-01-01",
        "--to",
        "2026-01-02",
        "--document",
        "1",
        "--approver",
        "x",
    ],
    "updates observe": ["--channel", "portal", "--title", "x", "--address", "http://x.example/", "--officer", "x"],
}
"""What else these verbs ask for before they look at an id."""


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    (tmp_path / "disk-a").mkdir()
    Home(tmp_path, capsys, extra=EXTRA)
    return tmp_path


def given(verb: DeclaredCommand, chosen: str, value: str) -> list[str]:
    """Return a call of a verb with a value of one parameter, and something for each that it cannot do without."""
    arguments = []
    for each in verb.arguments:
        if chosen in each.names:
            arguments.append(value)
        elif each.is_required or any(chosen in later.names for later in verb.arguments[verb.arguments.index(each) :]):
            arguments.append(FIRST.get((each.value, chosen), "x"))
    for each in verb.options:
        if chosen in each.names:
            arguments += [each.names[-1], value]
        elif each.is_required:
            arguments += [each.names[-1], sample(each)]
    return [*verb.called.split(" "), *arguments]


def sample(option: DeclaredParameter) -> str:
    return option.choices[0] if option.choices else "2026-01-01" if option.value in {"DAY", "MOMENT"} else "x"


def numbers() -> Iterator[tuple[str, str]]:
    for called in LEAVES:
        arguments, options = parameters_of(command_of(called))
        parameters: list[Parameter] = [*arguments, *options]
        for each in parameters:
            if each.type_descriptor.annotation is int:
                yield called, name_of(each)


@pytest.mark.parametrize(("called", "name"), list(numbers()))
def test_a_number_that_no_ledger_holds_is_wrong_usage(
    called: str, name: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = given(LEAVES[called], name, HUGE)

    assert run(["--config", str(home / "portalops.toml"), "--json", *call], {}) == ExitCode.USAGE
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["message"].startswith(f"{name} takes a whole number from ")


@pytest.mark.parametrize(
    ("called", "name"),
    [
        (called, each.names[-1])
        for called, verb in LEAVES.items()
        for each in (*verb.arguments, *verb.options)
        if each.takes is Takes.CONFIGURED_ID and (called, each.names[-1]) not in NOT_ASKED
    ],
)
def test_an_id_that_is_not_known_is_wrong_usage_and_named(
    called: str, name: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = [*given(LEAVES[called], name, "nope"), *BESIDE.get(called, ())]

    code = run(["--config", str(home / "portalops.toml"), "--json", "--no-input", *call], {})

    answer = json.loads(capsys.readouterr().out)
    assert (code, "nope" in answer["error"]["message"]) == (ExitCode.USAGE, True), answer["error"]


def test_every_example_can_be_pasted() -> None:
    for called, verb in LEAVES.items():
        assert verb.examples, called
        for example in verb.examples:
            shlex.split(example)
            assert ", every" not in example, called
        assert any(f"portalops {called}" in example for example in verb.examples), called


@pytest.mark.parametrize(
    ("call", "message", "hint"),
    [
        ("ledger move --to nope", "--to takes one of: store, file", "ledger move --help"),
        ("--no-such", "there is no option --no-such", "portalops --help"),
        ("updates report --month 2026-13", "--month: 2026-13 is not a month", "Write it as 2026-11."),
        ("calendar check 0001-01-01", "0001-01-01 is in none of the years", "from 1990 to 2100"),
        ("media add z --label x --place y --custodian z --kind nope", "nope is not a kind of medium", "disk, optical"),
        ("host add A_b --address x", "[[host]]:2: host.id is not an id", "lower-case letters"),
        (
            "host add b --address=-oProxyCommand=x",
            "[[host]]:3: host.address is neither a host name nor an address",
            "such as web1",
        ),
        (
            "host add b --address x --user=-oProxyCommand=x",
            "[[host]]:4: host.user is not the name of an account",
            "/etc/passwd",
        ),
        ("vuln bundle check /nope", "cannot read /nope: No such file", "Check the path"),
        ("check waive ssh.root-login --host web1 --reason x --approver y", "--reference is missing", "--withdraw"),
    ],
)
def test_a_wrong_call_is_told_with_what_is_right(
    call: str, message: str, hint: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["--config", str(home / "portalops.toml"), "--json", *call.split()], {})

    error = json.loads(capsys.readouterr().out)["error"]
    assert code in {ExitCode.USAGE, ExitCode.CONFIGURATION}
    assert message in error["message"]
    assert hint in error["hint"]
