"""The command host, over a real sshd: enrolling, adding, listing, trying, and what is printed to be installed."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.registers.hosts import read_enrolments
from portalops.signatures.sshsig import fingerprint
from portalops.system.clock import SystemClock
from tests.servers import SshHost, new_key, sshd, user_name
from tests.shapes import run_validated

CONFIGURATION = """
[portal]
id = "demo"
name = {{ vi = "Cổng ví dụ", en = "Example portal" }}
timezone = "Asia/Ho_Chi_Minh"
rulebook = "kh-37-2010"

[state]
folder = "state"

[checks.ssh]
user = "{user}"
identity_file = "{identity}"

[[host]]
id = "here"
address = "local"

[[host]]
id = "web1"
address = "127.0.0.1"
port = {port}

[[job]]
id = "daily-check"
kind = "check"
every = "day"
duty = "12.4-testing"
"""
HERE = """
[[host]]
id = "here"
address = "local"
"""
assert HERE in CONFIGURATION


@pytest.fixture
def home(tmp_path: Path, ssh_host: SshHost) -> Path:
    configure(tmp_path, ssh_host)
    return tmp_path


def configure(folder: Path, host: SshHost) -> None:
    text = CONFIGURATION.format(user=user_name(), identity=host.folder / "client", port=host.port)
    (folder / "portalops.toml").write_text(text, encoding="utf-8")


def portalops(home: Path, *arguments: str) -> int:
    return run_validated("--config", str(home / "portalops.toml"), "--lang", "en", *arguments)


def enrol(home: Path, host: SshHost, *more: str) -> int:
    return portalops(home, "host", "enroll", "web1", "--fingerprint", fingerprint(host.host_key), *more)


def data_of(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)["data"]


def enrolments(home: Path) -> dict[str, Any]:
    found = read_enrolments(Ledger.open(home / "state", SystemClock(), create=False))
    return {str(host): each.enrolment for host, each in found.items()}


def test_fingerprint_from_paper_enrols_and_is_recorded_with_who_compared_it(home: Path, ssh_host: SshHost) -> None:
    assert enrol(home, ssh_host, "--by", "Nguyễn Văn An") == ExitCode.OK

    (enrolment,) = enrolments(home).values()
    assert enrolment.key == " ".join(ssh_host.host_key.split()[:2])
    assert (enrolment.host, enrolment.by, enrolment.compared.value) == ("web1", "Nguyễn Văn An", "given")


def test_wrong_fingerprint_records_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert portalops(home, "host", "enroll", "web1", "--fingerprint", "SHA256:" + "A" * 43) == ExitCode.PARTIAL

    assert "shows no key with this fingerprint" in capsys.readouterr().err
    assert not (home / "state" / "blobs").exists()


@pytest.mark.parametrize("text", ["SHA256:short", "MD5:aa:bb", "x" * 500, "\x1b[31m"])
def test_text_that_is_no_fingerprint_is_wrong_usage(home: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert portalops(home, "host", "enroll", "web1", "--fingerprint", text) == ExitCode.USAGE

    assert "\x1b" not in capsys.readouterr().err


def test_nobody_to_ask_is_wrong_usage_that_shows_the_fingerprint(
    home: Path, ssh_host: SshHost, capsys: pytest.CaptureFixture[str]
) -> None:
    assert portalops(home, "--no-input", "host", "enroll", "web1") == ExitCode.USAGE

    assert fingerprint(ssh_host.host_key) in capsys.readouterr().err


def test_this_machine_needs_no_key(home: Path) -> None:
    assert portalops(home, "host", "enroll", "here") == ExitCode.USAGE


def test_new_key_needs_replace_and_a_reason(tmp_path: Path) -> None:
    with sshd(tmp_path / "old") as old:
        configure(tmp_path, old)
        assert enrol(tmp_path, old) == ExitCode.OK
        assert enrol(tmp_path, old) == ExitCode.OK
    with sshd(tmp_path / "new") as new:
        configure(tmp_path, new)

        assert enrol(tmp_path, new) == ExitCode.USAGE
        assert enrol(tmp_path, new, "--replace") == ExitCode.USAGE
        assert enrolments(tmp_path)["web1"].fingerprint == fingerprint(old.host_key)
        assert enrol(tmp_path, new, "--replace", "--reason", "installed anew") == ExitCode.OK

    enrolment = enrolments(tmp_path)["web1"]
    assert enrolment.fingerprint == fingerprint(new.host_key)
    assert (enrolment.replaces, enrolment.reason) == (fingerprint(old.host_key), "installed anew")


@pytest.mark.heavy
def test_round_over_ssh_is_judged_and_listed(home: Path, ssh_host: SshHost, capsys: pytest.CaptureFixture[str]) -> None:
    ssh_host.let_in()
    enrol(home, ssh_host)
    capsys.readouterr()

    assert portalops(home, "host", "list", "--json") == ExitCode.UNMET
    assert {one["id"]: one["reached"] for one in data_of(capsys)} == {"here": None, "web1": None}

    portalops(home, "check", "run", "--json")
    done = {(one["host"], one["check"]): one for one in data_of(capsys)}
    assert done["web1", "patching.os-eol"]["verdict"] == done["here", "patching.os-eol"]["verdict"]
    assert done["web1", "patching.os-eol"]["reason"] != "host-unreachable"

    assert portalops(home, "host", "list", "--json") == ExitCode.OK
    assert {one["id"]: one["reached"] for one in data_of(capsys)} == {"here": True, "web1": True}

    assert portalops(home, "host", "facts", "web1", "os.release", "--json") == ExitCode.OK
    (fact,) = data_of(capsys)
    assert fact["fact"] and not fact["missing"]
    assert portalops(home, "host", "facts", "web1", "no.such") == ExitCode.USAGE
    assert portalops(home, "host", "facts", "web1") == ExitCode.OK
    assert "os.release" in capsys.readouterr().out


def test_host_that_shows_another_key_gets_no_command_and_the_others_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with sshd(tmp_path / "old") as old:
        configure(tmp_path, old)
        enrol(tmp_path, old)
    capsys.readouterr()
    with sshd(tmp_path / "new") as new:
        new.let_in()
        new.answer_with(f"touch {tmp_path}/touched")
        configure(tmp_path, new)

        portalops(tmp_path, "check", "run", "--check", "patching.os-eol", "--json")
        done = {one["host"]: one["reason"] for one in data_of(capsys)}
        assert portalops(tmp_path, "host", "test", "web1", "--json") == ExitCode.PARTIAL
        steps = data_of(capsys)

    assert done["web1"] == "host-key-changed"
    assert done["here"] != "host-key-changed"
    assert not (tmp_path / "touched").exists()
    assert [(step["id"], step["works"]) for step in steps] == [("connect", True), ("key", False)]


@pytest.mark.heavy
def test_every_step_of_a_way_that_works_is_told(
    home: Path, ssh_host: SshHost, capsys: pytest.CaptureFixture[str]
) -> None:
    ssh_host.let_in()
    enrol(home, ssh_host)
    capsys.readouterr()

    portalops(home, "host", "test", "web1", "--json")

    steps = {step["id"]: step["works"] for step in data_of(capsys)}
    assert list(steps)[:5] == ["connect", "key", "login", "session", "script"]
    assert all(list(steps.values())[:5])


def test_host_without_a_key_is_told_how_to_record_one(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert portalops(home, "host", "test", "web1") == ExitCode.PARTIAL

    assert "Run 'portalops host enroll web1' with the fingerprint on paper." in capsys.readouterr().out


def test_shell_that_is_none_is_told_with_its_own_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with sshd(tmp_path / "host") as host:
        host.answer_with(r"printf 'This account is \033[31mnot available.'")
        configure(tmp_path, host)
        enrol(tmp_path, host)
        capsys.readouterr()

        assert portalops(tmp_path, "host", "test", "web1") == ExitCode.UNMET
        shown = capsys.readouterr().out

    assert "not available" in shown
    assert "\x1b[31m" not in shown


def test_added_host_is_in_the_file_and_what_stood_there_stays(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = home / "portalops.toml"
    before = file.read_text(encoding="utf-8")
    file.chmod(0o640)

    added = (
        "host",
        "add",
        "db1",
        "--address",
        "db1.example.vn",
        "--port",
        "2222",
        "--role",
        "database",
        "--jump",
        "web1",
    )
    assert portalops(home, *added, "--dry-run") == ExitCode.OK
    assert file.read_text(encoding="utf-8") == before
    assert portalops(home, *added, "--custodian", 'Nguyễn "Văn" An') == ExitCode.OK
    assert portalops(home, *added) == ExitCode.USAGE

    assert file.read_text(encoding="utf-8").startswith(before)
    assert file.stat().st_mode & 0o777 == 0o640
    capsys.readouterr()
    portalops(home, "host", "show", "db1", "--json")
    shown = data_of(capsys)
    assert (shown["port"], shown["jump"], shown["roles"]) == (2222, "web1", ["database"])
    assert shown["custodian"] == 'Nguyễn "Văn" An'


@pytest.mark.parametrize(
    "wrong",
    [
        ("Không", "--address", "x"),
        ("db1", "--address", "x", "--jump", "nobody"),
        ("db1", "--address", "x", "--port", "0x"),
    ],
)
def test_host_that_would_make_the_configuration_wrong_is_not_added(home: Path, wrong: tuple[str, ...]) -> None:
    before = (home / "portalops.toml").read_bytes()

    assert portalops(home, "host", "add", *wrong) in {ExitCode.CONFIGURATION, ExitCode.USAGE}
    assert (home / "portalops.toml").read_bytes() == before


def test_what_is_printed_is_what_is_to_be_installed_byte_for_byte(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert portalops(home, "host", "helper", "--json") == ExitCode.OK
    helper = data_of(capsys)
    assert portalops(home, "host", "helper") == ExitCode.OK
    printed = capsys.readouterr().out
    assert hashlib.sha256(printed.encode()).hexdigest() == helper["sha256"]

    assert portalops(home, "host", "sudoers", "--user", "portalops", "--json") == ExitCode.OK
    sudoers = data_of(capsys)["text"]
    assert portalops(home, "host", "sudoers", "--user", "portalops") == ExitCode.OK
    assert capsys.readouterr().out == sudoers
    assert helper["sha256"] in sudoers


def test_sudoers_of_a_host_names_the_programs_where_they_lie_there(
    home: Path, ssh_host: SshHost, capsys: pytest.CaptureFixture[str]
) -> None:
    ssh_host.let_in()
    enrol(home, ssh_host)
    capsys.readouterr()

    assert portalops(home, "host", "sudoers", "web1", "--user", "portalops") == ExitCode.OK

    text = capsys.readouterr().out
    assert "/sbin/sshd -T" in text and "no-such" not in text


@pytest.mark.parametrize("account", ["root", "a b", "ALL", "-x", "portalops ALL=(ALL) ALL"])
def test_account_that_sudoers_would_read_otherwise_is_refused(home: Path, account: str) -> None:
    assert portalops(home, "host", "sudoers", f"--user={account}") == ExitCode.USAGE


def test_authorized_key_is_restricted_and_taken_by_openssh(
    home: Path, ssh_host: SshHost, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert portalops(home, "host", "authorized-key", "--from", "10.0.0.5", "--from", "fd00::/64") == ExitCode.OK

    line = capsys.readouterr().out
    (tmp_path / "keys").write_text(line)
    done = subprocess.run(["ssh-keygen", "-lf", str(tmp_path / "keys")], capture_output=True, text=True, check=True)
    assert line.startswith('restrict,from="10.0.0.5,fd00::/64" ssh-ed25519 ')
    assert fingerprint(ssh_host.client_key) in done.stdout
    with (home / "portalops.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[host]]\nid = "db1"\naddress = "10.0.0.7"\nport = 2222\njump = "web1"\n')
    portalops(home, "host", "authorized-key", "web1", "--from", "10.0.0.5")
    through = capsys.readouterr().out
    assert through.startswith('restrict,from="10.0.0.5",port-forwarding,permitopen="10.0.0.7:2222" ssh-ed25519 ')
    assert portalops(home, "host", "authorized-key") == ExitCode.USAGE
    assert portalops(home, "host", "authorized-key", "--from", '10.0.0.5",command="x') == ExitCode.USAGE


def test_stranger_key_is_told_at_the_login_step(
    home: Path, ssh_host: SshHost, capsys: pytest.CaptureFixture[str]
) -> None:
    enrol(home, ssh_host)
    new_key(home / "stranger")
    text = (home / "portalops.toml").read_text(encoding="utf-8")
    (home / "portalops.toml").write_text(text.replace(str(ssh_host.folder / "client"), "stranger"), encoding="utf-8")
    capsys.readouterr()

    assert portalops(home, "host", "test", "web1", "--json") == ExitCode.PARTIAL
    assert [(step["id"], step["works"]) for step in data_of(capsys)][-1] == ("login", False)


@pytest.mark.parametrize(
    ("exit_code", "complaint", "said"),
    [
        (127, "sh: 1: exec: sha256sum: not found", "the host has no sha256sum"),
        (3, "", "is not there"),
        (1, "sha256sum: /usr/local/libexec/portalops-helper: Permission denied", "Permission denied"),
    ],
)
def test_helper_that_cannot_be_read_is_not_said_to_be_absent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], exit_code: int, complaint: str, said: str
) -> None:
    with sshd(tmp_path / "host") as host:
        sections = (
            ("test.account", "portal", "", 0),
            ("test.helper", "", complaint, exit_code),
            ("test.programs", "", "", 0),
        )
        answer = "".join(
            f"<<<%s {name}>>>\\n{out}\\n<<<%s {name} stderr>>>\\n{err}\\n<<<%s {name} rc={code} s=0>>>\\n"
            for name, out, err, code in sections
        )
        host.answer_with(f"N=${{SSH_ORIGINAL_COMMAND##* }}; printf '{answer}<<<%s done>>>\\n'{' $N' * 10}")
        configure(tmp_path, host)
        enrol(tmp_path, host)
        capsys.readouterr()

        assert portalops(tmp_path, "host", "test", "web1", "--json") == ExitCode.UNMET
        (helper,) = (step for step in data_of(capsys) if step["id"] == "helper")

    assert said in helper["said"]
    assert ("is not there" in helper["said"]) is (said == "is not there")


HOSTILE = (
    "N=${SSH_ORIGINAL_COMMAND##* }; "
    r"printf '<<<%s os.release>>>\nID=debian\nVERSION_ID=\033[31m13\302\233\342\200\256\n' $N; "
    r"printf '<<<%s os.release stderr>>>\n\n<<<%s os.release rc=0 s=0>>>\n<<<%s done>>>\n' $N $N $N"
)


@pytest.mark.heavy
def test_what_a_hostile_host_says_is_escaped_wherever_it_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with sshd(tmp_path / "host") as host:
        host.answer_with(HOSTILE)
        configure(tmp_path, host)
        file = tmp_path / "portalops.toml"
        file.write_text(file.read_text(encoding="utf-8").replace(HERE, ""), encoding="utf-8")
        enrol(tmp_path, host)

        shown = []
        for call in (
            ("check", "run"),
            ("check", "results"),
            ("host", "facts", "web1"),
            ("host", "facts", "web1", "os.release"),
        ):
            for form in ((), ("--json",)):
                portalops(tmp_path, *call, *form)
                shown.append(capsys.readouterr().out)

    assert "033[31m" in "".join(shown) or "x1b[31m" in "".join(shown), "it was not shown at all"
    for text in shown:
        assert not {"\x1b", "\x9b", "\u202e"} & set(text)


def test_host_that_floods_is_cut_and_the_others_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with sshd(tmp_path / "host") as host:
        host.answer_with("yes")
        configure(tmp_path, host)
        enrol(tmp_path, host)
        capsys.readouterr()

        portalops(tmp_path, "check", "run", "--check", "patching.os-eol", "--json")

    reasons = {one["host"]: one["reason"] for one in data_of(capsys)}
    assert reasons["web1"] == "answer-cut"
    assert reasons["here"] != "answer-cut"
