"""The register of credentials from the command line, on a real ledger: what is recorded, refused, and never repeated."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import unicodedata
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from checks.servers.credential_audit import PROBES, ROADS
from commands.cli.catalogue import named
from commands.cli.entry import run
from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import Draft
from portalops.model.checks import CheckResult, CheckScan, HostScan
from portalops.model.message import verbatim
from portalops.model.organisation import HostId
from portalops.model.record import RunId
from portalops.model.verdicts import CheckVerdict, Severity
from portalops.registers.credentials import read_credentials
from portalops.system.clock import SystemClock
from tests.checks.servers.samples import as_answer
from tests.shapes import validate

KEY_OF_AN = "SHA256:Joz0zmhsBRNQ5hPfOa1W8OO3tJlEYviRr92Dj1SpFoA"
OTHER_KEY = "SHA256:VTgqYQdl21b0fIigWLmYVMSk8KeIYCLgEIx6F+6IoZI"
CONFIGURATION = f"""
[portal]
id = "demo"
name = {{ vi = "Cổng ví dụ", en = "Example portal" }}
timezone = "Asia/Ho_Chi_Minh"
rulebook = "kh-37-2010"

[state]
folder = "state"

[[host]]
id = "web1"
address = "192.0.2.1"

[checks.declared.members.nguyen-van-an]
keys = ["{KEY_OF_AN}"]
accounts = ["an"]

[checks.declared.members.tran-thi-binh]
accounts = ["binh"]

[checks.declared.host.web1.members.nguyen-van-an]
keys = ["{KEY_OF_AN}"]
accounts = ["an"]

[checks.declared.host.web1.members.tran-thi-binh]
accounts = ["binh"]
"""


def today() -> date:
    """The day as the commands have it: the portal's, whatever the machine's time zone is."""
    return datetime.now(ZoneInfo("Asia/Ho_Chi_Minh")).date()


TODAY = today()
"""Of the beginning: midnight may come between it and a command."""
ADD = ("credential", "add")
AN = ("--holder", "nguyen-van-an", "--deputy", "tran-thi-binh", "--place", "Két sắt phòng 204")
ROOT = ("web1-root", "--system", "host:web1", "--account", "root", "--kind", "password", *AN)
KEY = ("web1-an", "--system", "host:web1", "--account", "an", "--kind", "key", *AN)
ISSUED = ("--issued", (TODAY - timedelta(days=10)).isoformat())
YESTERDAY = int((datetime.now(UTC) - timedelta(days=1)).timestamp())
HOST_SAYS = f"""<<<acct.passwd>>>
root:x:0:0::/root:/bin/bash
daemon:x:1:1::/usr/sbin:/usr/sbin/nologin
an:x:1000:1000::/home/an:/bin/bash
binh:x:1001:1001::/home/binh:/bin/bash
khach:x:1002:1002::/home/khach:/bin/bash
<<<acct.passwd rc=0>>>
<<<acct.shadow>>>
root|locked|20700|99999
daemon|locked|20700|99999
an|locked|20700|99999
binh|crypt-y|20700|99999
khach|crypt-y|20700|99999
<<<acct.shadow rc=0>>>
<<<acct.group>>>
root:0:
sudo:27:an,binh
<<<acct.group rc=0>>>
<<<acct.keys>>>
file|an|600|an|2|0|/etc/ssh/keys/an
key|an|256|{KEY_OF_AN}|ED25519
key|an|3072|{OTHER_KEY}|RSA
end 5
<<<acct.keys rc=0>>>
<<<acct.logins>>>
oldest 1780000000
1795669370.353986 portal sshd-session[102]: Accepted publickey for an from 198.18.0.1 port 36218 ssh2: RSA {OTHER_KEY}
end
<<<acct.logins rc=0>>>
<<<acct.sudo-uses>>>
oldest 1780000000
use|{YESTERDAY}|2|an|root|pts/1
use|{YESTERDAY}|1|khach|root|-
end
<<<acct.sudo-uses rc=0>>>
<<<db.postgresql-roles>>>
<<<db.postgresql-roles rc=127>>>
<<<db.mysql-accounts>>>
<<<db.mysql-accounts rc=127>>>
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    return tmp_path


def portalops(home: Path, *arguments: str, language: str = "en") -> int:
    return run(["--config", str(home / "portalops.toml"), "--lang", language, *arguments], {})


def asked(home: Path, capsys: pytest.CaptureFixture[str], *arguments: str, expected: ExitCode = ExitCode.OK) -> Any:
    capsys.readouterr()
    code = portalops(home, *arguments, "--json")
    said = capsys.readouterr()
    assert code == expected, said.out + said.err
    data = json.loads(said.out)["data"]
    validate(named(arguments)[0], data)
    return data


def refused(home: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert portalops(home, *arguments) == ExitCode.USAGE
    said = capsys.readouterr()
    return said.out + said.err


def ledger_of(home: Path) -> Ledger:
    return Ledger.open(home / "state", SystemClock(), create=False)


def answered(home: Path, answer: bytes, at: datetime | None = None, *, host: str = "web1") -> None:
    """Record a round in which the host answered this."""
    at = at or datetime.now(UTC)
    ledger = Ledger.open(home / "state", SystemClock(), create=True)
    evidence = ledger.keep(answer)
    result = CheckResult(
        "acct.uid0", HostId(host), "12.5", Severity.LOW, CheckVerdict.PASS, "", verbatim("-"), None, (evidence,)
    )
    body = CheckScan((HostScan(HostId(host), at, True, "", (result,)),))
    ledger.append(
        "check.finished", run=RunId(f"12.4:daily:{ledger.count()}"), subject="daily", body=bodies.write({"check": body})
    )
    ledger.close()


def test_credential_goes_through_its_whole_life(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = asked(home, capsys, *ADD, *ROOT, *ISSUED)
    assert (made["id"], made["record"], made["due_on"]) == ("web1-root", 2, (TODAY + timedelta(days=50)).isoformat())
    assert asked(home, capsys, "credential", "list")[0]["problems"] == []

    moved = asked(home, capsys, "credential", "hand-over", "web1-root", "--to", "tran-thi-binh")
    assert (moved["holder"], moved["deputy"], moved["custody_record"]) == ("tran-thi-binh", None, 3)
    assert moved["knowers"] == ["nguyen-van-an", "tran-thi-binh"]
    days = {today()}
    changed = asked(home, capsys, "credential", "rotate", "web1-root")
    days.add(today())
    assert (changed["knowers"], changed["secret_record"]) == (["tran-thi-binh"], 4)
    corrected = asked(
        home, capsys, "credential", "correct", "web1-root", "--deputy", "nguyen-van-an", "--reason", "left out"
    )
    assert (corrected["deputy"], corrected["secret_record"]) == ("nguyen-van-an", 4)
    assert date.fromisoformat(corrected["rotated_on"]) in days

    asked(home, capsys, "credential", "return", "web1-root", "--received-by", "Lê Văn Chi")
    assert asked(home, capsys, "credential", "list") == []
    shown = asked(home, capsys, "credential", "show", "web1-root")
    assert [each["id"] for each in shown["records"]] == ["2", "3", "4", "5", "6"]
    assert shown["returned_record"] == 6
    assert "was returned, by record 6" in refused(home, capsys, "credential", "rotate", "web1-root")
    asked(home, capsys, *ADD, *ROOT, *ISSUED)  # its id may be used again


def test_leaving_lists_all_that_must_be_returned_until_nothing_is_left(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked(home, capsys, *ADD, *ROOT, *ISSUED)
    asked(home, capsys, *ADD, *KEY, *ISSUED)
    leave = ("credential", "leave", "Nguyen-Van-An")

    planned = asked(home, capsys, *leave, "--dry-run", expected=ExitCode.UNMET)
    assert (planned["record"], planned["left_on"]) == (None, None)
    left = asked(home, capsys, *leave, expected=ExitCode.UNMET)
    assert ([each["id"] for each in left["to_return"]], left["record"]) == (["web1-root", "web1-an"], 4)
    assert "known to nguyen-van-an, who left (records 2, 4)" in str(
        asked(home, capsys, "credential", "list", expected=ExitCode.UNMET)
    )
    assert "left, by record 4" in refused(home, capsys, "credential", "hand-over", "web1-an", "--to", "nguyen-van-an")
    asked(home, capsys, "credential", "return", "web1-an", "--received-by", "Trần Thị Bình")
    asked(home, capsys, "credential", "hand-over", "web1-root", "--to", "tran-thi-binh")
    assert [each["id"] for each in asked(home, capsys, *leave, expected=ExitCode.UNMET)["to_return"]] == ["web1-root"]
    asked(home, capsys, "credential", "rotate", "web1-root")

    done = asked(home, capsys, *leave)
    assert (done["to_return"], done["recorded"], done["record"]) == ([], False, 4)
    assert asked(home, capsys, *leave, "--back", "--reason", "came back")["left_on"] is None


def test_dry_run_records_nothing_and_refuses_what_would_be_refused(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(home, capsys, *ADD, *ROOT, "--dry-run") == {"id": "web1-root", "record": None, "recorded": False}
    assert not (home / "state").exists()
    asked(home, capsys, *ADD, *ROOT)

    assert "already" in refused(home, capsys, *ADD, *ROOT, "--dry-run")
    assert ledger_of(home).count() == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*ADD, *ROOT, "--system", "web1"), "KIND:NAME"),
        ((*ADD, *ROOT, "--system", "host:web9"), "there is no host web9"),
        ((*ADD, *ROOT, "--holder", "le-van-chi"), "there is no member le-van-chi"),
        ((*ADD, *ROOT, "--deputy", "nguyen-van-an"), "the same person"),
        ((*ADD, *ROOT, "--kind", "rune"), "no kind of credential"),
        ((*ADD, *ROOT, "--issued", "yesterday"), "--issued is not a day"),
        ((*ADD, *ROOT, "--issued", "2999-01-01"), "in the future"),
        ((*ADD, *ROOT, *ISSUED, "--rotate-by", "2999-01-01"), "not within 60 days"),
        ((*ADD, *ROOT, "--fingerprint", KEY_OF_AN), "no fingerprint"),
        ((*ADD, *KEY, "--fingerprint", "00" * 32), "--fingerprint does not have the form"),
        (("credential", "correct", "web1-root", "--reason", "x", "--deputy", "nguyen-van-an"), "the same person"),
        (("credential", "rotate", "web1-rot"), "Did you mean web1-root?"),
        (("credential", "rotate", "web1-root", "--on", "2020-01-01"), "changed on"),
        (("credential", "hand-over", "web1-root"), "no change is given"),
        (("credential", "correct", "web1-root", "--reason", "x"), "no change is given"),
        (("credential", "return", "web1-root", "--received-by", "A", "--on", "2020-01-01"), "issued on"),
        (("credential", "leave", "nobody"), "there is no member nobody"),
        (("credential", "leave", "nguyen-van-an", "--back", "--reason", "x"), "no record says"),
    ],
)
def test_what_cannot_be_is_refused_with_a_hint(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    asked(home, capsys, *ADD, *ROOT, *ISSUED)

    text = refused(home, capsys, *arguments)

    assert said in text and "hint: " in text
    assert ledger_of(home).count() == 2


def planted(secret: str) -> list[tuple[str, ...]]:
    """The same secret at every place of every verb that takes text."""
    found: list[tuple[str, ...]] = [
        (*ADD, *ROOT, option, secret) for option in ("--system", "--account", "--kind", "--holder", "--deputy")
    ]
    found += [(*ADD, *ROOT, option, secret) for option in ("--place", "--issued", "--rotate-by", "--fingerprint")]
    found += [(*ADD, *KEY, "--fingerprint", secret), (*ADD, *ROOT, secret), (*ADD, secret, *ROOT[1:])]
    found += [(*ADD, *ROOT, f"--password={secret}"), (*ADD, *ROOT, "--password", secret)]
    base = ("credential", "hand-over", "web1-a")
    found += [(*base, option, secret) for option in ("--to", "--deputy", "--place", "--on", "--reason")]
    found += [("credential", "return", "web1-a", option, secret) for option in ("--received-by", "--on", "--reason")]
    found += [("credential", "rotate", "web1-a", option, secret) for option in ("--on", "--rotate-by", "--fingerprint")]
    found += [("credential", "rotate", "web1-a", secret), ("credential", "rotate", secret)]
    found += [("credential", "leave", secret), ("credential", "leave", "nguyen-van-an", "--reason", secret)]
    found += [("credential", "correct", "web1-a", "--reason", secret), ("credential", "show", secret)]
    found += [
        ("credential", "list", secret),
        ("credential", "list", "--holder", secret),
        ("credential", "audit", secret),
    ]
    return found


@pytest.mark.parametrize(
    "secret",
    [
        "Canary!Kh@nhHoa2026",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAACANARY\n-----END OPENSSH PRIVATE KEY-----",
        "$y$j9T$CANARYcanaryCANARY$abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
        "ghp_CANARYcanaryCANARYcanary0123456789",
    ],
)
def test_planted_secret_reaches_neither_ledger_nor_output(
    home: Path, capsys: pytest.CaptureFixture[str], secret: str
) -> None:
    asked(home, capsys, *ADD, "web1-a", *ROOT[1:], *ISSUED)
    for arguments in planted(secret):
        for more in ((), ("--json",), ("--dry-run",)):
            capsys.readouterr()
            code = portalops(home, *arguments, *more)
            said = capsys.readouterr()
            assert code == ExitCode.USAGE, (arguments, said)
            assert secret not in said.out + said.err and "anary" not in (said.out + said.err).lower(), arguments

    assert ledger_of(home).count() == 2
    for path in (home / "state").rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        if path.suffix == ".zst":
            data = subprocess.run(["zstd", "-dc", str(path)], capture_output=True, check=True).stdout
        assert b"anary" not in data.lower()


def _hand_back_and_forth(folder: str, name: str) -> None:
    for number in range(8):
        code = portalops(Path(folder), *ADD, f"{name}-{number}", *ROOT[1:], "--json")
        assert code == ExitCode.OK


def test_writers_at_the_same_time_lose_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of several who add the same id, one does; every other record is there."""
    asked(home, capsys, *ADD, *ROOT)
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_hand_back_and_forth, args=(str(home), f"w{number}")) for number in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    register = read_credentials(ledger_of(home))

    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert len(register.credentials) == 25
    assert register.unfitting == () and register.unreadable == {}


def test_what_was_decided_before_another_record_is_decided_anew(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The return comes between the reading of the register and the record of the change, as another process would."""
    asked(home, capsys, *ADD, *ROOT)
    append = Ledger.append_decided

    def late(ledger: Ledger, decide: Any) -> Any:
        monkeypatch.setattr(Ledger, "append_decided", append)
        assert portalops(home, "credential", "return", "web1-root", "--received-by", "B") == ExitCode.OK
        return append(ledger, decide)

    monkeypatch.setattr(Ledger, "append_decided", late)

    assert "was returned" in refused(home, capsys, "credential", "rotate", "web1-root")
    assert read_credentials(ledger_of(home)).unfitting == ()


def test_audit_tells_what_hosts_show_and_nobody_is_recorded_to_hold(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unseen = asked(home, capsys, "credential", "audit", expected=ExitCode.PARTIAL)
    assert [each["id"] for each in unseen] == ["web1:not-seen:-"]
    answered(home, as_answer(HOST_SAYS))
    asked(home, capsys, *ADD, *KEY, *ISSUED, "--fingerprint", KEY_OF_AN)
    asked(home, capsys, *ADD, "web1-old", "--system", "host:web1", "--account", "cu", "--kind", "password", *AN)

    found = asked(home, capsys, "credential", "audit", expected=ExitCode.UNMET)

    assert {(each["what"], each["name"]) for each in found} == {
        ("account-unregistered", "binh"),
        ("account-unknown", "khach"),
        ("account-gone", "cu"),
        ("details-missing", "web1-old"),
        ("mfa-missing", "an web1-an"),
        ("key-unknown", OTHER_KEY),
        ("login-unknown", f"an {OTHER_KEY} 198.18.0.1"),
        ("sudo-unknown", "khach sudo root"),
    }
    asked(home, capsys, "credential", "leave", "nguyen-van-an", expected=ExitCode.UNMET)
    asked(home, capsys, "credential", "return", "web1-an", "--received-by", "Trần Thị Bình")
    later = {each["what"] for each in asked(home, capsys, "credential", "audit", expected=ExitCode.UNMET)}
    assert later >= {"account-of-leaver", "key-of-leaver", "returned-but-open", "known-to-leaver", "details-missing"}


def test_audit_leads_from_a_login_that_is_nobodys_to_the_register_of_incidents(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answered(home, as_answer(HOST_SAYS))

    portalops(home, "credential", "audit")

    assert "portalops incident open --kind credential --host web1" in capsys.readouterr().err


def test_audit_tells_of_a_key_that_opens_more_than_it_is_registered_for(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = f"key|binh|256|{KEY_OF_AN}|ED25519\nend 5"
    answered(home, as_answer(HOST_SAYS.replace("end 5", more)))
    asked(home, capsys, *ADD, *KEY, *ISSUED, "--fingerprint", KEY_OF_AN)

    found = asked(home, capsys, "credential", "audit", expected=ExitCode.UNMET)

    assert [each["name"] for each in found if each["what"] == "key-elsewhere"] == [f"{KEY_OF_AN} binh"]


def test_leaving_counts_from_the_last_day_on(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked(home, capsys, *ADD, *ROOT, *ISSUED)
    later = (TODAY + timedelta(days=9)).isoformat()

    asked(home, capsys, "credential", "leave", "nguyen-van-an", "--on", later, expected=ExitCode.UNMET)

    assert asked(home, capsys, "credential", "list")[0]["problems"] == []


@pytest.mark.parametrize("probe", [probe.id for probe in PROBES if probe not in ROADS])
def test_audit_calls_what_was_not_seen_unknown(home: Path, capsys: pytest.CaptureFixture[str], probe: str) -> None:
    begin, end = HOST_SAYS.index(f"<<<{probe}>>>"), HOST_SAYS.index(f"<<<{probe} rc=0>>>")
    text = f"{HOST_SAYS[:begin]}<<<{probe}>>>\n<<<{probe} rc=127>>>\n{HOST_SAYS[end:].partition(chr(10))[2]}"
    answered(home, as_answer(text))

    found = asked(home, capsys, "credential", "audit", expected=ExitCode.UNMET)

    assert [each["name"] for each in found if each["state"] == "unknown"] == [probe]


def test_audit_tells_of_an_old_answer_and_of_systems_that_no_host_shows(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quiet = HOST_SAYS.replace("binh|crypt-y", "binh|locked").replace("khach|crypt-y", "khach|locked")
    quiet = "".join(
        line for line in quiet.splitlines(keepends=True) if OTHER_KEY not in line and not line.startswith("use|")
    ).replace("|an|2|", "|an|1|")
    answered(home, as_answer(quiet.replace("600|an|2|", "600|an|1|")), datetime.now(UTC) - timedelta(days=90))
    asked(home, capsys, *ADD, *KEY, *ISSUED, "--fingerprint", KEY_OF_AN, "--mfa")
    asked(
        home, capsys, *ADD, "s3", "--system", "bucket:backups", "--account", "writer", "--kind", "token", *AN, *ISSUED
    )

    found = asked(home, capsys, "credential", "audit", expected=ExitCode.PARTIAL)

    assert [each["id"] for each in found] == ["web1:not-seen:-", "web1:not-seen:an web1-an", "-:not-seen:s3"]


def test_a_round_judges_the_register_as_it_stands(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also of a host that does not answer: nothing of it is needed."""
    text = CONFIGURATION.replace(
        "[checks.declared.members.n", '[checks.declared]\nadmins = ["an"]\n\n[checks.declared.members.n', 1
    )
    text += '\n[[job]]\nid = "c"\nkind = "check"\nevery = "day"\n'
    (home / "portalops.toml").write_text(text, encoding="utf-8")

    def judged() -> tuple[str, str]:
        capsys.readouterr()
        portalops(home, "check", "run", "--check", "cred.custody", "--json")
        (found,) = json.loads(capsys.readouterr().out)["data"]
        return found["verdict"], found["reason"]

    assert judged()[0] == "unknown"
    asked(home, capsys, *ADD, *KEY)
    assert judged() == ("fail", "details-missing")
    asked(home, capsys, "credential", "correct", "web1-an", *ISSUED, "--reason", "left out")
    assert judged() == ("pass", "")
    (home / "portalops.toml").write_text(text.replace("members.tran-thi-binh", "members.le-van-chi"), encoding="utf-8")
    assert judged() == ("fail", "holder-unknown")  # who was taken out of the members, and did not leave
    (home / "portalops.toml").write_text(text, encoding="utf-8")
    asked(home, capsys, "credential", "leave", "nguyen-van-an", expected=ExitCode.UNMET)
    assert judged() == ("fail", "known-to-leaver")
    asked(home, capsys, "credential", "return", "web1-an", "--received-by", "Trần Thị Bình")
    assert judged() == ("fail", "admin-not-registered")


@pytest.mark.parametrize("text", ["safe \x1b[2J", "x" * 501, "\u202egnp.exe"])
def test_text_that_no_command_writes_is_not_shown(home: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    """A ledger may hold what somebody forged; it reaches no terminal and no section of a host's answer."""
    asked(home, capsys, *ADD, *ROOT, *ISSUED)
    ledger = Ledger.open(home / "state", SystemClock(), create=True)
    forged = {"hand_over": {"id": "web1-root", "on": "2026-11-02", "place": text, "holder": text}}
    body = ledger.keep(json.dumps(forged).encode())
    ledger.append_decided(lambda: (Draft("credential.handed-over", body, RunId(""), "web1-root", ""),))
    for verb in (("list",), ("show", "web1-root"), ("audit",)):
        portalops(home, "credential", *verb)

    said = capsys.readouterr()

    assert text not in said.out + said.err
    assert "cannot be read: 3" in said.out


def test_name_of_a_system_that_does_not_print_is_recorded_escaped(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    added = asked(
        home, capsys, *ADD, "wiki", "--system", "other:wi\u202eki", "--account", "a", "--kind", "password", *AN
    )

    assert added["system"] == "other:wi\\u202eki"
    assert not read_credentials(ledger_of(home)).unreadable


def test_member_whose_name_is_declared_in_decomposed_letters_leaves_and_comes_back(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As macOS writes them: the configuration keeps the name so, and the ledger names its records in composed ones."""
    name = unicodedata.normalize("NFD", "ngô-văn-ân")
    more = f'\n[checks.declared.members."{name}"]\naccounts = ["ngan"]\n'
    (home / "portalops.toml").write_text(CONFIGURATION + more, encoding="utf-8")
    later = (TODAY + timedelta(days=20)).isoformat()

    left = asked(home, capsys, "credential", "leave", name, "--on", later)
    back = asked(home, capsys, "credential", "leave", name, "--back", "--reason", "stays")

    assert (left["left_on"], back["left_on"]) == (later, None)


def test_fingerprint_of_a_key_goes_when_it_is_corrected_to_a_password(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked(home, capsys, *ADD, *KEY, "--fingerprint", KEY_OF_AN)

    corrected = asked(home, capsys, "credential", "correct", "web1-an", "--kind", "password", "--reason", "wrong kind")

    assert (corrected["kind"], corrected["fingerprint"]) == ("password", None)


def test_a_record_that_cannot_be_read_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked(home, capsys, *ADD, *ROOT, *ISSUED)
    ledger = Ledger.open(home / "state", SystemClock(), create=True)
    (record,) = ledger.append_decided(
        lambda: (Draft("credential.rotated", ledger.keep(b"[]\n"), RunId(""), "web1-root", "12.5-custody"),)
    )

    found = asked(home, capsys, "credential", "list", expected=ExitCode.UNMET)

    assert str(record.seq) in found[0]["problems"][0]["text"]


def test_it_is_told_in_vietnamese(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    portalops(home, *ADD, *ROOT, *ISSUED, language="vi")
    portalops(home, "credential", "list", language="vi")

    assert "Người giữ" in capsys.readouterr().out
