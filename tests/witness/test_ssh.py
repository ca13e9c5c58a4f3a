"""A witness and a portal's host with a real sshd between them."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.header import decode_header, make_header
from pathlib import Path

import pytest

from commands.cli.entry import run
from portalops.errors import ExitCode
from portalops.ledger.heads import newest_head
from portalops.ledger.ledger import Ledger
from tests.anchors.parts import Mailbox, line_server, mail_server
from tests.ledger.ledgers import tamper
from tests.servers import SshHost, new_key, sshd
from tests.witness.hosts import PROGRAM, Portal, Witness, done

ESCAPES = r"\033]0;owned\007\033[2J\033[31mhello"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshHost]:
    with sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as running:
        yield running


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path / "witness")


@pytest.fixture
def portal(tmp_path: Path, witness: Witness, host: SshHost, box: Mailbox) -> Portal:
    """A portal that has worked, and a witness that is set up for it."""
    made = Portal(tmp_path / "portal", witness_key=witness.key)
    made.work(2)
    host.answer_with(made.forced)
    witness.watch("ssh", witness.ssh(host, key=made.key, timeout_seconds=20), mail_port=box.port)
    return made


def subjects(box: Mailbox) -> list[str]:
    return [str(make_header(decode_header(message_from_bytes(mail)["Subject"]))) for mail in box.mails]


@pytest.mark.heavy
def test_a_witness_takes_a_head_and_its_receipt_is_recorded(portal: Portal, witness: Witness) -> None:
    code, first, _result = witness.look()

    assert (code, first["verdict"], first["new"]) == (ExitCode.OK, "current", True)
    head = newest_head(portal.ledger)
    assert head is not None
    assert (witness.kept / "heads" / f"{head.head.size:010d}.txt").read_text() == head.signed.text
    assert (witness.kept / "heads" / f"{head.head.size:010d}.sig").read_text() == head.signed.signature
    assert [record.subject for record in portal.ledger.records(kinds=("anchor.received",))] == ["so-tttt"]


@pytest.mark.heavy
def test_watching_feeds_itself_no_signs_of_life(portal: Portal, witness: Witness) -> None:
    witness.look()
    records = portal.ledger.count()

    code, second, _result = witness.look()

    assert (code, second["new"]) == (ExitCode.OK, False)
    assert portal.ledger.count() == records


@pytest.mark.heavy
def test_what_the_portal_does_next_is_joined(portal: Portal, witness: Witness) -> None:
    witness.look()
    portal.work()

    code, seen, _result = witness.look()

    assert (code, seen["new"], seen["records"]) == (ExitCode.OK, True, 4)  # head, receipt, two of work


@pytest.mark.heavy
def test_a_kept_head_is_one_that_an_auditor_can_bring(portal: Portal, witness: Witness) -> None:
    witness.look()
    file = next((witness.kept / "heads").glob("*.txt"))

    assert done(portal.config, "ledger", "verify", "--head", str(file)).exit_code is not ExitCode.INTEGRITY


def _cut(portal: Portal) -> None:
    """The tail is cut off, heads and all."""
    ledger = portal.ledger
    size = ledger.count() - 5
    tamper(ledger, f"DELETE FROM record WHERE seq > {size}")
    line = ledger.record(size)
    assert line is not None
    from portalops.ledger.record import line_digest

    tamper(ledger, "UPDATE tail SET size = ?, head = ?", (size, line_digest(line.line)))


def _cut_and_gone_on(portal: Portal) -> None:
    """An old copy is put back, and what came since is done anew with the real key."""
    _cut(portal)
    portal.work(5)


def _exchanged(portal: Portal) -> None:
    """Another ledger stands in the place, with the same key."""
    shutil.rmtree(portal.state)
    portal.work(9)


def _resigned(portal: Portal) -> None:
    """The key was exchanged, and the heads with it."""
    (portal.folder / "signing").unlink()
    from tests.servers import new_key

    shutil.rmtree(portal.state)
    new_key(portal.folder / "signing")
    portal.work(9)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("attack", "reason"),
    [
        (_cut, "roll-back"),
        (_cut_and_gone_on, "rewritten"),
        pytest.param(_exchanged, "other-ledger", marks=pytest.mark.heavy),  # what tests/witness/test_rules.py judges
        pytest.param(_resigned, "other-ledger", marks=pytest.mark.heavy),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_a_ledger_that_was_tampered_with_is_refused_and_told(
    portal: Portal,
    witness: Witness,
    box: Mailbox,
    attack: Callable[[Portal], None],
    reason: str,
) -> None:
    portal.work(2)
    witness.look()
    kept = sorted(path.name for path in (witness.kept / "heads").iterdir())
    attack(portal)

    code, seen, _result = witness.look()

    assert (code, seen["verdict"], seen["reason"], seen["code"]) == (ExitCode.INTEGRITY, "refused", reason, "PO1110")
    assert sorted(path.name for path in (witness.kept / "heads").iterdir()) == kept
    assert {path.suffix for path in (witness.kept / "refused").iterdir()} == {".txt", ".sig", ".json"}
    assert len(box.mails) == 1
    assert "mốc sổ cái" in subjects(box)[0] or "ALARM" in subjects(box)[0]

    again, _seen, _result = witness.look()
    assert again == ExitCode.INTEGRITY
    assert len(box.mails) == 1, "the next mail comes after a day"


@pytest.mark.heavy
def test_a_record_that_was_changed_in_place_is_told_by_the_host_itself(portal: Portal, witness: Witness) -> None:
    witness.look()
    portal.work()
    tamper(portal.ledger, "UPDATE record SET line = CAST('{}' AS BLOB) WHERE seq = (SELECT max(seq) FROM record)")

    code, seen, _result = witness.look()

    assert (code, seen["reason"]) == (ExitCode.INTEGRITY, "damaged")


@pytest.mark.heavy
def test_what_was_refused_stands_while_the_host_hides_and_is_over_when_it_shows_the_truth(
    portal: Portal, witness: Witness, host: SshHost, box: Mailbox
) -> None:
    witness.look()
    with portal.as_it_is_now():
        _exchanged(portal)
        assert witness.look()[0] == ExitCode.INTEGRITY
        host.answer_with("exit 1")
        assert witness.look()[0] == ExitCode.INTEGRITY
    host.answer_with(portal.forced)

    code, seen, _result = witness.look()

    assert (code, seen["verdict"], seen["alarm"]) == (ExitCode.OK, "current", None)
    assert len(box.mails) == 2


@pytest.mark.parametrize(
    "command",
    [
        "sleep 60",
        "yes {",
        "head -c 100000000 /dev/zero",
        "yes ' ' >&2",
        "echo hello",
        "true",
        "exit 7",
        f"printf '{ESCAPES}'",
        f"printf '{ESCAPES}' >&2; exit 9",
        "printf '[%0100000d' 0 | tr 0 '['",
        'printf \'{"schema":"portalops/1","ok":false,"error":{"code":"PO1102","message":"\\\\u001b[2J"}}\'',
        "kill -9 $$",
    ],
)
def test_a_host_that_answers_with_anything_else_is_not_reached(
    portal: Portal, witness: Witness, host: SshHost, command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    host.answer_with(command)
    witness.watch("ssh", witness.ssh(host, key=portal.key, timeout_seconds=2))
    before = time.monotonic()

    code = run(["watch-remote", "--config", str(witness.config)], {"LANG": "C.UTF-8"})

    shown = capfd.readouterr()
    assert code == ExitCode.PARTIAL
    assert "Traceback" not in shown.err
    assert "\x1b" not in shown.out + shown.err
    assert time.monotonic() - before < 50


def test_an_answer_that_is_cut_in_the_middle_is_not_reached(portal: Portal, witness: Witness, host: SshHost) -> None:
    host.answer_with(f"{portal.forced} | head -c 1000")

    assert witness.look()[0] == ExitCode.PARTIAL


@pytest.mark.heavy
def test_a_line_that_is_cut_in_the_middle_is_refused(portal: Portal, witness: Witness, host: SshHost) -> None:
    cut = "import json,sys; e=json.load(sys.stdin); l=e['data']['lines']; l[1]=l[1][:90]; print(json.dumps(e))"
    host.answer_with(f"{portal.forced} | {shlex.quote(sys.executable)} -c {shlex.quote(cut)}".replace("'\"'\"'", "'"))
    script = portal.folder / "cut.py"
    script.write_text(cut.replace("; ", "\n"))
    host.answer_with(f"{portal.forced} | {shlex.quote(sys.executable)} {script}")

    code, seen, _result = witness.look()

    assert (code, seen["reason"]) == (ExitCode.INTEGRITY, "rewritten")


@pytest.mark.heavy
def test_a_host_with_another_key_gets_no_command(
    portal: Portal, witness: Witness, host: SshHost, tmp_path: Path
) -> None:
    witness.look()
    with sshd(tmp_path / "other") as other:
        trace = tmp_path / "was-run"
        other.answer_with(f"touch {trace}")
        witness.watch("ssh", witness.ssh(other, key=portal.key, host_key=host.host_key))

        code, seen, _result = witness.look()

    assert code == ExitCode.PARTIAL
    assert "another host key" in seen["problem"]
    assert not trace.exists()


@pytest.mark.heavy
def test_a_known_hosts_file_pins_as_well(portal: Portal, witness: Witness, host: SshHost, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    values = {key: value for key, value in witness.ssh(host, known_hosts=str(known)).items() if key != "host_key"}
    witness.watch("ssh", values)

    known.write_text(f"[127.0.0.1]:{host.port + 1} {host.host_key}\n")
    assert witness.look()[0] == ExitCode.PARTIAL
    known.write_text(f"[127.0.0.1]:{host.port} {host.host_key}\n")
    assert witness.look()[0] == ExitCode.OK


def test_a_server_that_says_nothing_is_given_up_in_time(portal: Portal, witness: Witness, host: SshHost) -> None:
    with line_server(lambda _connection: None) as port:
        witness.watch("ssh", {**witness.ssh(host), "port": port, "timeout_seconds": 1})
        before = time.monotonic()

        code, seen, _result = witness.look()

    assert code == ExitCode.PARTIAL
    assert time.monotonic() - before < 20
    assert "in time" in seen["problem"]


def test_nobody_at_the_port_is_not_reached(portal: Portal, witness: Witness, host: SshHost) -> None:
    with line_server(lambda _connection: None) as port:
        pass
    witness.watch("ssh", {**witness.ssh(host), "port": port})

    assert witness.look()[0] == ExitCode.PARTIAL


def test_a_key_that_is_not_let_in_is_not_reached(portal: Portal, witness: Witness, host: SshHost) -> None:
    (host.folder / "authorized_keys").write_text("")

    code, seen, _result = witness.look()

    assert code == ExitCode.PARTIAL
    assert "refuses this key" in seen["problem"]


@pytest.mark.parametrize(
    "asked",
    ["", "id", "portalops ledger extend --after 1; id", "portalops ledger extend --after $(id)", "ledger show 1"],
)
def test_the_forced_command_answers_nothing_else(portal: Portal, host: SshHost, asked: str) -> None:
    ssh = ["ssh", "-F", "none", "-p", str(host.port), "-i", str(host.folder / "client"), "-o", "BatchMode=yes"]
    ssh += ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]

    answer = subprocess.run([*ssh, "127.0.0.1", asked], capture_output=True, check=False, stdin=subprocess.DEVNULL)

    assert answer.returncode == ExitCode.USAGE
    assert json.loads(answer.stdout)["error"]["code"] == "PO1601"


@pytest.mark.heavy
def test_a_receipt_by_a_witness_that_the_host_does_not_know_is_refused_in_words(
    portal: Portal, witness: Witness, tmp_path: Path
) -> None:
    text = portal.config.read_text(encoding="utf-8")
    portal.config.write_text(text.replace(witness.key, new_key(tmp_path / "another")), encoding="utf-8")

    code, _seen, result = witness.look()

    assert code == ExitCode.OK
    assert any("did not accept the receipt" in str(said) and ", it says PO" in str(said) for said in result.warnings)


@pytest.mark.heavy
def test_a_receipt_that_is_not_taken_leaves_the_head_kept(portal: Portal, witness: Witness, host: SshHost) -> None:
    host.answer_with(f"{PROGRAM} ledger extend --json --config {portal.config}")  # it does not know of receipts

    code, seen, result = witness.look()

    assert (code, seen["new"]) == (ExitCode.OK, True)
    assert any("did not accept the receipt" in str(warning) for warning in result.warnings)
    host.answer_with(portal.forced)
    witness.look()
    assert len(list(portal.ledger.records(kinds=("anchor.received",)))) == 1, "the next look hands it over"


@pytest.mark.heavy
def test_a_lost_key_waits_until_a_person_accepts_the_new_one(portal: Portal, witness: Witness, tmp_path: Path) -> None:
    from portalops.ledger.heads import rotate_key
    from portalops.signatures.sshsig import SigningKey, fingerprint
    from tests.servers import new_key

    witness.look()
    (portal.folder / "signing").unlink()
    new_key(portal.folder / "signing")
    key = SigningKey.load(portal.folder / "signing")
    ledger = Ledger.open(portal.state, portal.clock, create=True)
    rotate_key(ledger, None, key, reason="the disk is broken", clock=portal.clock)
    ledger.close()

    code, seen, _result = witness.look()
    assert (code, seen["reason"]) == (ExitCode.INTEGRITY, "unknown-key")

    code, seen, result = witness.look("kh", "--accept-key", fingerprint(key.public_key))
    assert (code, seen["verdict"]) == (ExitCode.OK, "current")
    assert any("accepted by a person" in str(warning) for warning in result.warnings)
    portal.work()
    assert witness.look()[0] == ExitCode.OK
