"""The audit against a whole Debian host: accounts, keys and logins that are really there, and what becomes of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from checks.servers.credential_audit import PROBES
from checks.servers.gather import gather
from commands.cli.invocation import parse_invocation
from commands.cli.session import Session
from commands.jobs.servers import shells_of
from portalops.errors import ExitCode
from portalops.signatures.sshsig import fingerprint
from tests.checks.servers.test_on_hosts import ACCOUNT, configure, data, enrol, portalops, results, set_up
from tests.commands.test_credential import answered
from tests.hosts import Hosts

pytestmark = [pytest.mark.hosts, pytest.mark.heavy]

CANARY = "Canary-Kh@nhHoa-2026"


def test_audit_follows_what_is_done_on_the_host(
    hosts: Hosts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with hosts.started() as host:
        for name in (ACCOUNT, "an"):
            host.add_account(name)
        host.sh(f"usermod -aG systemd-journal {ACCOUNT}; useradd -m -s /bin/bash khach")
        host.sh("chpasswd", stdin=f"khach:{CANARY}".encode())
        own = fingerprint(" ".join(host.key.with_suffix(".pub").read_text().split()[:2]))
        member = f'\n[checks.declared.host.{host.name}.members.nguyen-van-an]\nkeys = ["{own}"]\naccounts = ["an", "{ACCOUNT}"]\n'
        configure(tmp_path, host, more=member)
        enrol(tmp_path, host)
        set_up(host, tmp_path, capsys)
        issued = (datetime.now(UTC) - timedelta(days=3)).date().isoformat()

        def add(name: str, account: str, *more: str) -> None:
            of_host = ("--system", f"host:{host.name}", "--account", account, "--kind", "key", "--issued", issued)
            assert portalops(tmp_path, "credential", "add", name, *of_host, "--holder", "nguyen-van-an", *more) == 0

        def audited() -> set[tuple[str, str]]:
            """What is not as it should be once the host was looked at again, for what the audit compares alone."""
            session = Session(parse_invocation(["--config", str(tmp_path / "portalops.toml")], {}), {})
            (one,) = session.settings.hosts
            answered(
                tmp_path, gather(shells_of(session.settings.servers.ways, session.reader)(one), PROBES), host=one.id
            )
            return {(one["what"], one["name"]) for one in data(capsys, tmp_path, "credential", "audit")}

        def judged() -> tuple[str, str]:
            """What cred.registered comes to by the rules of the audit, once the host was looked at again."""
            return results(capsys, tmp_path, "--check", "cred.registered")["cred.registered"]

        before = judged()
        add("an-key", "an", "--fingerprint", own)
        add("root-key", "root")
        first, verdicts = audited(), [judged()]
        host.sh("userdel -r khach")
        add("audit-account", ACCOUNT)
        second = audited()
        verdicts.append(judged())
        for name in ("root-key", "audit-account"):
            correct = ("credential", "correct", name, "--fingerprint", own, "--reason", "the key of all accounts")
            assert portalops(tmp_path, *correct) == ExitCode.OK
        verdicts.append(judged())
        assert portalops(tmp_path, "credential", "leave", "nguyen-van-an") == ExitCode.UNMET
        portalops(tmp_path, "credential", "return", "an-key", "--received-by", "Trần Thị Bình")
        third = audited()
        verdicts.append(judged())
        assert portalops(tmp_path, "credential", "leave", "nguyen-van-an", "--back", "--reason", "stays") == ExitCode.OK
        verdicts.append(judged())
        host.sh("userdel -r an")
        verdicts.append(judged())
        fourth = audited()

    assert before == ("unknown", "no-register")
    assert verdicts == [
        ("fail", "not-registered"),
        ("fail", "key-elsewhere"),
        ("pass", ""),
        ("fail", "of-leaver"),
        ("fail", "returned-but-open"),
        ("pass", ""),
    ]
    of_accounts = {each for each in first if each[0].startswith("account-")}
    assert of_accounts == {("account-unknown", "khach"), ("account-unregistered", ACCOUNT)}
    assert {each for each in first if each[0] == "key-elsewhere"} == {
        ("key-elsewhere", f"{own} root"),  # the key of all accounts of such a host
        ("key-elsewhere", f"{own} {ACCOUNT}"),
    }
    assert not [each for each in second if each[0].startswith("account-")]
    assert third >= {("account-of-leaver", "an"), ("returned-but-open", "an"), ("key-of-leaver", own)}
    assert ("known-to-leaver", "audit-account") in third
    assert not [name for _what, name in fourth if name == "an"]
    kept = b"".join(path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file())
    assert CANARY.encode() not in kept
