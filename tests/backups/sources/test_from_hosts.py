"""Files, accounts and programs of whole Debian hosts, into sets and back: what real hosts hold, say, and suffer."""

from __future__ import annotations

import difflib
import re
import resource
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from backups.contents import index_members
from backups.restore import RestoreReport, restore_set
from backups.set_file import parse_set_file
from portalops.config.ssh import SshPlace
from portalops.errors import HostUnreachable
from portalops.model.backups import BackupResult, MemberType, StreamMember
from portalops.model.verdicts import RunOutcome
from portalops.system import remote
from portalops.system.ssh import target_of
from tests.backups.kit import alone, back_up, keys, source
from tests.backups.memory import MemoryMedium
from tests.backups.sources.test_over_ssh import only_stream, why
from tests.hosts import Host, Hosts

pytestmark = [pytest.mark.hosts, pytest.mark.heavy]

TREE = r"""
umask 022; mkdir -p /srv/portal/sub; cd /srv/portal
echo '<?php' >index.php; : >empty; head -c 3333333 /dev/urandom >random
echo bài >'tin tức đặc biệt.html'; echo raw >"$(printf 'not-utf8-\377\376')"; echo odd >"$(printf 'line\nbreak')"
echo dash >./--checkpoint-action=exec=false; echo star >'*'; echo back >'back\slash'; echo quote >"it's \"quoted\""
mkdir -p "$(printf 'd%.0s' $(seq 200))/$(printf 'e%.0s' $(seq 200))"; echo deep >d*/e*/"$(printf 'f%.0s' $(seq 250))"
ln index.php hard-link; ln -s index.php link; ln -s "/no/$(printf 'x%.0s' $(seq 150))" nowhere; ln -s nowhere hop; ln hop hop-again
mkfifo -m 640 pipe; mknod character c 1 3; mknod block b 7 200; chmod 660 character block
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
truncate -s 50M sparse; printf begin | dd of=sparse conv=notrunc status=none; printf end >>sparse
cp /bin/true setuid; chmod 4755 setuid; cp /bin/true setgid; chmod 2755 setgid; mkdir -m 1777 sticky; mkdir -m 2775 sgid-folder
cp /bin/true capable; setcap cap_net_bind_service=ep capable
echo acl >shared; setfacl -m u:www-data:rw,u:54321:r,g:mail:r shared; setfacl -d -m u:www-data:rwx sub; setfacl -m g:4242:rx sub
setfattr -n user.ghi-chú -v 'giá trị' index.php; setfattr -n user.binary -v 0x000aff00 index.php; setfattr -n user.of-folder -v 1 sub
setfattr -n trusted.only-root -v 1 empty
echo owned >owned; chown www-data:mail owned; echo large >large-ids; chown 4000000000:3000000000 large-ids
echo old >old; touch -d '1955-03-04 05:06:07.123456789 UTC' old; touch -d '2040-01-01 00:00:00.5 UTC' index.php
touch -h -d '2001-02-03 04:05:06.000000007 UTC' link; mkdir -m 000 locked; touch -d '2002-02-02 UTC' sticky
"""
LISTED = r"""
seen() { find . "$@" -print0 | LC_ALL=C sort -z; }
find . ! -name socket \( -type d -printf '%p|%y %#m %U %G %T@\0' -o -printf '%p|%y %#m %U %G %T@ %s %l\0' \) | LC_ALL=C sort -z
seen | xargs -0 getfattr --absolute-names -hd -m - -e hex; seen ! -type l ! -type s | xargs -0 getfacl -pn
seen -type f | xargs -0 sha256sum; stat -c %h index.php hop
"""
"""All that a host's own programs say of a tree."""


@pytest.fixture(scope="module")
def host(hosts: Hosts) -> Iterator[Host]:
    """A host as a province may have it: of another language, with more than one account, and some words on login."""
    with hosts.started() as made:
        made.sh("echo 'LANG=vi_VN\nLANGUAGE=vi:en\nLC_ALL=vi_VN' >/etc/default/locale")
        made.sh("echo 'Chỉ dành cho cán bộ. Mọi truy cập đều được ghi lại.' | tee /etc/issue.net >/etc/motd")
        made.sh("echo 'Banner /etc/issue.net' >/etc/ssh/sshd_config.d/banner.conf; systemctl reload ssh")
        made.add_account("portal")
        made.sh("mkdir /srv/small; echo data >/srv/small/file")
        yield made


def run(
    kind: str, host: Host, here: Path, /, user: str = "root", **values: object
) -> tuple[BackupResult, MemoryMedium]:
    medium = MemoryMedium("memory-1")
    table = {"ssh": host.ssh(user), **values}
    return back_up([source(kind, table, here, id="far")], [medium]), medium


def restored(result: BackupResult, medium: MemoryMedium, target: Path) -> tuple[Path, RestoreReport]:
    assert result.set is not None, result.failed_sources
    content = parse_set_file(medium.stored[result.set.id]["set.json"])
    report = restore_set(alone(medium.open_set(result.set.id), content), [keys().identity], target)
    assert not report.damaged
    return target / "far", report


def members(result: BackupResult, medium: MemoryMedium) -> list[StreamMember]:
    assert result.set is not None, result.failed_sources
    stored = medium.open_set(result.set.id)
    return list(index_members(stored, result.set.streams[0], [keys().identity]))


def contents_of(result: BackupResult, medium: MemoryMedium, target: Path) -> list[bytes]:
    folder, _report = restored(result, medium, target)
    return [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]


def differences(before: str, after: str) -> list[str]:
    """Return what only one of two listings has."""
    one, other = (re.split("[\0\n]", listing) for listing in (before, after))
    return [line for line in difflib.unified_diff(one, other, n=0) if not line.startswith("@@")][2:]


@contextmanager
def meanwhile(act: Callable[[], None]) -> Iterator[None]:
    """Do something on the host while the block runs; what fails there fails the test."""
    with ThreadPoolExecutor(1) as pool:
        acting = pool.submit(act)
        yield
        acting.result()


def wait_until(holds: Callable[[], object], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it does not come about"
        time.sleep(0.02)


def test_a_tree_with_everything_in_it_comes_back_as_the_hosts_own_programs_see_it(host: Host, tmp_path: Path) -> None:
    host.sh(TREE)
    before = host.sh(f"cd /srv/portal && {LISTED}")

    result, medium = run("files", host, tmp_path, include=["/srv/portal"])

    stream = only_stream(result)
    assert (stream.unread, stream.changed) == ((), ())
    assert stream.skipped == ("/srv/portal/socket: socket ignored",)
    _folder, report = restored(result, medium, host.disk / "restored")
    notes = [str(note) for note in report.notes]
    # What no restore makes as whoever may run it: said, and put there by hand to compare all the rest.
    for said in ("character: a device (1:3) is not made", "block: a device (7:200) is not made"):
        assert any(said in note for note in notes), notes
    host.sh(
        "cd /restored/far/srv/portal; mknod character c 1 3; mknod block b 7 200; "
        "chmod 660 character block; chmod u+s setuid; chmod g+s setgid; touch -r /srv/portal .; "
        "for each in character block; do touch -r /srv/portal/$each $each; done; "
        "setcap cap_net_bind_service=ep capable; setfattr -n trusted.only-root -v 1 empty"
    )
    after = host.sh(f"cd /restored/far/srv/portal && {LISTED}")
    assert differences(before, after) == []


def test_words_on_login_are_no_words_of_a_program(host: Host, tmp_path: Path) -> None:
    host.sh("sed -i '1i echo Xin chào >\\&2' ~portal/.bashrc")

    result, medium = run("command", host, tmp_path, user="portal", command=["sh", "-c", "id -un; locale; exit $SHORT"])
    failed, _medium = run("command", host, tmp_path, user="portal", command=["cat", "/etc/shadow"])

    (printed,) = contents_of(result, medium, tmp_path / "out")
    assert printed.startswith(b"portal\n") and b"LC_ALL=C.UTF-8" in printed
    assert why(failed).endswith("cat ended with exit code 1: cat: /etc/shadow: Permission denied")


@pytest.mark.parametrize(
    "odd",
    [
        ("/bin/bash", "echo Xin chào", "its login shell prints text before the program starts: Xin chào"),
        ("/usr/sbin/nologin", "", "its login shell prints text before the program starts: This account is curr"),
        ("/bin/false", "", "its login shell did not run the program (exit code 1): "),
        ("/bin/bash", "echo bad disk >&2; exit 3", "its login shell did not run the program (exit code 3): "),
        ("/bin/bash", "exec sleep 600", "it did not answer in time"),
    ],
)
def test_a_shell_that_does_something_else_is_told(host: Host, tmp_path: Path, odd: tuple[str, str, str]) -> None:
    shell, line, expected = odd
    name = f"odd{zlib.crc32(repr(odd).encode())}"
    host.add_account(name, shell=shell)
    host.sh(f"printf '%s\\n' {line!r} >/home/{name}/.bashrc")

    result, medium = run("command", host, tmp_path, user=name, command=["echo", "x"])

    assert expected in why(result)
    assert medium.stored == {}


def test_what_an_account_cannot_read_is_named_in_tars_own_words_whatever_the_hosts_language(
    host: Host, tmp_path: Path
) -> None:
    host.sh("mkdir -p /srv/mixed/shut; cd /srv/mixed; echo yes >readable; echo no >locked; echo no >shut/inside")
    host.sh("cd /srv/mixed; chmod 600 locked; chmod 700 shut; echo no >\"$(printf 'kín-\\377')\"; chmod 600 kín-*")
    words = "su - portal -c 'LC_ALL=vi_VN.UTF-8 LANGUAGE=vi tar -cf /dev/null /srv/mixed/locked 2>&1 || true'"
    assert "Đang bỏ đi phần dẫn đầu" in host.sh(words)

    result, medium = run("files", host, tmp_path, user="portal", include=["/srv/mixed", "/srv/none"])

    assert result.set is not None and result.set.outcome is RunOutcome.INCOMPLETE
    assert sorted(only_stream(result).unread) == [
        r"/srv/mixed/kín-\377: Cannot open: Permission denied",
        "/srv/mixed/locked: Cannot open: Permission denied",
        "/srv/mixed/shut: Cannot open: Permission denied",
        "/srv/none: Cannot stat: No such file or directory",
    ]
    assert contents_of(result, medium, tmp_path / "out") == [b"yes\n"]


def test_what_vanishes_and_what_shrinks_under_tar_is_named(host: Host, tmp_path: Path) -> None:
    host.sh(
        "mkdir -p /srv/busy/z; cd /srv/busy; truncate -s 400M a-large b-shrinks; touch z/gone z/stays; echo 1 >z/stays"
    )

    def harm() -> None:
        wait_until(lambda: tar_reads(host, "a-large"))
        host.sh("rm -r /srv/busy/z/gone; truncate -s 1M /srv/busy/b-shrinks")
        wait_until(lambda: tar_reads(host, "b-shrinks") or not running_tar(host))

    with meanwhile(harm):
        result, medium = run("files", host, tmp_path, include=["/srv/busy"])

    stream = only_stream(result)
    names = {each.path.rpartition("/")[2]: each for each in members(result, medium)}
    assert "stays" in names
    assert names["b-shrinks"].size == 1 << 20 or any("b-shrinks" in line for line in stream.changed)
    assert "gone" not in names
    host.sh("rm -r /srv/busy")


def running_tar(host: Host) -> str:
    return host.sh("pgrep -x tar || true").strip()


def tar_reads(host: Host, name: str) -> bool:
    number = running_tar(host)
    return bool(number) and name in host.sh(f"ls -l /proc/{number.split()[0]}/fd 2>/dev/null || true")


def test_one_file_system_stops_at_what_is_mounted(host: Host, tmp_path: Path) -> None:
    host.sh(
        "mkdir -p /srv/disk/mounted; mount -t tmpfs none /srv/disk/mounted; echo in >/srv/disk/mounted/in; echo on >/srv/disk/on"
    )
    kept = ["/usr", "/var", "/etc", "/root", "/srv/portal", "/restored", "/srv/busy"]

    whole, medium = run("files", host, tmp_path, include=["/"], exclude=kept, one_file_system=True)
    within, inside = run("files", host, tmp_path, include=["/srv/disk"])

    paths = {each.path for each in members(whole, medium)}
    assert {"srv/disk/on", "home/portal/.bashrc", "proc", "run", "sys"} <= paths
    assert not any(each.startswith(("proc/", "sys/", "run/", "dev/", "srv/disk/mounted/", "usr/")) for each in paths)
    stream = only_stream(whole)
    assert not stream.unread
    assert not stream.changed, "folders alone change, where something is mounted"
    assert {"srv/disk/mounted/in", "srv/disk/on"} <= {each.path for each in members(within, inside)}


def result_is_whole(result: BackupResult) -> bool:
    assert result.set is not None, result.failed_sources
    return all(not stream.unread and not stream.changed for stream in result.set.streams)


def test_a_file_of_more_than_2_gib_comes_over(host: Host, tmp_path: Path) -> None:
    host.sh("mkdir -p /srv/large; truncate -s 2100M /srv/large/disk.img; echo end >>/srv/large/disk.img")
    expected = host.sh("sha256sum </srv/large/disk.img", seconds=120).split()[0]

    result, medium = run("files", host, tmp_path, include=["/srv/large"])

    (found,) = [each for each in members(result, medium) if each.type is MemberType.FILE]
    assert (found.size, found.sha256) == ((2100 << 20) + 4, expected)
    assert result_is_whole(result)
    host.sh("rm -r /srv/large")


@pytest.mark.parametrize("kind", ["command", "files"])
def test_a_cable_that_is_cut_amid_a_stream_fails_the_source_and_leaves_nothing_running(
    host: Host, tmp_path: Path, kind: str
) -> None:
    host.sh("mkdir -p /srv/endless; truncate -s 64G /srv/endless/file")
    script = "while head -c 100000 /dev/urandom; do sleep 0.02; done"
    values = {"include": ["/srv/endless"]} if kind == "files" else {"command": ["sh", "-c", script]}
    name = "tar" if kind == "files" else "head"

    def cut() -> None:
        wait_until(lambda: host.sh(f"pgrep -u portal -x {name} || true"))
        time.sleep(0.5)  # in mid-stream
        host.cut()

    with meanwhile(cut):
        begun = time.monotonic()
        result, medium = run(kind, host, tmp_path, user="portal", idle_seconds=3, **values)
        took = time.monotonic() - begun

    program = "tar" if kind == "files" else "sh"
    assert f"far: {program} printed nothing for 3 s" in f"far: {why(result).partition(': ')[2]}"
    assert medium.stored == {} and took < 15
    host.mend()
    wait_until(lambda: not host.accounts_processes("portal"), seconds=60)


def test_a_host_that_was_set_up_anew_gets_nothing_until_its_new_key_is_pinned(host: Host, tmp_path: Path) -> None:
    pinned = host.ssh("portal")
    host.new_host_key()
    host.sh("journalctl --rotate && journalctl --vacuum-time=1s")

    for client in ("openssh", "paramiko"):
        with pytest.raises(HostUnreachable, match="another host key than the recorded one"):
            remote.start_there(
                target_of(SshPlace.model_validate(pinned)),
                remote.RemoteCommand(("touch", "/dev/shm/sent")),
                client=client,
            )
    result, _medium = run("files", host, tmp_path, include=["/srv"], ssh=pinned)

    assert "another host key than the recorded one" in why(result)
    said = host.sh("journalctl --no-pager -t sshd -t sshd-session")
    assert "198.18" in said, "the host saw that somebody came"
    assert "publickey" not in said and "session opened" not in said
    assert run("command", host, tmp_path, command=["true"], minimum_bytes=0)[0].set is not None


def test_another_tar_than_gnus_is_told_with_what_is_needed(host: Host, tmp_path: Path) -> None:
    host.sh("ln -s /usr/bin/busybox /usr/local/bin/tar")
    try:
        result, _medium = run("files", host, tmp_path, include=["/srv/small"])
        host.sh("ln -sf /no/such/tar /usr/local/bin/tar; mv /usr/bin/tar /usr/bin/tar.away")
        without, _medium = run("files", host, tmp_path, include=["/srv/small"])
    finally:
        host.sh("rm -f /usr/local/bin/tar; [ ! -e /usr/bin/tar.away ] || mv /usr/bin/tar.away /usr/bin/tar")

    assert "tar ended with exit code 1: unrecognized option" in why(result)
    assert "tar ended with exit code 127: sh: 1: exec: tar: not found" in why(without)


def test_a_host_that_sends_another_archive_than_asked_for_is_kept_inside(host: Host, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    names = ["/etc/cron.d/evil", "../../../outside/evil", f"{outside}/evil", "srv/../../outside/evil"]
    script = (
        "import io, sys, tarfile\n"
        "with tarfile.open(fileobj=sys.stdout.buffer, mode='w|', format=tarfile.PAX_FORMAT) as out:\n"
        f"  for name in {names!r} + ['srv/good']:\n"
        "    member = tarfile.TarInfo(name); member.size = 3; out.addfile(member, io.BytesIO(b'bad'))\n"
        f"  member = tarfile.TarInfo('a'); member.type = tarfile.SYMTYPE; member.linkname = {str(outside)!r}\n"
        "  out.addfile(member); member = tarfile.TarInfo('a/evil'); member.size = 3; out.addfile(member, io.BytesIO(b'bad'))\n"
    )
    with instead_of_tar(host, f"#!/usr/bin/python3\n{script}"):
        result, medium = run("files", host, tmp_path, include=["/srv"])

    assert result.set is not None
    content = parse_set_file(medium.stored[result.set.id]["set.json"])
    restore_set(alone(medium.open_set(result.set.id), content), [keys().identity], tmp_path / "target")
    assert list(outside.iterdir()) == []
    assert (tmp_path / "target/far/srv/good").read_bytes() == b"bad"


@contextmanager
def instead_of_tar(host: Host, script: str) -> Iterator[None]:
    host.sh("cat >/usr/local/bin/tar; chmod 755 /usr/local/bin/tar", stdin=script.encode())
    try:
        yield
    finally:
        host.sh("rm /usr/local/bin/tar")


def test_a_host_that_never_stops_talking_is_left_and_costs_no_memory(host: Host, tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with instead_of_tar(host, "#!/bin/sh\nexec yes 'tar: /srv/x: Cannot open: Permission denied' >&2\n"):
        begun = time.monotonic()
        result, _medium = run("files", host, tmp_path, include=["/srv"], idle_seconds=3)
        took = time.monotonic() - begun
        with instead_of_tar(host, "#!/bin/sh\nexec tr '\\0' x </dev/zero >&2\n"):
            one_line, _medium = run("files", host, tmp_path, include=["/srv"], idle_seconds=3)
        host.sh("touch /usr/local/bin/tar")

    assert "tar printed nothing for 3 s" in why(result) and "tar printed nothing for 3 s" in why(one_line)
    assert took < 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10  # in KiB
    wait_until(lambda: not host.sh("pgrep -x 'yes|tr' || true"))


def test_no_file_is_made_on_the_host(host: Host, tmp_path: Path) -> None:
    everywhere = "/ /tmp /run /dev/shm /var/tmp"
    host.sh("loginctl enable-linger portal; sleep 1; touch /run/mark; sleep 0.05")

    for user in ("root", "portal"):
        assert run("files", host, tmp_path, user=user, include=["/srv/small"])[0].set is not None
        assert run("command", host, tmp_path, user=user, command=["echo", "x"])[0].set is not None

    changed = host.sh(f"find {everywhere} -xdev -cnewer /run/mark ! -path '/proc/*' | sort -u").split()
    logins = (
        "/run/systemd",
        "/run/user",
        "/run/utmp",
        "/run/motd",
        "/run/log/journal",
        "/var/log/",
        "/var/lib/fail2ban",
        "/run/mount",
    )
    assert [path for path in changed if not path.startswith(logins) and path not in {"/run", "/var/log"}] == []


def paths_of_own(result: BackupResult, medium: MemoryMedium) -> list[str]:
    """The paths of a set, without those of the accounts that another test of this host added."""
    return [each.path for each in members(result, medium) if not each.path.startswith("home/odd")]


def test_the_accounts_of_a_host_come_without_its_hashes_and_with_them_if_asked_for(host: Host, tmp_path: Path) -> None:
    host.sh(
        "rm -rf /etc/sudoers.d; mkdir /etc/sudoers.d; echo 'root ALL=(ALL) ALL' >/etc/sudoers; echo 'portal ALL=(ALL) ALL' >/etc/sudoers.d/portal"
    )
    host.sh(
        "chmod 440 /etc/sudoers /etc/sudoers.d/portal; useradd -m -s /bin/sh keyless; useradd -M -s /bin/bash -d /no/home homeless"
    )
    kept = ["etc/passwd", "etc/group", "etc/sudoers", "etc/sudoers.d", "etc/sudoers.d/portal"]
    keys = ["root/.ssh/authorized_keys", "home/portal/.ssh/authorized_keys"]

    plain, medium = run("accounts", host, tmp_path)
    hashes, with_them = run("accounts", host, tmp_path, shadow=True)

    assert paths_of_own(plain, medium) == [*kept, *keys]
    assert paths_of_own(hashes, with_them) == [*kept, "etc/shadow", "etc/gshadow", *keys]
    assert result_is_whole(plain) and only_stream(plain).skipped == ()
    restored(plain, medium, host.disk / "accounts")
    host.sh(
        "for each in passwd group sudoers sudoers.d/portal; do cmp /etc/$each /accounts/far/etc/$each || exit 1; done"
    )
    host.sh("cmp ~/.ssh/authorized_keys /accounts/far$HOME/.ssh/authorized_keys; rm -r /etc/sudoers*")
    assert sorted(only_stream(run("accounts", host, tmp_path)[0]).skipped) == [
        "etc/sudoers.d: not there",
        "etc/sudoers: not there",
    ]


def test_an_account_that_may_not_see_all_accounts_says_which_it_did_not(host: Host, tmp_path: Path) -> None:
    result, medium = run("accounts", host, tmp_path, user="portal", shadow=True)

    stream = only_stream(result)
    assert result.set is not None and result.set.outcome is RunOutcome.INCOMPLETE
    unread = {line.partition(":")[0] for line in stream.unread}
    assert {"etc/shadow", "etc/gshadow", "root/.ssh/authorized_keys"} <= unread
    assert {"etc/passwd", "etc/group", "home/portal/.ssh/authorized_keys"} <= {
        each.path for each in members(result, medium)
    }


def test_a_host_whose_list_of_accounts_is_elsewhere_fails_the_source(host: Host, tmp_path: Path) -> None:
    host.sh(
        "mkdir -p /srv/chroot/etc; cd /srv/chroot/etc; cp /etc/passwd /etc/group .; mv group ../group; ln -s ../group group"
    )

    linked, _medium = run("accounts", host, tmp_path, root="/srv/chroot")
    nowhere, _medium = run("accounts", host, tmp_path, root="/srv/none")

    assert why(linked) == "far: there is no etc/group"
    assert "etc/passwd cannot be read: sh: 1: cd: can't cd to /srv/none" in why(nowhere)
