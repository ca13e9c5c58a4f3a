"""Programs and files of a real host over SSH, as another account, into sets and back."""

from __future__ import annotations

import os
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from backups.contents import index_members
from backups.formats import Restored, format_of
from backups.restore import restore_set
from backups.set_file import parse_set_file
from backups.sources import mssql
from backups.sources._program import runner_on
from backups.sources._remote_tree import judged, tar_script
from portalops.errors import ConfigurationError, HostUnreachable
from portalops.model.backups import BackupResult, MemberType, Stream, TableRows
from portalops.model.message import msg
from portalops.model.verdicts import RunOutcome
from portalops.ports import Runner
from portalops.system.programs import LocalRunner
from tests.backups.kit import alone, back_up, keys, odd_tree, snapshot, source
from tests.backups.memory import MemoryMedium
from tests.backups.sources.over_ssh import account, other_account, ssh_table
from tests.backups.sources.test_mongodb import ARCHIVE
from tests.backups.sources.test_mssql import GOOD
from tests.servers import SshHost, new_key

Host = tuple[SshHost, Path]


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with other_account() as made:
        yield made


@pytest.fixture
def there(host: Host) -> Iterator[Path]:
    """An empty folder on the host."""
    folder = host[1] / "srv"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def run(kind: str, host: Host, here: Path, /, **values: object) -> tuple[BackupResult, MemoryMedium]:
    medium = MemoryMedium("memory-1")
    table = {"ssh": ssh_table(host[0]), **values}
    return back_up([source(kind, table, here, id="far")], [medium]), medium


def only_stream(result: BackupResult) -> Stream:
    assert result.set is not None, result.failed_sources
    (stream,) = result.set.streams
    return stream


def why(result: BackupResult) -> str:
    assert result.set is None
    return result.failed_sources[0]


def restored(result: BackupResult, medium: MemoryMedium, target: Path) -> Path:
    assert result.set is not None
    content = parse_set_file(medium.stored[result.set.id]["set.json"])
    report = restore_set(alone(medium.open_set(result.set.id), content), [keys().identity], target)
    assert not report.damaged
    return target / "far"


def test_a_program_runs_there_as_the_account_there(host: Host, there: Path, tmp_path: Path) -> None:
    result, medium = run(
        "command",
        host,
        tmp_path,
        command=["sh", "-c", 'id -un; pwd; echo "$MARK"; head -c 3000000 /dev/zero'],
        folder=str(there),
        environment={"MARK": "it's 1"},
    )

    (data,) = [path for path in restored(result, medium, tmp_path / "out").rglob("*") if path.is_file()]
    assert data.read_bytes() == f"{account().pw_name}\n{there}\nit's 1\n".encode() + bytes(3_000_000)


@pytest.mark.parametrize(
    ("command", "values", "expected"),
    [
        (("sh", "-c", "echo half; echo 'disk on fire' >&2; exit 3"), {}, "exit code 3: disk on fire"),
        (("sh", "-c", "echo half; exit 255"), {}, "exit code 254"),
        (("no-such-program",), {}, "exit code 127: env: 'no-such-program'"),
        (("true",), {}, "0 bytes of content"),
        (("sh", "-c", "echo x; sleep 30"), {"idle_seconds": 1}, "printed nothing for 1 s"),
        (("echo", "x"), {"folder": "/no/such/folder"}, "no/such/folder"),
    ],
)
def test_a_program_that_fails_there_leaves_no_set(
    host: Host, tmp_path: Path, command: tuple[str, ...], values: dict[str, object], expected: str
) -> None:
    result, medium = run("command", host, tmp_path, command=list(command), **values)

    assert expected in why(result)
    assert medium.stored == {}


@pytest.mark.parametrize("kind", ["command", "files"])
def test_a_host_with_another_key_gets_nothing(host: Host, there: Path, tmp_path: Path, kind: str) -> None:
    other = new_key(tmp_path / "other")
    values = {"include": [str(there)]} if kind == "files" else {"command": ["touch", str(there / "sent")]}

    result, _medium = run(kind, host, tmp_path, **values, ssh=ssh_table(host[0], host_key=other))

    assert "another host key than the recorded one" in why(result)
    assert not (there / "sent").exists()


@pytest.mark.parametrize("kind", ["command", "files"])
def test_a_connection_that_is_cut_fails_the_source(host: Host, there: Path, tmp_path: Path, kind: str) -> None:
    os.truncate(mine(there / "large"), 8 << 30)  # more than tar reads before it is met
    script = ["sh", "-c", "head -c 9000000 /dev/zero; sleep 60"]
    values = {"include": [str(there)]} if kind == "files" else {"command": script}

    has_ended = threading.Event()

    def cut() -> None:
        while not has_ended.is_set():
            for process in psutil.Process(host[0].pid).children(recursive=True):
                with suppress(psutil.Error):
                    if process.name() in {"tar", "head", "sleep"}:
                        for each in psutil.Process(host[0].pid).children(recursive=True):
                            if each.name().startswith("sshd"):
                                each.send_signal(signal.SIGKILL)
                        return
            time.sleep(0.001)

    thread = threading.Thread(target=cut)
    thread.start()
    result, medium = run(kind, host, tmp_path, **values)
    has_ended.set()
    thread.join()

    place = f"{account().pw_name}@127.0.0.1:{host[0].port}"
    # On a busy machine it may be cut before the program's first byte is read.
    early = f"far: cannot open a session on {place}: the connection ended before the program did"
    assert f"far: the connection to {place} broke: " in why(result) or early in why(result)
    assert medium.stored == {}


def mine(path: Path, data: bytes = b"data\n") -> Path:
    """Make a file that belongs to the account on the host."""
    path.write_bytes(data)
    if os.geteuid() == 0:
        os.chown(path, account().pw_uid, account().pw_gid)
    return path


def test_files_of_every_kind_come_back_as_they_were(host: Host, tmp_path: Path) -> None:
    root = odd_tree(host[1] / "srv")
    subprocess.run(["chown", "-Rh", f"{account().pw_uid}:{account().pw_gid}", root], check=True)
    before = snapshot(root)

    result, medium = run("files", host, tmp_path, include=[str(root)])
    shutil.rmtree(root)

    stream = only_stream(result)
    assert (stream.unread, stream.changed, stream.format) == ((), (), "tar")
    assert stream.skipped == (f"{root}/socket: socket ignored",)
    folder = restored(result, medium, tmp_path / "out")
    assert snapshot(folder / str(root).lstrip("/")) == before


def test_the_index_has_the_digest_of_every_file_and_the_trial_compares_them(
    host: Host, there: Path, tmp_path: Path
) -> None:
    mine(there / "small", b"small\n")
    mine(there / "empty", b"")
    mine(there / "large", os.urandom(3_333_333))

    result, medium = run("files", host, tmp_path, include=[str(there)])

    stream = only_stream(result)
    assert stream.members == 4
    assert result.set is not None
    content = parse_set_file(medium.stored[result.set.id]["set.json"])
    place = restored(result, medium, tmp_path / "out")
    members = list(index_members(medium.open_set(content.id), content.streams[0], [keys().identity]))
    assert [bool(each.sha256) for each in members if each.type is MemberType.FILE] == [True] * 3
    trial = format_of(stream).try_out(Restored(stream, place, tmp_path, lambda: iter(members), LocalRunner()))
    assert (trial.problems, trial.asked) == ((), "3 files compared with the index")


def test_what_cannot_be_read_there_is_named_and_the_rest_is_kept(host: Host, there: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0 or account().pw_uid == 0:
        pytest.skip("only root can make a file that another account cannot read")
    mine(there / "readable")
    (there / "locked").write_text("root's alone")
    (there / "locked").chmod(0o600)
    (there / "shut").mkdir(mode=0o700)

    result, medium = run("files", host, tmp_path, include=[str(there), f"{there}-missing"])

    stream = only_stream(result)
    assert result.set is not None and result.set.outcome is RunOutcome.INCOMPLETE
    assert sorted(stream.unread) == [
        f"{there}-missing: Cannot stat: No such file or directory",
        f"{there}/locked: Cannot open: Permission denied",
        f"{there}/shut: Cannot open: Permission denied",
    ]
    folder = restored(result, medium, tmp_path / "out") / str(there).lstrip("/")
    assert (folder / "readable").read_bytes() == b"data\n"


def test_a_file_that_changes_while_it_is_read_is_named(host: Host, there: Path, tmp_path: Path) -> None:
    growing = mine(there / "growing", bytes(64 << 20))
    stop = threading.Event()

    def grow() -> None:
        with growing.open("ab", buffering=0) as file:
            while not stop.wait(0.002):
                file.write(b"more")

    thread = threading.Thread(target=grow)
    thread.start()
    result, _medium = run("files", host, tmp_path, include=[str(there)])
    stop.set()
    thread.join()

    stream = only_stream(result)
    (line,) = stream.changed
    assert line.startswith(f"{growing}: file changed as we read it (modified 20")
    assert result.set is not None and result.set.outcome is RunOutcome.INCOMPLETE


def test_patterns_leave_out_what_they_leave_out_here(host: Host, there: Path, tmp_path: Path) -> None:
    names = ["a.tmp", "keep.txt", "cache/x", "sub/cache/y", "sub/b.tmp", "sub/one.pem", "sub/deep/two.pem", "[odd].txt"]
    for name in names:
        (there / name).parent.mkdir(parents=True, exist_ok=True)
        mine(there / name)
    patterns = ["*.tmp", f"{there}/cache", f"{there}/*/*.pem", "[k-m]eep.txt"]

    far, medium = run("files", host, tmp_path, include=[str(there)], exclude=patterns)
    here, near = run_here(tmp_path, include=[str(there)], exclude=patterns)

    assert files_in(restored(far, medium, tmp_path / "far")) == files_in(restored(here, near, tmp_path / "here"))
    assert files_in(tmp_path / "far") == {"[odd].txt", "y", "two.pem"}


def run_here(folder: Path, **values: object) -> tuple[BackupResult, MemoryMedium]:
    medium = MemoryMedium("memory-1")
    return back_up([source("files", dict(values), folder, id="far")], [medium]), medium


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_a_pattern_to_include_is_expanded_there_and_nothing_else_of_it(host: Host, there: Path, tmp_path: Path) -> None:
    for name in ("tin 1.txt", "tin 2.txt", "$(touch pwned).txt", "other"):
        mine(there / name)

    result, medium = run("files", host, tmp_path, include=[f"{there}/tin ?.txt", f"{there}/$(touch pwned)*"])

    assert only_stream(result).unread == ()
    assert files_in(restored(result, medium, tmp_path / "out")) == {"tin 1.txt", "tin 2.txt", "$(touch pwned).txt"}


def test_a_link_that_is_named_there_is_followed_and_one_that_leads_nowhere_is_unread(
    host: Host, there: Path, tmp_path: Path
) -> None:
    for name in ("releases 7", "other", "inner"):
        (there / name).mkdir()
        (there / name).chmod(0o755)
        mine(there / name / f"{name}.html")
    for link, place in (("current", "releases 7"), ("lost", "gone"), ("again", "other"), ("inner/below", "../other")):
        (there / link).symlink_to(place)

    names = ("current", "lost", "other", "again", "inner")
    result, medium = run("files", host, tmp_path, include=[f"{there}/{name}" for name in names])
    by_pattern, _medium = run("files", host, tmp_path, include=[f"{there}/curr*"])

    back = restored(result, medium, tmp_path / "out") / str(there).lstrip("/")
    assert files_in(back) == {"releases 7.html", "other.html", "inner.html"}
    assert os.readlink(back / "current") == "releases 7" and os.readlink(back / "lost") == "gone"
    assert only_stream(result).unread == (f"{there}/lost/.: Cannot stat: No such file or directory",)
    assert only_stream(result).members == 10
    assert only_stream(by_pattern).unread == () and only_stream(by_pattern).members == 3


def test_each_link_on_the_way_there_is_in_the_set(host: Host, there: Path, tmp_path: Path) -> None:
    (there / "releases").mkdir()
    (there / "releases").chmod(0o755)
    mine(there / "releases" / "page")
    (there / "current").symlink_to("releases")
    (there / "portal").symlink_to(f"{there}/current")

    result, medium = run("files", host, tmp_path, include=[f"{there}/portal"])

    back = restored(result, medium, tmp_path / "out") / str(there).lstrip("/")
    assert os.readlink(back / "current") == "releases" and os.readlink(back / "portal") == f"{there}/current"
    assert files_in(back) == {"page"} and only_stream(result).unread == ()


@pytest.mark.skipif(os.geteuid() != 0, reason="makes links of other users")
def test_a_strangers_link_behind_another_one_there_is_not_followed(host: Host, there: Path, tmp_path: Path) -> None:
    mine(there / "page")
    mine(there / "secret")
    (there / "theirs").symlink_to("secret")
    os.chown(there / "theirs", 33, 33, follow_symlinks=False)
    (there / "link").symlink_to("theirs")

    result, medium = run("files", host, tmp_path, include=[f"{there}/page", f"{there}/link"])

    assert files_in(restored(result, medium, tmp_path / "out")) == {"page"}
    (line,) = only_stream(result).unread
    assert line.startswith(f"{there}/link is a link of user 33 to {there}/secret, which is not followed")


@pytest.mark.skipif(os.geteuid() != 0, reason="makes links of other users")
def test_a_strangers_link_there_is_not_followed(host: Host, there: Path, tmp_path: Path) -> None:
    mine(there / "page")
    mine(there / "secret")
    (there / "link").symlink_to("secret")
    os.chown(there / "link", 33, 33, follow_symlinks=False)

    result, medium = run("files", host, tmp_path, include=[f"{there}/page", f"{there}/link"])

    assert files_in(restored(result, medium, tmp_path / "out")) == {"page"}
    (line,) = only_stream(result).unread
    assert line.startswith(f"{there}/link is a link of user 33 to {there}/secret, which is not followed")


def test_of_a_cache_there_the_folder_and_its_tag_stay(host: Host, there: Path, tmp_path: Path) -> None:
    mine(there / "page")
    (there / "cache").mkdir()
    (there / "cache").chmod(0o755)
    mine(there / "cache" / "entry")
    mine(there / "cache" / "CACHEDIR.TAG", b"Signature: 8a477f597d28d172789f06886806bc55\n")

    result, medium = run("files", host, tmp_path, include=[str(there)], exclude_caches=True)

    stream = only_stream(result)
    assert result.set is not None and result.set.outcome is RunOutcome.COMPLETE, stream
    (line,) = stream.skipped
    assert line.startswith(f"{there}/cache") and "CACHEDIR.TAG" in line
    assert files_in(restored(result, medium, tmp_path / "out")) == {"page", "CACHEDIR.TAG"}


def test_commands_around_a_source_run_where_it_is(host: Host, there: Path, tmp_path: Path) -> None:
    mine(there / "page")
    there.chmod(0o777)
    flag = there / "closed"

    result, medium = run(
        "files", host, tmp_path, include=[str(there)], before=["touch", str(flag)], after=["rm", str(flag)]
    )
    failed, _medium = run(
        "files", host, tmp_path, include=[str(there)], before=["sh", "-c", "id -un >&2; exit 7"], hook_seconds=20
    )
    slow, _medium = run("files", host, tmp_path, include=[str(there)], before=["sleep", "60"], hook_seconds=1)

    assert files_in(restored(result, medium, tmp_path / "out")) == {"page", "closed"}
    assert not flag.exists()
    assert f"exit code 7: {account().pw_name}" in why(failed)
    assert "did not end within 1 s" in why(slow)


def test_access_lists_come_back(host: Host, there: Path, tmp_path: Path) -> None:
    file = mine(there / "shared")
    uid = 4242
    entries = [(1, 6, 0xFFFFFFFF), (2, 4, uid), (4, 4, 0xFFFFFFFF), (16, 4, 0xFFFFFFFF), (32, 0, 0xFFFFFFFF)]
    wanted = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *each) for each in entries)
    try:
        os.setxattr(file, "system.posix_acl_access", wanted)
    except OSError:
        pytest.skip("this file system has no access lists")

    result, medium = run("files", host, tmp_path, include=[str(there)])

    back = restored(result, medium, tmp_path / "out") / str(file).lstrip("/")
    assert os.getxattr(back, "system.posix_acl_access") == wanted


def test_a_place_that_is_not_there_fails_the_source(host: Host, tmp_path: Path) -> None:
    result, medium = run("files", host, tmp_path, include=["/no/such/place"])

    assert "no file in it can be read: /no/such/place: Cannot stat: No such file" in why(result)
    assert medium.stored == {}


@pytest.mark.parametrize(
    "values",
    [{"include": ["uploads"]}, {"include": ["/srv"], "exclude": ["a/b"]}, {"include": ["/srv/**/x"]}],
)
def test_what_would_mean_something_else_there_is_refused(tmp_path: Path, values: dict[str, object]) -> None:
    ssh = {"host": "far", "user": "u", "identity_file": "k", "host_key": "ssh-ed25519 AAAA"}

    with pytest.raises(ConfigurationError, match="absolute paths and patterns without"):
        source("files", {**values, "ssh": ssh}, tmp_path)


@pytest.mark.parametrize(
    ("line", "how"),
    [
        ("Removing leading `/' from member names", "silent"),
        ("/a: socket ignored", "skipped"),
        ("/a: File removed before we read it", "gone"),
        ("/a: file changed as we read it", "changed"),
        ("/a: File shrank by 7 bytes; padding with zeros", "changed"),
        ("/a: Read error at byte 0, while reading 512 bytes: Input/output error", "unread"),
        ("/a: Warning: Cannot llistxattrat: Operation not permitted", "unread"),
        ("words of a later version", "unread"),
    ],
)
def test_every_line_of_tar_counts_for_something(line: str, how: str) -> None:
    assert judged(line)[0] == how


def test_the_script_for_tar_is_quoted() -> None:
    script = tar_script(["/srv/it's", "/srv/*/a b"], ["*.tmp", "/srv/$x"], one_file_system=True)

    assert script.startswith("""set -- '/srv/it'"'"'s' /srv/*'/a b'\n""")
    assert script.endswith('-- "$@"')
    assert "--no-anchored '--exclude=*.tmp' --anchored '--exclude=/srv/$x'" in script


def program(path: Path, script: str) -> str:
    """Make a program that stands in for one that could not be had."""
    mine(path, f"#!/bin/sh\n{script}\n".encode()).chmod(0o755)
    return str(path)


def test_mongodump_there_is_given_its_password_on_standard_input(
    host: Host, there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.chmod(there, 0o777)
    mine(there / "archive", ARCHIVE)
    dump = program(there / "mongodump", f'echo "$@" > {there}/argv; cat > {there}/given; cat {there}/archive')
    monkeypatch.setenv("MONGO_PASSWORD", "mật 'khẩu'")

    result, _medium = run("mongodb", host, tmp_path, program=dump, user="backup", password={"env": "MONGO_PASSWORD"})

    assert only_stream(result).rows == (TableRows("portal.tin", 3),)
    assert (there / "given").read_text() == "mật 'khẩu'\n"
    assert "khẩu" not in (there / "argv").read_text()


def test_a_password_that_cannot_be_given_there_fails_this_source_alone(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PASSWORD", "two\nlines")

    result, _medium = run("mariadb", host, tmp_path, user="backup", password={"env": "DB_PASSWORD"})

    assert "secret for another host has a character that is not allowed" in why(result)


def test_without_a_place_for_temporary_files_a_source_over_ssh_fails(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))

    result, _medium = run("command", host, tmp_path, command=["true"])

    assert "No such file or directory" in why(result)


def test_the_file_of_sql_server_is_read_and_removed_there(
    host: Host, there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.chmod(there, 0o777)
    (there / "server").mkdir()
    os.chmod(there / "server", 0o777)
    mine(there / "said", GOOD.encode())
    file = """file=$(echo "$sql" | sed "s/.*TO DISK = N'\\([^']*\\)'.*/\\1/"); printf 'TAPE and the pages' > "$file" """
    ask = program(
        there / "sqlcmd",
        f'echo "$@" > {there}/argv; for sql; do :; done; {file}; [ "$SQLCMDPASSWORD" = p ] && cat {there}/said',
    )
    monkeypatch.setenv("MSSQL_PASSWORD", "p")

    result, _medium = run(
        "mssql",
        host,
        tmp_path,
        program=ask,
        user="backup",
        password={"env": "MSSQL_PASSWORD"},
        databases=["Portal"],
        server_folder=f"{there}/server",
    )

    assert only_stream(result).plain_bytes == 18
    assert os.listdir(there / "server") == []


def test_the_file_of_sql_server_that_stays_there_is_named(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*arguments: Any) -> Runner:
        if len(arguments) == 1:  # to remove it
            raise HostUnreachable(msg("the network is gone"), msg("-"))
        return runner_on(*arguments)

    monkeypatch.setattr(mssql, "runner_on", cut)
    monkeypatch.setenv("MSSQL_PASSWORD", "p")
    values = {"user": "b", "password": {"env": "MSSQL_PASSWORD"}, "databases": ["Portal"], "server_folder": "/srv"}

    result, _medium = run("mssql", host, tmp_path, program="true", **values)

    assert re.search(r"file /srv/portalops-\w+\.bak cannot be removed: the network is gone", why(result))


@pytest.mark.needs("slapcat")
def test_a_directory_that_cannot_be_read_there_says_why(host: Host, there: Path, tmp_path: Path) -> None:
    result, _medium = run("ldap", host, tmp_path, config=str(there))

    assert "slapcat ended with exit code" in why(result)
