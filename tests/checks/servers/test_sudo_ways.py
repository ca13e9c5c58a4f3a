"""What sudo lets an account become, by the rules as cvtsudoers has them: each is written, converted, and judged."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from checks.servers.accounts._sudo_ways import doubtful, free_ways, unbounded, unclear, ways
from checks.servers.catalogue import checks, probes_of
from checks.servers.privileges import sudoers_text
from checks.servers.probe import Output
from checks.servers.probes import sudoers
from checks.servers.probes.sudoers import Sudoers

pytestmark = pytest.mark.skipif(shutil.which("cvtsudoers") is None, reason="the rules are converted by cvtsudoers")

BASE = "root ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\n"


def rules(tmp_path: Path, text: str, *, host: str = "web1", programs: str = "") -> Sudoers:
    file = tmp_path / "sudoers"
    file.write_text(BASE + text + "\n", encoding="utf-8")
    done = subprocess.run(["cvtsudoers", "-f", "json", file], capture_output=True, text=True, check=True)
    return sudoers.parse(Output(0, f"host {host}\nsources files\n{programs}{done.stdout}", ""))


def reasons(tmp_path: Path, text: str) -> set[str]:
    return {reason for reason, _, _ in free_ways(rules(tmp_path, text))}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("an ALL=NOPASSWD: /bin/bash", "nopasswd-shell"),
        ("an ALL=NOPASSWD: /usr/bin/su", "nopasswd-shell"),
        ("an ALL=NOPASSWD: /usr/bin/su - root", "nopasswd-shell"),
        ("an ALL=NOPASSWD: /usr/bin/python3.11", "nopasswd-shell"),
        ('an ALL=NOPASSWD: /usr/bin/dash ""', "nopasswd-shell"),
        ("an ALL=NOPASSWD: /bin/bash -i", "nopasswd-shell"),
        ("an ALL=NOPASSWD: /usr/bin/vim.tiny /etc/motd", "nopasswd-shell"),
        ("an ALL=NOPASSWD: /usr/bin/env /bin/sh", "nopasswd-shell"),
        ("an ALL=NOPASSWD: /usr/bin/tee /etc/cron.d/x", "nopasswd-shell"),
        ("an ALL=NOPASSWD: /usr/bin/cp /dev/shm/x /etc/sudoers.d/x", "nopasswd-shell"),
        ("an ALL=NOPASSWD: /usr/bin/aide --config\\=/dev/shm/a.conf --config-check", "nopasswd-shell"),
        ("an ALL=NOPASSWD: /usr/sbin/rsyslogd -f r.conf", "nopasswd-shell"),
        ("an ALL=NOPASSWD: /usr/sbin/haproxy -f/dev/shm/x.cfg", "nopasswd-shell"),
        ("an ALL=NOPASSWD: /usr/bin/fail2ban-client set sshd addaction x", "nopasswd-shell"),
        ("an ALL=NOPASSWD: /bin/bash deploy.sh", "nopasswd-shell"),
        ("an ALL=NOPASSWD: /usr/bin/make install", "nopasswd-shell"),
        ("an ALL=NOPASSWD: /usr/bin/python3 -m evemod", "nopasswd-shell"),
        ("an ALL=NOPASSWD: sudoedit /etc/passwd", "nopasswd-shell"),
        ("an ALL=NOPASSWD: /usr/bin/apt-get upgrade", "nopasswd-shell"),
        ("an ALL=NOPASSWD: /usr/bin/apt -y full-upgrade", "nopasswd-shell"),
        ("an ALL=NOPASSWD: /usr/bin/dpkg --configure -a", "nopasswd-shell"),
        ("an ALL=NOPASSWD: /usr/bin/dpkg -l", "nopasswd-shell"),
        ("an ALL=NOPASSWD: /usr/bin/dmesg -H", "nopasswd-shell"),
        ("an ALL=NOPASSWD: /usr/bin/sqlite3 /var/lib/app.db", "nopasswd-shell"),
        ("an ALL=NOPASSWD: /usr/bin/python3 -i /usr/local/sbin/x.py", "nopasswd-shell"),
        ("an ALL=NOPASSWD: /bin/bash -s /usr/local/sbin/x", "nopasswd-shell"),
        ("an ALL=NOPASSWD: /bin/sh /dev/stdin", "nopasswd-shell"),
        ("an ALL=NOPASSWD: /usr/bin/su -s /bin/bash", "nopasswd-shell"),
        ("an ALL=NOPASSWD: /usr/bin/su -g adm root", "nopasswd-shell"),
        ("an ALL=NOPASSWD: sudoedit /srv/*/config", "nopasswd-pattern"),
        ("an ALL=NOPASSWD: /usr/*/id", "nopasswd-pattern"),
        ("an ALL=NOPASSWD: /usr/bin/", "nopasswd-pattern"),
        ("an ALL=NOPASSWD: SETENV: /usr/bin/true", "nopasswd-environment"),
        ("Defaults !env_reset\nan ALL=NOPASSWD: /usr/bin/true", "nopasswd-environment"),
        ("an ALL=(ALL, !root) NOPASSWD: ALL", "nopasswd-all"),
        ("an ALL=(#0) NOPASSWD: ALL", "nopasswd-all"),
        ("an ALL=(:docker) NOPASSWD: ALL", "nopasswd-all"),
        ("an ALL=NOPASSWD: ALL, !/bin/su", "nopasswd-all"),
        ("an WEB*=NOPASSWD: ALL", "nopasswd-all"),
        ("an 192.0.2.0/24=NOPASSWD: ALL", "nopasswd-all"),
        ("Runas_Alias R = root\nRunas_Alias S = R\nan ALL=(S) NOPASSWD: ALL", "nopasswd-all"),
        ("User_Alias U = an\nUser_Alias V = U\nV ALL=NOPASSWD: ALL", "nopasswd-all"),
        ("Defaults:an !authenticate\nan ALL=ALL", "nopasswd-all"),
        ("Defaults exempt_group=sudo", "nopasswd-all"),
    ],
)
def test_a_way_to_root_without_a_password_is_found(tmp_path: Path, text: str, reason: str) -> None:
    assert reason in reasons(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "an ALL=NOPASSWD: /usr/bin/systemctl restart nginx",
        "Cmnd_Alias A = /usr/bin/true\nCmnd_Alias B = A\nCmnd_Alias C = B\nan ALL=NOPASSWD: C",
        "an ALL=(www-data) NOPASSWD: ALL",
        "an web2=NOPASSWD: ALL",
        "an ALL, !web1=NOPASSWD: ALL",
        "Host_Alias OTHERS = web2, db*\nan OTHERS=NOPASSWD: ALL",
        "an ALL=NOPASSWD: /bin/bash /usr/local/sbin/rotate",
        "an ALL=NOPASSWD: /bin/su - postgres",
        "an ALL=NOPASSWD: /bin/su -s /bin/bash postgres",
        "an ALL=NOPASSWD: /usr/bin/aide --config\\=/etc/aide/aide.conf --check",
        "an ALL=NOPASSWD: /usr/bin/fail2ban-client set sshd unbanip 192.0.2.10",
        "an ALL=NOPASSWD: /usr/bin/find /tmp -delete",
        "an ALL=NOPASSWD: /usr/bin/ls /home/an",
        "an ALL=NOPASSWD: NOEXEC: /usr/bin/less /var/log/syslog",
        "an ALL=NOPASSWD: ALL, !ALL",
        "an ALL=NOPASSWD: /usr/bin/true, PASSWD: ALL",
        "an ALL=NOPASSWD: /usr/bin/printf \\*",
        "an ALL=NOPASSWD: sudoedit /srv/portal/config.ini",
        "Defaults!/usr/bin/true !lecture\nan ALL=ALL",
    ],
)
def test_what_only_looks_like_a_way_is_none(tmp_path: Path, text: str) -> None:
    assert reasons(tmp_path, text) == set()


def test_an_account_that_becomes_root_makes_those_who_become_it_root(tmp_path: Path) -> None:
    found = free_ways(
        rules(tmp_path, "an ALL=(binh) NOPASSWD: ALL\nbinh ALL=(chi) NOPASSWD: ALL\nchi ALL=NOPASSWD: /bin/sh")
    )

    assert {name for _, grant, _ in found for name in grant.who} == {"an", "binh", "chi"}


def test_a_program_that_others_change_or_that_is_a_link_to_a_shell_counts(tmp_path: Path) -> None:
    text = 'an ALL=NOPASSWD: /opt/a "", /opt/b, /opt/c'
    programs = "program|/opt/a|/opt/a|loose\nprogram|/opt/b|/usr/bin/dash|kept\nprogram|/opt/c|/opt/c|kept\n"

    found = free_ways(rules(tmp_path, text, programs=programs))

    assert {(reason, command.program) for reason, _, command in found} == {
        ("nopasswd-writable", "/opt/a"),
        ("nopasswd-shell", "/opt/b"),
    }


def test_what_an_unknown_program_makes_of_what_others_write_is_not_known(tmp_path: Path) -> None:
    text = "an ALL=NOPASSWD: /opt/deploy --to=/srv/portal, /opt/deploy /srv/kept, /usr/bin/ls /srv/portal"
    programs = "program|/srv/portal|/srv/portal|loose\nprogram|/srv/kept|/srv/kept|kept\n"

    found = doubtful(rules(tmp_path, text, programs=programs))

    assert [one.text for one in found] == ["/opt/deploy --to=/srv/portal"]


def test_what_portalops_itself_asks_for_is_harmless(tmp_path: Path) -> None:
    text = sudoers_text(probes_of(checks()).values(), "portalops", helper_sha256="0" * 64)

    assert reasons(tmp_path, text) == set()
    assert unclear(rules(tmp_path, text)) == []


@pytest.mark.parametrize(
    ("command", "is_known"),
    [
        ("/usr/bin/setfacl -m u\\:an\\:rw /etc/passwd", False),
        ("/usr/bin/chmod 4755 /usr/bin/dash", False),
        ("/usr/bin/mount --bind /srv/an/bin /usr/local/sbin", False),
        ("/usr/bin/chown -R an /usr/local/bin", False),
        ("/usr/bin/passwd an", False),
        ("/usr/sbin/usermod -aG adm\\,sudo an", False),
        ("/usr/bin/gpasswd -a an shadow", False),
        ("/usr/bin/cat /etc/shadow", False),
        ("/usr/bin/cat /var/log/auth.log", True),
        ("/bin/bash -c x", False),
        ("/bin/bash /usr/local/sbin/rotate", True),
        ("/usr/bin/python3 -I /usr/local/sbin/rotate.py", True),
        ("/usr/bin/systemctl restart nginx", True),
        ("/usr/bin/systemctl set-environment PATH\\=/srv", False),
        ("/usr/bin/systemctl edit nginx", False),
        ("/usr/sbin/service nginx reload", True),
        ("/usr/sbin/nginx -t", True),
        ("/usr/sbin/apache2ctl configtest", True),
        ("/usr/bin/apt-get -y -q update", True),
        ("/usr/bin/apt-get -y -o Dpkg\\:\\:Options\\:\\:\\=--force-confold upgrade", False),
        ("/usr/bin/apt-get -c update", False),
        ("/usr/bin/apt list --upgradable", False),
        ("/usr/bin/dpkg --no-pager -l", True),
        ("/usr/bin/systemctl status nginx", False),
        ("/usr/bin/systemctl status nginx --no-pager", True),
        ("/usr/bin/systemctl --no-pager status nginx", True),
        ("/usr/bin/systemctl --quiet is-active nginx", True),
        ("sudoedit /etc/haproxy/haproxy.cfg", False),
        ("/usr/bin/systemctl restart -H eve nginx", False),
        ("/usr/bin/systemctl start debug-shell", False),
        ("/usr/bin/systemctl enable --now nginx", True),
        ("/usr/bin/journalctl -u nginx", False),
        ("/usr/bin/journalctl --no-pager --cursor-file\\=/var/x", False),
        ("/usr/sbin/service nginx status", False),
        ("/usr/sbin/haproxy -c -f haproxy.cfg", False),
        ("/usr/sbin/haproxy -c -f /etc/haproxy/haproxy.cfg", True),
        ("/usr/sbin/nft -f list ruleset", False),
        ("/usr/bin/tail -n 50 -f /var/log/syslog", True),
        ("/usr/bin/msgfilter /bin/sh", False),
        ("/usr/bin/dmesg -T", True),
        ("/usr/bin/sdiff -o /var/x /etc/a /etc/b", False),
        ("/usr/lib/git-core/git -C /etc pull", False),
        ("/usr/lib/nagios/plugins/check_disk -w 20 /", True),
        ("/usr/bin/mailq -q", False),
        ("/usr/sbin/smartctl -a /dev/sda", True),
        ("/usr/bin/php -d a\\=b /usr/local/sbin/x", False),
        ("/usr/bin/journalctl -u nginx --no-pager", True),
        ("/usr/bin/timeout 5 /usr/bin/passwd an", False),
        ("/usr/local/sbin/deploy --now", True),
        ("/usr/bin/fail2ban-client set sshd unbanip 192.0.2.1", True),
        ("/bin/su - postgres", True),
        ('/usr/bin/true ""', True),
    ],
)
def test_an_exact_command_is_understood_or_named(tmp_path: Path, command: str, is_known: bool) -> None:
    assert (unclear(rules(tmp_path, f"an ALL=NOPASSWD: {command}")) == []) is is_known


@pytest.mark.parametrize(("version", "is_known"), [(239, False), (257, True)])
def test_a_pager_of_systemd_starts_no_shell_from_a_version_on(tmp_path: Path, version: int, is_known: bool) -> None:
    found = rules(tmp_path, "an ALL=NOPASSWD: /usr/bin/systemctl status nginx", programs=f"systemd {version}\n")

    assert (unclear(found) == []) is is_known


def test_an_expression_of_an_unknown_program_takes_any_arguments(tmp_path: Path) -> None:
    found = unbounded(rules(tmp_path, "an ALL=NOPASSWD: ^/usr/bin/frob .*$, ^/usr/bin/id$"))

    assert [one.text for one in found] == ["^/usr/bin/frob .*$", "^/usr/bin/id$"]


@pytest.mark.parametrize(
    ("line", "odd"),
    [
        ("mailerpath=/srv/x", ("mailerpath=/srv/x",)),
        ("mailerpath=/usr/sbin/sendmail", ()),
        ("timestampowner=an", ("timestampowner=an",)),
        ("mail_badpass", ()),
    ],
)
def test_settings_by_which_sudo_runs_or_believes_more_are_told(tmp_path: Path, line: str, odd: tuple[str, ...]) -> None:
    assert rules(tmp_path, f"Defaults {line}").odd_settings == odd


def test_table_of_programs_holds_names_once_in_a_group_and_no_paths() -> None:
    assert {"shells", "escapes", "pagers", "runs", "writes", "manages", "reads", "settings", "here"} == ways().keys()
    assert all("/" not in name and name for names in ways().values() for name in names)
