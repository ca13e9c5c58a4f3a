"""What breaks by itself is tried again, against a real sshd over a link that is cut and a real store behind a proxy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from backups.fanout import PATIENCE_SECONDS
from backups.media import build_medium
from backups.media._retried import MEMORY_BYTES, PAUSES_SECONDS, RetriedMedium, Spool, pause_before
from backups.resuming import go_on, held_by, let_go
from portalops.errors import MediumInterrupted, MediumUnavailable
from portalops.ports import Medium, SetWriter
from tests.backups.kit import MIB, disk, table
from tests.backups.media.parts import S3Proxy, answer, s3_table, sftp_table
from tests.backups.media.test_disk import small_disk
from tests.contract.test_media import PACKS, SET, put
from tests.faults.links import Link, link_to
from tests.servers import ObjectStore, SshHost, a_bucket, new_key

__all__ = ["small_disk"]

SIZE = 4 * MIB


@pytest.fixture
def link(ssh_host: SshHost) -> Iterator[Link]:
    with link_to(ssh_host.port) as made:
        yield made


@pytest.fixture
def proxy(object_store: ObjectStore) -> Iterator[S3Proxy]:
    made = S3Proxy(object_store)
    yield made
    made.stop()


class Patient:
    """A medium that is tried again without waiting, and how long it would have waited."""

    def __init__(self, kind: str, values: dict[str, object], work: Path, tries: int = 4) -> None:
        self.pauses: list[float] = []
        self.medium: Medium = RetriedMedium(build_medium(table(kind, values, work, "far")), tries, self.pauses.append)


def over(link: Link, host: SshHost, work: Path, tries: int = 4, **more: object) -> Patient:
    values = sftp_table(host, work / "sftp", create=True, port=link.port, timeout_seconds=20, **more)
    return Patient("sftp", values, work, tries)


def behind(proxy: S3Proxy, store: ObjectStore, work: Path, tries: int = 4, *, timeout_seconds: int = 20) -> Patient:
    bucket = a_bucket(store, f"again-{os.urandom(6).hex()}", locked=False)
    values = s3_table(proxy.store, bucket, work, user="admin", timeout_seconds=timeout_seconds)
    return Patient("s3", values, work, tries)


def noise(count: int = 3) -> dict[str, bytes]:
    return {PACKS[number]: os.urandom(SIZE) for number in range(count)}


def written(writer: SetWriter, contents: dict[str, bytes]) -> None:
    for path, data in contents.items():
        put(writer, path, *(data[at : at + MIB] for at in range(0, len(data), MIB)))


def require_whole(medium: Medium, contents: dict[str, bytes]) -> None:
    stored = medium.open_set(SET)
    assert stored.sizes() == {path: len(data) for path, data in contents.items()}
    for path, data in contents.items():
        with stored.open(path) as file:
            assert b"".join(iter(lambda file=file: file.read(MIB), b"")) == data  # type: ignore[misc]


@pytest.mark.heavy
@pytest.mark.parametrize("client", ["openssh", "paramiko"])
def test_a_line_that_is_cut_costs_the_pack_under_way(
    link: Link, ssh_host: SshHost, tmp_path: Path, client: str
) -> None:
    far = over(link, ssh_host, tmp_path, client=client)
    far.medium.prepare([])
    contents = noise()
    writer = far.medium.begin(SET, expected_bytes=0)
    link.sent = 0
    link.cut_once_after(SIZE + SIZE // 2)

    written(writer, contents)
    writer.seal()

    require_whole(far.medium, contents)
    assert far.pauses[:1] == [PAUSES_SECONDS[0]] and len(far.pauses) <= 2
    assert 3 * SIZE < link.sent < 4 * SIZE + MIB
    assert [path.name for path in (tmp_path / "sftp").iterdir()] == [SET]


@pytest.mark.exhaustive
def test_a_line_may_be_cut_anywhere_once(link: Link, ssh_host: SshHost, tmp_path: Path) -> None:
    contents = {PACKS[0]: os.urandom(MIB), PACKS[1]: os.urandom(1000), PACKS[2]: b""}
    far = over(link, ssh_host, tmp_path)
    far.medium.prepare([])
    link.sent = 0
    writer = far.medium.begin(SET, expected_bytes=0)
    written(writer, contents)
    writer.seal()
    whole = link.sent
    far.medium.remove(SET)

    for number in range(12):
        link.cut_once_after(1 + whole * number // 12)
        writer = far.medium.begin(SET, expected_bytes=0)
        written(writer, contents)
        writer.seal()
        link.heal()
        require_whole(far.medium, contents)
        far.medium.remove(SET)
    assert list((tmp_path / "sftp").iterdir()) == []


def test_a_host_that_stays_away_is_told_with_the_last_cause_and_the_number_of_tries(
    link: Link, ssh_host: SshHost, tmp_path: Path
) -> None:
    far = over(link, ssh_host, tmp_path, tries=3)
    far.medium.prepare([])
    writer = far.medium.begin(SET, expected_bytes=0)
    link.passes = 2 * MIB

    with pytest.raises(MediumInterrupted, match=r"backup medium far: cannot open a session .*\(tried 3 times\)"):
        written(writer, noise(1))
    writer.abandon()

    assert far.pauses == list(PAUSES_SECONDS[:2])
    link.heal()
    far.medium.prepare([])
    assert list((tmp_path / "sftp").iterdir()) == []


@pytest.mark.heavy
def test_reading_goes_on_where_it_was_cut(link: Link, ssh_host: SshHost, tmp_path: Path) -> None:
    far = over(link, ssh_host, tmp_path)
    far.medium.prepare([])
    contents = noise(1)
    writer = far.medium.begin(SET, expected_bytes=0)
    written(writer, contents)
    writer.seal()
    stored = far.medium.open_set(SET)

    with stored.open(PACKS[0]) as file:
        begun = file.read(MIB)
        link.cut()
        rest = b"".join(iter(lambda: file.read(MIB), b""))

    assert begun + rest == contents[PACKS[0]]
    assert far.pauses == [PAUSES_SECONDS[0]]


def test_another_host_key_and_a_key_that_is_not_let_in_are_not_tried_again(ssh_host: SshHost, tmp_path: Path) -> None:
    other_key = new_key(tmp_path / "other")
    for client in ("openssh", "paramiko"):
        values = {**sftp_table(ssh_host, tmp_path / "sftp", create=True, client=client)}
        for change in ({"host_key": other_key}, {"identity_file": str(tmp_path / "other")}):
            far = Patient("sftp", {**values, **change}, tmp_path)

            with pytest.raises(MediumUnavailable) as caught:
                far.medium.prepare([])

            assert not isinstance(caught.value, MediumInterrupted), (client, change, caught.value)
            assert far.pauses == []


@pytest.mark.heavy
@pytest.mark.parametrize("count", [4, 9])
def test_a_burst_of_answers_of_a_server_at_fault_is_outlasted(
    proxy: S3Proxy, object_store: ObjectStore, tmp_path: Path, count: int
) -> None:
    far = behind(proxy, object_store, tmp_path)
    far.medium.prepare([])
    contents = noise(2)
    left = [count]

    def burst(method: str, path: str) -> bytes | None:
        if method == "PUT" and PACKS[1] in path and left[0]:
            left[0] -= 1
            return answer(503, "SlowDown")
        return None

    writer = far.medium.begin(SET, expected_bytes=0)
    proxy.rule = burst
    written(writer, contents)
    writer.seal()

    require_whole(far.medium, contents)
    assert (left, far.pauses) == ([0], list(PAUSES_SECONDS[: count // 3]))
    assert sum(seen.startswith("PUT") and PACKS[0] in seen for seen in proxy.seen) == 1


@pytest.mark.heavy
def test_taking_over_what_is_left_is_tried_again_and_is_not_taken_for_another_run(
    proxy: S3Proxy, object_store: ObjectStore, tmp_path: Path
) -> None:
    far = behind(proxy, object_store, tmp_path)
    far.medium.prepare([])
    contents = noise(2)
    writer = far.medium.begin(SET, expected_bytes=0)
    put(writer, PACKS[0], contents[PACKS[0]])
    let_go(writer, keep=True)
    left = [4]  # each request is sent three times

    def burst(method: str, path: str) -> bytes | None:
        if method == "HEAD" and PACKS[0] in path and left[0]:
            left[0] -= 1
            return answer(503, "SlowDown")
        return None

    proxy.rule = burst
    again = go_on(far.medium, SET, expected_bytes=0)

    assert list(held_by(again)) == [PACKS[0]]
    assert (left, far.pauses) == ([0], [PAUSES_SECONDS[0]])
    put(again, PACKS[1], contents[PACKS[1]])
    again.seal()
    require_whole(far.medium, contents)


def test_what_an_object_store_refuses_is_not_tried_again(
    proxy: S3Proxy, object_store: ObjectStore, tmp_path: Path
) -> None:
    far = behind(proxy, object_store, tmp_path)
    far.medium.prepare([])
    writer = far.medium.begin(SET, expected_bytes=0)

    for status, code in ((403, "AccessDenied"), (501, "NotImplemented"), (400, "InvalidRequest")):
        said = {"PUT": answer(status, code)}
        proxy.rule = lambda method, _path, said=said: said.get(method)  # type: ignore[misc]
        with pytest.raises(MediumUnavailable, match=code) as caught:
            put(writer, PACKS[0], b"x")
        assert not isinstance(caught.value, MediumInterrupted)
    assert far.pauses == []
    proxy.rule = lambda _method, _path: None
    writer.abandon()


@pytest.mark.heavy
def test_a_seal_whose_answer_was_late_is_put_once_for_who_reads_it(
    proxy: S3Proxy, object_store: ObjectStore, tmp_path: Path
) -> None:
    far = behind(proxy, object_store, tmp_path, timeout_seconds=2)
    far.medium.prepare([])
    contents = {PACKS[0]: b"one"}
    writer = far.medium.begin(SET, expected_bytes=0)
    written(writer, contents)
    slow = [2.5, 2.5, 2.5]  # the client waits for 2 s and sends it three times; each of them arrives
    proxy.rule = lambda method, path: slow.pop() if slow and method == "PUT" and "sealed/" in path else None

    writer.seal()

    require_whole(far.medium, contents)


def test_pauses_grow_and_leave_the_others_their_patience() -> None:
    pauses = [pause_before(number) for number in range(2, 11)]

    assert all(before <= after for before, after in pairwise(pauses))
    assert sum(pauses[:3]) < PATIENCE_SECONDS / 2


def test_disks_are_not_tried_again(tmp_path: Path) -> None:
    assert not isinstance(disk(tmp_path, "disk-a"), RetriedMedium)


@pytest.mark.parametrize("size", [0, MIB, MEMORY_BYTES, MEMORY_BYTES + 1, 20 * MIB])
def test_what_was_sent_is_kept_in_memory_and_then_in_a_file(size: int) -> None:
    spool, data = Spool(), os.urandom(size)
    for at in range(0, size, MIB):
        spool.write(memoryview(data)[at : at + MIB])

    assert b"".join(spool.pieces()) == data
    assert b"".join(spool.pieces()) == data
    spool.write(b"more")
    assert b"".join(spool.pieces()) == data + b"more"
    spool.clear()
    assert list(spool.pieces()) == []


@pytest.mark.heavy
def test_without_room_for_what_was_sent_it_is_sent_all_the_same(
    link: Link, ssh_host: SshHost, tmp_path: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(small_disk))  # of 8 MiB
    far = over(link, ssh_host, tmp_path, client="paramiko")
    far.medium.prepare([])
    contents = {PACKS[0]: os.urandom(30 * MIB)}
    writer = far.medium.begin(SET, expected_bytes=0)
    written(writer, contents)
    writer.seal()
    require_whole(far.medium, contents)

    far.medium.remove(SET)
    writer = far.medium.begin(SET, expected_bytes=0)
    link.passes = 28 * MIB
    with pytest.raises(MediumInterrupted, match="broke"):
        written(writer, contents)
    assert far.pauses == []
    link.heal()
    writer.abandon()
