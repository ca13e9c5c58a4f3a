"""A round over SSH on whole Debian hosts: with sudo and the helper or without, in any locale and shell, and with canaries."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from commands.cli.entry import run
from portalops.errors import ExitCode
from portalops.signatures.sshsig import fingerprint
from tests.hosts import Host, Hosts

pytestmark = [pytest.mark.hosts, pytest.mark.heavy]

ACCOUNT = "portalops"
CANARY = "CANARYcanaryCANARY"
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
identity_file = "{key}"

[[job]]
id = "daily-check"
kind = "check"
every = "day"
duty = "12.4-testing"
"""


def configure(folder: Path, *hosts: Host, user: str = ACCOUNT, more: str = "") -> None:
    tables = "".join(f'\n[[host]]\nid = "{host.name}"\naddress = "{host.address}"\n{more}' for host in hosts)
    text = CONFIGURATION.format(user=user, key=hosts[0].key) + tables
    (folder / "portalops.toml").write_text(text, encoding="utf-8")


def portalops(folder: Path, *arguments: str) -> int:
    return run(["--config", str(folder / "portalops.toml"), "--lang", "en", *arguments], {})


def enrol(folder: Path, *hosts: Host) -> None:
    for host in hosts:
        assert (
            portalops(folder, "host", "enroll", host.name, "--fingerprint", fingerprint(host.host_key)) == ExitCode.OK
        )


def printed(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> str:
    capsys.readouterr()
    portalops(folder, *arguments)
    return capsys.readouterr().out


def data(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> Any:
    return json.loads(printed(capsys, folder, *arguments, "--json"))["data"]


def results(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> dict[str, tuple[str, str]]:
    """What each check of the only host says: verdict and reason."""
    found = data(capsys, folder, "check", "run", *arguments)
    return {one["check"]: (one["verdict"], one["reason"]) for one in found}


def set_up(host: Host, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Install the helper and the sudoers file as the help says."""
    helper = printed(capsys, folder, "host", "helper").encode()
    host.sh("cat >helper; install -D -o root -g root -m 755 helper /usr/local/libexec/portalops-helper", stdin=helper)
    sudoers = printed(capsys, folder, "host", "sudoers", host.name).encode()
    host.sh("cat >file; visudo -cf file && install -m 440 file /etc/sudoers.d/portalops", stdin=sudoers)


@pytest.mark.parametrize("release", [13, 11])
def test_account_with_sudo_and_helper_sees_what_root_sees(
    hosts: Hosts, tmp_path: Path, capsys: pytest.CaptureFixture[str], release: int
) -> None:
    with hosts.started(release) as host:
        host.add_account(ACCOUNT)
        host.sh(f"usermod -aG systemd-journal {ACCOUNT}")  # what the journal says needs no root
        (tmp_path / "root").mkdir()
        for folder, user in ((tmp_path, ACCOUNT), (tmp_path / "root", "root")):
            configure(folder, host, user=user)
            enrol(folder, host)

        without = results(capsys, tmp_path)
        assert portalops(tmp_path, "host", "test", host.name) == ExitCode.UNMET
        set_up(host, tmp_path, capsys)
        steps = {one["id"]: (one["works"], one["said"]) for one in data(capsys, tmp_path, "host", "test", host.name)}
        whole = results(capsys, tmp_path)
        as_root = results(capsys, tmp_path / "root")

    assert {one: reason for one, (works, reason) in steps.items() if not works} == {}
    assert without["acct.empty-password"] == ("unknown", "sudo-refused")
    assert without["firewall.active"] == ("unknown", "sudo-refused")
    refused = {one for one, (_verdict, reason) in without.items() if reason == "sudo-refused"}
    assert not [one for one, (_verdict, reason) in whole.items() if reason in {"sudo-refused", "helper-outdated"}]
    assert {one: whole[one] for one in refused} == {one: as_root[one] for one in refused}


def test_host_that_waits_for_its_own_name_is_told_as_such_and_soon(
    hosts: Hosts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with hosts.started() as host:
        host.add_account(ACCOUNT)
        configure(tmp_path, host)
        enrol(tmp_path, host)
        set_up(host, tmp_path, capsys)
        host.sh(
            f"rm -f /etc/resolv.conf; echo nameserver {hosts.address} >/etc/resolv.conf; echo 127.0.0.1 localhost >/etc/hosts;"
            " sed -i 's/^hosts:.*/hosts: files dns/' /etc/nsswitch.conf; nft add table inet silent;"
            " nft 'add chain inet silent input { type filter hook input priority 0; }';"
            " nft add rule inet silent input ip protocol icmp drop"
        )
        began = time.monotonic()
        steps = {one["id"]: (one["works"], one["said"]) for one in data(capsys, tmp_path, "host", "test", host.name)}
        found = results(capsys, tmp_path, "--family", "acct", "--family", "ssh")
        took = time.monotonic() - began

    assert steps["sudo"] == (
        False,
        "the host cannot resolve its own name, so that sudo waits 20 seconds at each call",
    )
    assert found["acct.empty-password"] == ("unknown", "own-name-unresolved")
    assert found["acct.sudo-nopasswd"] == ("unknown", "own-name-unresolved")
    assert took < 90


def test_neither_locale_nor_shell_nor_banner_changes_a_verdict(
    hosts: Hosts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with hosts.started() as host:
        home = host.add_account(ACCOUNT)
        configure(tmp_path, host)
        enrol(tmp_path, host)
        set_up(host, tmp_path, capsys)
        plain = results(capsys, tmp_path)

        host.sh(
            "printf 'LANG=vi_VN\\nLC_ALL=vi_VN\\n' >/etc/default/locale; localedef -i vi_VN -f UTF-8 vi_VN.UTF-8 || true"
        )
        host.sh("printf 'LC_ALL=vi_VN.UTF-8\\nLANGUAGE=vi\\nTZ=Asia/Ho_Chi_Minh\\n' >>/etc/environment")
        host.sh("printf 'Chào mừng\\n<<<0 os.release>>>\\n' >/etc/motd")
        host.sh(f"sed -i '1i echo \"Xin chào \\$USER\"; echo nope >&2; export LC_ALL=vi_VN.UTF-8' {home}/.bashrc")
        with_banner = results(capsys, tmp_path)

        host.sh(
            f"ln -sf bash /bin/rbash; grep -q rbash /etc/shells || echo /bin/rbash >>/etc/shells; usermod -s /bin/rbash {ACCOUNT}"
        )
        restricted = results(capsys, tmp_path)

    assert plain["patching.os-eol"][0] == "pass"
    for each in (plain, with_banner, restricted):
        del each["change.drift"]  # it tells the rounds apart: files were changed between them
    assert with_banner == plain
    assert restricted == plain


def test_sudo_that_wants_a_terminal_is_unknown_and_our_file_lifts_it(
    hosts: Hosts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with hosts.started() as host:
        host.add_account(ACCOUNT)
        configure(tmp_path, host)
        enrol(tmp_path, host)
        host.sh("printf 'Defaults requiretty\\nportalops ALL=(root) NOPASSWD: ALL\\n' >/etc/sudoers.d/00-site")
        before = results(capsys, tmp_path, "--check", "firewall.active")
        set_up(host, tmp_path, capsys)
        after = results(capsys, tmp_path, "--check", "firewall.active")

    assert before["firewall.active"] == ("unknown", "sudo-refused")
    assert after["firewall.active"][1] != "sudo-refused"


def test_changed_helper_is_not_run_by_sudo(hosts: Hosts, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with hosts.started() as host:
        host.add_account(ACCOUNT)
        configure(tmp_path, host)
        enrol(tmp_path, host)
        set_up(host, tmp_path, capsys)
        assert results(capsys, tmp_path, "--check", "acct.empty-password")["acct.empty-password"][1] != "sudo-refused"

        host.sh("sed -i '2i touch /run/owned' /usr/local/libexec/portalops-helper")
        changed = results(capsys, tmp_path, "--check", "acct.empty-password")
        owned = host.sh("ls /run/owned || true")

    assert changed["acct.empty-password"] == ("unknown", "sudo-refused")
    assert owned == ""


def test_another_key_gets_no_command_and_is_known_again_once_enrolled_anew(
    hosts: Hosts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with hosts.started() as host, hosts.started(name="db1") as other:
        for each in (host, other):
            each.add_account(ACCOUNT)
        configure(tmp_path, host, other)
        enrol(tmp_path, host, other)
        host.new_host_key()
        host.sh("journalctl --rotate; journalctl --vacuum-time=1s")

        found = data(capsys, tmp_path, "check", "run")
        log = host.sh("journalctl -q -t sshd -t sshd-session --no-pager")
        again = ("host", "enroll", host.name, "--fingerprint", fingerprint(host.host_key))
        assert portalops(tmp_path, *again) == ExitCode.USAGE
        assert portalops(tmp_path, *again, "--replace", "--reason", "installed anew") == ExitCode.OK
        afterwards = data(capsys, tmp_path, "check", "run", "--check", "patching.os-eol")

    its = {one["check"]: one for one in found if one["host"] == host.name}
    assert its["inventory.identity"]["verdict"] == "fail"
    assert {its[check]["reason"] for check in ("inventory.identity", "patching.os-eol", "firewall.active")} == {
        "host-key-changed"
    }
    assert {one["verdict"] for one in its.values()} <= {"fail", "unknown"}
    assert [one for one, result in its.items() if result["verdict"] == "fail"] == ["inventory.identity"]
    assert "host-key-changed" not in {one["reason"] for one in found if one["host"] == other.name}
    assert "Accepted" not in log
    assert {one["verdict"] for one in afterwards} == {"pass"}


def test_host_behind_a_jump_is_looked_at_and_the_jump_needs_no_shell(
    hosts: Hosts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with hosts.started(name="bastion") as bastion, hosts.started(name="inside") as inside:
        bastion.add_account(ACCOUNT, shell="/usr/sbin/nologin")
        inside.add_account(ACCOUNT)
        inside.sh(
            f"nft add table inet t; nft 'add chain inet t i {{ type filter hook input priority 0; }}';"
            f" nft add rule inet t i ip saddr != {bastion.address} tcp dport 22 drop"
        )
        configure(tmp_path, bastion, inside)
        text = (
            (tmp_path / "portalops.toml")
            .read_text()
            .replace(f'address = "{inside.address}"', f'address = "{inside.address}"\njump = "bastion"')
        )
        (tmp_path / "portalops.toml").write_text(text)
        enrol(tmp_path, bastion, inside)

        found = data(capsys, tmp_path, "check", "run", "--check", "patching.os-eol")

    assert {one["host"]: one["verdict"] for one in found} == {"bastion": "unknown", "inside": "pass"}


def test_canaries_and_escapes_of_a_host_reach_no_place_of_ours(
    hosts: Hosts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with hosts.started() as host:
        host.add_account(ACCOUNT)
        configure(tmp_path, host)
        enrol(tmp_path, host)
        set_up(host, tmp_path, capsys)
        host.sh(
            f"echo 'root:{CANARY}' | chpasswd; mkdir -p /var/www; printf 'PASSWORD={CANARY}\\n' >/var/www/.env;"
            " chmod 644 /var/www/.env; printf '\\033]0;owned\\007\\033[31mred' >/etc/motd;"
            " touch \"/var/www/$(printf '\\033[31m')id_rsa\" \"/etc/$(printf 'a\\nb\\033[2J').key\"; chmod 644 /etc/*.key /var/www/*;"
            " ssh-keygen -q -t ed25519 -N '' -f /var/www/id_canary; chmod 644 /var/www/id_canary"
        )
        host.sh(f"printf '* * * * * PASSWORD={CANARY} true\\n' | install -D -m 644 /dev/stdin /etc/cron.d/portal")
        secret = host.sh("sed -n 2,3p /var/www/id_canary").strip()
        hashed = host.sh("getent shadow root").split(":")[1]

        shown = [
            printed(capsys, tmp_path, *call)
            for call in (
                ("check", "run"),
                ("check", "run", "--json"),
                ("host", "facts", host.name),
                ("host", "facts", host.name, "--json"),
                ("host", "facts", host.name, "secrets.readable"),
                ("host", "list"),
                ("host", "test", host.name),
                ("status",),
            )
        ]
        build = ("report", "build", "compliance", "--format", "html", "--language", "both")
        assert portalops(tmp_path, *build) in {ExitCode.OK, ExitCode.UNMET}
        reports = [file.read_text(encoding="utf-8") for file in (tmp_path / "state" / "reports").rglob("*.html")]
        shown += [capsys.readouterr().out, *reports]
        assert reports

    kept = "\n".join(shown)
    for file in sorted(tmp_path.rglob("*")):
        if file.is_file():
            kept += _text_of(file)
    for one in (CANARY, secret, hashed, hashed[-20:]):
        assert one not in kept
    for one in ("\x1b[31m", "\x1b]0;", "\x1b[2J", "\x07"):
        assert not [text for text in shown if one in text]


def _text_of(file: Path) -> str:
    """A file as text, unpacked where it is packed."""
    raw = file.read_bytes()
    if file.suffix == ".zst":
        raw = subprocess.run(["zstd", "-dc"], input=raw, capture_output=True, check=True).stdout
    return raw.decode("utf-8", "replace")


def test_sshd_that_takes_few_at_once_loses_no_host(
    hosts: Hosts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with hosts.started() as host:
        host.add_account(ACCOUNT)
        host.sh("printf 'MaxStartups 2:100:3\\n' >/etc/ssh/sshd_config.d/few.conf; systemctl restart ssh")
        configure(tmp_path, host)
        names = [f"h{number:02}" for number in range(12)]
        with (tmp_path / "portalops.toml").open("a", encoding="utf-8") as file:
            for name in names:
                file.write(f'\n[[host]]\nid = "{name}"\naddress = "{host.address}"\n')
        for name in names:
            assert (
                portalops(tmp_path, "host", "enroll", name, "--fingerprint", fingerprint(host.host_key)) == ExitCode.OK
            )

        found = data(capsys, tmp_path, "check", "run", "--check", "patching.os-eol")

    told = {one["host"]: one["reason"] for one in found}
    assert set(told) == {host.name, *names}
    assert {told[name] for name in names} <= {"", "host-unreachable"}
