"""Sets in a bucket of a real SeaweedFS: locks that are tried, strangers' hands that are seen, servers that fail."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from backups.job import VerifyTarget, run_verify
from backups.media import build_medium
from backups.media.s3 import PART_BYTES, part_bytes_of
from backups.resuming import go_on, held_by, let_go
from portalops.errors import ConfigurationError, MediumUnavailable, SetDamaged, SetLocked
from portalops.model.backups import BackupResult, Copy, CopyState, SetId, VerifyLevel
from portalops.ports import HidesFiles, Medium
from tests.backups.kit import MIB, NOW, back_up, disk, source, table
from tests.backups.media.parts import S3Proxy, answer, s3_table
from tests.contract.test_media import SET, put, read, small_set
from tests.doubles import FixedClock, SilentProgress
from tests.servers import ObjectStore, a_bucket

ROOT = Path(__file__).parents[3]
PACK = "data/content/portal/files.0001.age"
LOCKED: dict[str, Any] = {"lock": "COMPLIANCE", "retain_days": 1}


def s3(store: ObjectStore, bucket: str, folder: Path, *, user: str = "writer", **more: object) -> Medium:
    return build_medium(table("s3", s3_table(store, bucket, folder, user=user, **more), folder, "s3-a"))


def content(folder: Path, size: int = 3 * MIB) -> list[Any]:
    tree = folder / "tree"
    tree.mkdir(exist_ok=True)
    (tree / "text.bin").write_bytes(bytes(range(256)) * (size // 256))
    return [source("files", {"include": [str(tree)]}, folder)]


def verified(medium: Medium, result: BackupResult) -> Copy:
    """Read the copy on a medium once more."""
    assert result.set is not None
    copy = next(each for each in result.copies if each.medium == medium.id)
    targets = [VerifyTarget(copy, result.set.bag_sha256, result.set.stored_bytes)]
    found = run_verify(
        targets, {medium.id: medium}, level=VerifyLevel.L2, clock=FixedClock(NOW), progress=SilentProgress()
    )
    return found.copies[0]


@pytest.fixture
def proxy(object_store: ObjectStore) -> Iterator[S3Proxy]:
    made = S3Proxy(object_store)
    yield made
    made.stop()


# --- Locks ----------------------------------------------------------------------------------------


def test_every_object_of_a_set_is_locked_and_nobody_deletes_it(object_store: ObjectStore, tmp_path: Path) -> None:
    bucket = a_bucket(object_store, "set-locked")

    result = back_up(content(tmp_path), [s3(object_store, bucket, tmp_path, **LOCKED)])

    (copy,) = result.copies
    assert copy.state is CopyState.VERIFIED, copy.problem
    client = object_store.client()
    versions = client.list_object_versions(Bucket=bucket)["Versions"]
    locked = [each for each in versions if each["Key"].startswith((copy.set_id, "sealed/"))]
    assert len(locked) > 8
    for each in locked:
        place = {"Bucket": bucket, "Key": each["Key"], "VersionId": each["VersionId"]}
        found = client.head_object(**place)
        assert found["ObjectLockMode"] == "COMPLIANCE"
        assert found["ObjectLockRetainUntilDate"] > datetime.now(UTC) + timedelta(hours=23)
        with pytest.raises(ClientError, match="AccessDenied"):
            client.delete_object(**place, BypassGovernanceRetention=True)


def test_a_bucket_without_object_lock_is_refused_where_locks_are_asked_for(
    object_store: ObjectStore, tmp_path: Path
) -> None:
    bucket = a_bucket(object_store, "set-open", locked=False)

    result = back_up(content(tmp_path), [s3(object_store, bucket, tmp_path, **LOCKED), disk(tmp_path, "disk-b")])

    refused, good = result.copies
    assert (refused.state, good.state) == (CopyState.FAILED, CopyState.VERIFIED)
    assert "the bucket set-open has no Object Lock" in refused.problem
    with pytest.raises(MediumUnavailable) as caught:
        s3(object_store, bucket, tmp_path, **LOCKED).prepare([])
    assert "Make a bucket with Object Lock" in str(caught.value.hint)
    assert "remove lock and retain_days" in str(caught.value.hint)


def test_a_bucket_that_takes_nothing_is_not_said_to_have_no_object_lock(
    proxy: S3Proxy, object_store: ObjectStore, tmp_path: Path
) -> None:
    bucket = a_bucket(object_store, "set-picky")
    proxy.rule = lambda method, _path: answer(400, "InvalidRequest") if method == "PUT" else None

    with pytest.raises(MediumUnavailable, match="the server answers PutObject with InvalidRequest"):
        s3(proxy.store, bucket, tmp_path, **LOCKED).prepare([])


@pytest.mark.parametrize("lock", ["COMPLIANCE", "GOVERNANCE"])
def test_a_server_that_locks_nothing_is_found_out_before_anything_is_written(
    proxy: S3Proxy, object_store: ObjectStore, tmp_path: Path, lock: str
) -> None:
    bucket = a_bucket(object_store, f"set-mute-{lock.lower()}")
    proxy.rule = lambda method, _path: "x-amz-object-lock-mode" if method == "HEAD" else None

    with pytest.raises(MediumUnavailable, match=f"the server locked probe/.* as - until .*, not as {lock}"):
        s3(proxy.store, bucket, tmp_path, lock=lock, retain_days=1).prepare([])


def test_a_server_that_deletes_what_is_locked_is_found_out(
    proxy: S3Proxy, object_store: ObjectStore, tmp_path: Path
) -> None:
    bucket = a_bucket(object_store, "set-deletes")
    proxy.rule = lambda method, _path: b"HTTP/1.1 204 X\r\nConnection: close\r\n\r\n" if method == "DELETE" else None

    with pytest.raises(MediumUnavailable, match=r"the server deleted probe/small-.* although it is locked"):
        s3(proxy.store, bucket, tmp_path, **LOCKED).prepare([])


def test_a_server_that_deletes_nothing_is_not_taken_to_have_deleted(
    proxy: S3Proxy, object_store: ObjectStore, tmp_path: Path
) -> None:
    medium = s3(proxy.store, a_bucket(object_store, "set-keeps", locked=False), tmp_path, user="admin")
    small_set(medium)
    proxy.rule = lambda method, _path: answer(405, "MethodNotAllowed") if method == "DELETE" else None

    with pytest.raises(MediumUnavailable, match="may not delete"):
        medium.remove(SET)

    assert medium.sets() == (SET,)


def test_a_server_that_gives_back_other_bytes_is_found_out(
    proxy: S3Proxy, object_store: ObjectStore, tmp_path: Path
) -> None:
    bucket = a_bucket(object_store, "set-flips", locked=False)
    proxy.flip_bodies = True

    with pytest.raises(MediumUnavailable, match=r"probe/small-.* does not hold the data that was stored"):
        s3(proxy.store, bucket, tmp_path).prepare([])


def test_an_endpoint_is_tried_once_a_run(proxy: S3Proxy, object_store: ObjectStore, tmp_path: Path) -> None:
    medium = s3(proxy.store, a_bucket(object_store, "set-tried"), tmp_path, **LOCKED)
    medium.prepare([])
    before = len([each for each in proxy.seen if "/probe/parts-" in each and each.startswith("PUT")])

    medium.prepare([])

    assert before == 2
    assert len([each for each in proxy.seen if "/probe/parts-" in each and each.startswith("PUT")]) == 2


def test_a_lock_that_was_weakened_is_seen(object_store: ObjectStore, tmp_path: Path) -> None:
    bucket = a_bucket(object_store, "set-weakened")
    medium = s3(object_store, bucket, tmp_path, lock="GOVERNANCE", retain_days=2)
    result = back_up(content(tmp_path), [medium])
    assert result.copies[0].state is CopyState.VERIFIED, result.copies[0].problem
    client = object_store.client()
    pack = next(
        each for each in client.list_object_versions(Bucket=bucket)["Versions"] if each["Key"].endswith(".0001.age")
    )
    client.put_object_retention(
        Bucket=bucket,
        Key=pack["Key"],
        VersionId=pack["VersionId"],
        BypassGovernanceRetention=True,
        Retention={"Mode": "GOVERNANCE", "RetainUntilDate": datetime.now(UTC) + timedelta(minutes=5)},
    )

    copy = verified(medium, result)

    assert copy.state is CopyState.DAMAGED
    assert f"0001.age?versionId={pack['VersionId']} (its lock was weakened: GOVERNANCE" in copy.problem


def test_a_locked_set_is_not_removed_in_part(object_store: ObjectStore, tmp_path: Path) -> None:
    bucket = a_bucket(object_store, "set-not-removed")
    medium = s3(object_store, bucket, tmp_path, **LOCKED)
    medium.prepare([])
    small_set(medium)

    with pytest.raises(SetLocked, match=rf"refuses to remove set {SET}: it is locked until"):
        medium.remove(SET)

    assert medium.sets() == (SET,)
    assert medium.open_set(SET).sizes() == {"bagit.txt": 19, PACK: 6}


def test_a_file_that_was_taken_back_under_a_lock_is_not_in_the_set(object_store: ObjectStore, tmp_path: Path) -> None:
    bucket = a_bucket(object_store, "set-taken-back")
    medium = s3(object_store, bucket, tmp_path, **LOCKED)
    medium.prepare([])
    abandoned = medium.begin(SET, expected_bytes=0)
    put(abandoned, "data/content/failed/files.0001.age", b"half a stream")
    abandoned.abandon()
    writer = medium.begin(SET, expected_bytes=0)
    put(writer, "bagit.txt", b"x")
    put(writer, "data/content/failed/files.0002.age", b"half a stream")
    writer.discard("data/content/failed/files.0002.age")
    writer.seal()

    assert medium.open_set(SET).sizes() == {"bagit.txt": 1}
    with pytest.raises(SetDamaged, match="missing"):
        read(medium.open_set(SET), "data/content/failed/files.0001.age")


@pytest.mark.parametrize("keeps_versions", [True, False])
def test_a_removed_set_leaves_nothing_in_the_bucket(
    object_store: ObjectStore, tmp_path: Path, keeps_versions: bool
) -> None:
    bucket = a_bucket(object_store, f"set-removed-{keeps_versions}".lower(), locked=keeps_versions)
    medium = s3(object_store, bucket, tmp_path)
    medium.prepare([])
    small_set(medium)

    medium.remove(SET)

    found = object_store.client().list_object_versions(Bucket=bucket)
    assert [each["Key"] for each in found.get("Versions", ())] == []


def test_a_removal_that_died_is_ended_by_the_next(object_store: ObjectStore, tmp_path: Path) -> None:
    bucket = a_bucket(object_store, "set-removal-died", locked=False)
    medium = s3(object_store, bucket, tmp_path)
    medium.prepare([])
    small_set(medium)
    object_store.client().delete_object(Bucket=bucket, Key=f"sealed/{SET}.json")

    medium.remove(SET)

    assert "Contents" not in object_store.client().list_objects_v2(Bucket=bucket)


# --- Hands of others ------------------------------------------------------------------------------


def test_a_mark_of_deletion_is_seen_and_hides_nothing(object_store: ObjectStore, tmp_path: Path) -> None:
    bucket = a_bucket(object_store, "set-marked")
    medium = s3(object_store, bucket, tmp_path, **LOCKED)
    result = back_up(content(tmp_path), [medium])
    assert result.set is not None
    for each in object_store.client().list_objects_v2(Bucket=bucket)["Contents"]:
        object_store.client().delete_object(Bucket=bucket, Key=each["Key"])

    assert medium.sets() == (result.set.id,)
    assert read(medium.open_set(result.set.id), "bagit.txt").startswith(b"BagIt")
    copy = verified(medium, result)
    assert (copy.state, copy.problem) == (CopyState.VERIFIED, "")
    assert f"sealed/{result.set.id}.json: a delete marker hides it; remove marker " in str(copy.hidden)
    assert verified(medium, replace(result, copies=(copy,))).hidden == copy.hidden


def test_a_version_that_was_put_over_a_file_is_seen_and_not_read(object_store: ObjectStore, tmp_path: Path) -> None:
    bucket = a_bucket(object_store, "set-over")
    medium = s3(object_store, bucket, tmp_path, **LOCKED)
    medium.prepare([])
    small_set(medium)
    over = object_store.client().put_object(Bucket=bucket, Key=f"{SET}/{PACK}", Body=b"another")

    stored = medium.open_set(SET)

    assert read(stored, PACK) == b"onetwo"
    assert stored.sizes() == {"bagit.txt": 19, PACK: 6}
    assert isinstance(stored, HidesFiles)
    assert [str(each) for each in stored.hidden()] == [
        f"{PACK}: the newer version {over['VersionId']} hides it; remove that version"
    ]


def test_a_mark_of_deletion_that_was_taken_away_hides_nothing_any_more(
    object_store: ObjectStore, tmp_path: Path
) -> None:
    bucket = a_bucket(object_store, "set-unmarked")
    medium = s3(object_store, bucket, tmp_path, **LOCKED)
    result = back_up(content(tmp_path), [medium])
    assert result.set is not None
    place = {"Bucket": bucket, "Key": f"{result.set.id}/set.json"}
    mark = object_store.client().delete_object(**place)
    marked = verified(medium, result)
    object_store.client().delete_object(**place, VersionId=mark["VersionId"])

    unmarked = verified(medium, replace(result, copies=(marked,)))

    assert marked.hidden is not None and (unmarked.state, unmarked.hidden) == (CopyState.VERIFIED, None)


def test_a_version_that_was_removed_is_told_apart_from_one_that_is_hidden(
    object_store: ObjectStore, tmp_path: Path
) -> None:
    """As by a lifecycle rule that ends versions, in a bucket that keeps them and locks nothing."""
    bucket = a_bucket(object_store, "set-expired")
    medium = s3(object_store, bucket, tmp_path, user="admin")
    result = back_up(content(tmp_path), [medium])
    assert result.set is not None
    client = object_store.client()
    for each in client.list_object_versions(Bucket=bucket)["Versions"]:
        if each["Key"].endswith("0001.age"):
            client.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
            removed = each["VersionId"]
    client.delete_object(Bucket=bucket, Key=f"{result.set.id}/set.json")

    copy = verified(medium, result)

    assert (copy.state, copy.hidden) == (CopyState.DAMAGED, None)
    assert copy.problem.endswith(f"files.0001.age: its version {removed} was removed")


@pytest.mark.parametrize("header", ["Content-MD5", "x-amz-checksum-sha256"])
def test_a_server_gets_the_checksum_that_it_wants_of_what_is_locked(
    proxy: S3Proxy, object_store: ObjectStore, tmp_path: Path, header: str
) -> None:
    """S3 wants one of them with an object that is locked, and there are servers that know one alone."""
    proxy.wanted_of_locked = header
    medium = s3(proxy.store, a_bucket(object_store, f"wants-{header[:5].lower()}"), tmp_path, **LOCKED)

    result = back_up(content(tmp_path), [medium])

    assert result.copies[0].state is CopyState.VERIFIED, result.copies[0].problem
    assert proxy.wanted_count > 8


def test_a_file_more_is_seen(object_store: ObjectStore, tmp_path: Path) -> None:
    bucket = a_bucket(object_store, "set-more", locked=False)
    medium = s3(object_store, bucket, tmp_path)
    medium.prepare([])
    small_set(medium)
    object_store.client().put_object(Bucket=bucket, Key=f"{SET}/data/more", Body=b"more")

    assert medium.open_set(SET).sizes() == {"bagit.txt": 19, PACK: 6, "data/more": 4}


def test_a_file_that_is_gone_is_missing(object_store: ObjectStore, tmp_path: Path) -> None:
    bucket = a_bucket(object_store, "set-gone", locked=False)
    medium = s3(object_store, bucket, tmp_path)
    medium.prepare([])
    small_set(medium)
    object_store.client().delete_object(Bucket=bucket, Key=f"{SET}/{PACK}")

    stored = medium.open_set(SET)

    assert stored.sizes() == {"bagit.txt": 19}
    with pytest.raises(SetDamaged, match="missing"):
        read(stored, PACK)


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", b'{"format": "portalops-s3-seal/2"}', b"[" * 100_000])
def test_a_seal_that_is_none_is_damage(object_store: ObjectStore, tmp_path: Path, text: bytes) -> None:
    bucket = a_bucket(object_store, f"set-seal-{len(text)}", locked=False)
    medium = s3(object_store, bucket, tmp_path)
    medium.prepare([])
    small_set(medium)
    object_store.client().put_object(Bucket=bucket, Key=f"sealed/{SET}.json", Body=text)

    stored = medium.open_set(SET)

    assert f"sealed/{SET}.json (not a seal)" in stored.sizes()
    with pytest.raises(SetDamaged, match="missing"):
        read(stored, PACK)


# --- Servers that fail ----------------------------------------------------------------------------


@pytest.mark.heavy
def test_one_answer_of_an_overloaded_server_is_no_failure(
    proxy: S3Proxy, object_store: ObjectStore, tmp_path: Path
) -> None:
    medium = s3(proxy.store, a_bucket(object_store, "set-once"), tmp_path, **LOCKED)
    medium.prepare([])
    failed: list[str] = []

    def once(method: str, path: str) -> bytes | None:
        if method == "PUT" and ".age" in path and not failed:
            failed.append(path)
            return answer(503, "SlowDown")
        return None

    proxy.rule = once
    result = back_up(content(tmp_path), [medium])

    assert failed
    assert result.copies[0].state is CopyState.VERIFIED, result.copies[0].problem


@pytest.mark.heavy
def test_a_server_at_fault_fails_alone_and_the_next_run_succeeds(
    proxy: S3Proxy, object_store: ObjectStore, tmp_path: Path
) -> None:
    bucket = a_bucket(object_store, "set-5xx", locked=False)
    medium = s3(proxy.store, bucket, tmp_path)
    medium.prepare([])
    proxy.rule = lambda method, path: answer(500, "InternalError") if method == "PUT" and ".age" in path else None

    result = back_up(content(tmp_path), [medium, disk(tmp_path, "disk-b")])

    failed, good = result.copies
    assert (failed.state, good.state) == (CopyState.FAILED, CopyState.VERIFIED)
    assert "the server answers PutObject with InternalError said by the test" in failed.problem
    assert medium.sets() == ()
    assert "Contents" not in object_store.client().list_objects_v2(Bucket=bucket)
    proxy.rule = lambda _method, _path: None
    assert back_up(content(tmp_path), [medium]).copies[0].state is CopyState.VERIFIED


@pytest.mark.heavy
def test_a_server_that_does_not_answer_is_given_up(proxy: S3Proxy, object_store: ObjectStore, tmp_path: Path) -> None:
    bucket = a_bucket(object_store, "set-slow")
    medium, patient = (s3(proxy.store, bucket, tmp_path, timeout_seconds=each, **LOCKED) for each in (1, 60))
    patient.prepare([])
    proxy.rule = lambda method, path: 3.0 if method == "PUT" and ".age" in path else None

    begun = time.monotonic()
    result = back_up(content(tmp_path), [medium])

    assert time.monotonic() - begun < 50
    assert result.copies[0].state is CopyState.FAILED
    assert "ReadTimeoutError" in result.copies[0].problem
    assert patient.sets() == ()


def test_reading_is_taken_up_where_a_connection_broke(
    proxy: S3Proxy, object_store: ObjectStore, tmp_path: Path
) -> None:
    medium = s3(proxy.store, a_bucket(object_store, "set-cut"), tmp_path, **LOCKED)
    medium.prepare([])
    writer = medium.begin(SET, expected_bytes=0)
    put(writer, "large", bytes(range(256)) * 40_000)
    writer.seal()
    stored = medium.open_set(SET)
    proxy.cut_bodies = 2

    with stored.open("large") as file:
        got = b"".join(iter(lambda: file.read(1 << 20), b""))

    assert got == bytes(range(256)) * 40_000
    assert proxy.cut_bodies == 0


@pytest.mark.heavy
def test_a_copy_that_cannot_be_asked_for_is_not_called_damaged(
    proxy: S3Proxy, object_store: ObjectStore, tmp_path: Path
) -> None:
    medium = s3(proxy.store, a_bucket(object_store, "set-unknown"), tmp_path, **LOCKED)
    result = back_up(content(tmp_path), [medium])
    proxy.rule = lambda method, path: answer(503, "SlowDown") if method == "GET" and ".age" in path else None

    copy = verified(medium, result)

    assert copy.state is CopyState.VERIFIED
    assert copy.problem.startswith("not checked: backup medium s3-a")


# --- Runs that die --------------------------------------------------------------------------------

KILLED = """
import json, sys, time
from pathlib import Path
from backups.media import build_medium
from portalops.config.tables import KindTable
from tests.contract.test_media import SET, put
folder = Path(sys.argv[1])
medium = build_medium(KindTable.alone("s3-a", "s3", json.loads(sys.argv[2]), folder))
medium.prepare([])
writer = medium.begin(SET, expected_bytes=0)
put(writer, "bagit.txt", b"x")
writer.open("data/content/portal/files.0001.age")
writer.write(bytes(17 << 20))
print("writing", flush=True)
time.sleep(60)
"""


@pytest.mark.heavy
@pytest.mark.parametrize("locked", [False, True])
def test_a_killed_run_leaves_no_set_and_the_next_run_cleans_up(
    object_store: ObjectStore, tmp_path: Path, locked: bool
) -> None:
    bucket = a_bucket(object_store, f"set-killed-{locked}".lower(), locked=locked)
    values = s3_table(object_store, bucket, tmp_path, **(LOCKED if locked else {}))
    medium = build_medium(table("s3", values, tmp_path, "s3-a"))
    argv = [sys.executable, "-c", KILLED, str(tmp_path), json.dumps(values)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == b"writing\n"
    client = object_store.client()

    medium.prepare([])  # the run is alive: what it has written stays
    assert len(client.list_multipart_uploads(Bucket=bucket)["Uploads"]) == 1
    assert client.head_object(Bucket=bucket, Key=f"{SET}/bagit.txt")["ContentLength"] == 1
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert medium.sets() == ()

    medium.prepare([])
    assert "Uploads" not in client.list_multipart_uploads(Bucket=bucket)
    assert (
        "Contents" in client.list_objects_v2(Bucket=bucket, Prefix=f"{SET}/")
    ) is locked  # nobody can before its day
    small_set(medium)
    assert medium.sets() == (SET,)
    medium.prepare([])
    assert read(medium.open_set(SET), PACK) == b"onetwo"
    assert medium.open_set(SET).sizes() == {"bagit.txt": 19, PACK: 6}


def test_an_abandoned_set_leaves_nothing_in_a_bucket_without_locks(object_store: ObjectStore, tmp_path: Path) -> None:
    bucket = a_bucket(object_store, "set-abandoned", locked=False)
    medium = s3(object_store, bucket, tmp_path)
    medium.prepare([])
    writer = medium.begin(SET, expected_bytes=0)
    put(writer, "bagit.txt", b"x")
    writer.open(PACK)
    writer.write(bytes(PART_BYTES + 1))

    writer.abandon()

    client = object_store.client()
    assert "Contents" not in client.list_objects_v2(Bucket=bucket)
    assert "Uploads" not in client.list_multipart_uploads(Bucket=bucket)


@pytest.mark.parametrize("locked", [False, True])
def test_a_set_that_is_gone_on_with_by_the_same_run_keeps_a_mark_of_it(
    object_store: ObjectStore, tmp_path: Path, *, locked: bool
) -> None:
    bucket = a_bucket(object_store, f"same-run-{locked}".lower(), locked=locked)
    medium = s3(object_store, bucket, tmp_path)
    writer = medium.begin(SET, expected_bytes=0)
    put(writer, "bagit.txt", b"x")
    let_go(writer, keep=True)

    again = go_on(medium, SET, expected_bytes=0)

    assert set(held_by(again)) == {"bagit.txt"}
    assert len(object_store.client().list_objects_v2(Bucket=bucket, Prefix="incoming/").get("Contents", ())) == 1
    again.abandon()


def test_a_store_that_lists_no_versions_is_enough_without_locks(
    proxy: S3Proxy, object_store: ObjectStore, tmp_path: Path
) -> None:
    bucket = a_bucket(object_store, "set-unversioned", locked=False)
    proxy.rule = lambda method, path: answer(501, "NotImplemented") if "versions" in path else None
    medium = s3(proxy.store, bucket, tmp_path)

    result = back_up(content(tmp_path), [medium])

    assert result.copies[0].state is CopyState.VERIFIED, result.copies[0].problem
    with pytest.raises(MediumUnavailable, match="NotImplemented"):
        s3(proxy.store, bucket, tmp_path, **LOCKED).prepare([])


# --- Settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"secret_key": {"env": "PORTALOPS_NO_SUCH_SECRET"}}, "PORTALOPS_NO_SUCH_SECRET"),
        ({"user": "reader"}, "AccessDenied"),
        ({"bucket": "not-there"}, "NoSuchBucket"),
    ],
)
def test_what_is_refused_fails_this_medium_alone(
    object_store: ObjectStore, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    bucket = a_bucket(object_store, f"set-refused-{said.lower().replace('_', '-')}")
    values = s3_table(object_store, bucket, tmp_path, user=change.pop("user", "writer")) | change
    medium = build_medium(table("s3", values, tmp_path, "s3-a"))

    result = back_up(content(tmp_path), [medium, disk(tmp_path, "disk-b")])

    refused, good = result.copies
    assert (refused.state, good.state) == (CopyState.FAILED, CopyState.VERIFIED)
    assert said in refused.problem
    assert "writer-secret" not in refused.problem


def test_no_server_at_all_is_told(tmp_path: Path) -> None:
    with pytest.raises(MediumUnavailable, match="Could not connect"):
        s3(ObjectStore("http://127.0.0.1:1"), "bucket", tmp_path).sets()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lock": "COMPLIANCE"}, "lock and retain_days together"),
        ({"retain_days": 3}, "lock and retain_days together"),
        ({"lock": "compliance", "retain_days": 3}, "lock"),
        ({"secret_key": "AKIA"}, "contains the secret itself"),
        ({"endpoint": "s3.example"}, "is not a web address"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    values = s3_table(ObjectStore("http://127.0.0.1:1"), "bucket", tmp_path) | change

    with pytest.raises(ConfigurationError, match=said):
        build_medium(table("s3", values, tmp_path, "s3-a"))


def test_parts_are_so_large_that_ten_thousand_hold_the_planned_set() -> None:
    terabytes = 5 << 40

    assert part_bytes_of(0) == part_bytes_of(100 << 30) == PART_BYTES
    assert part_bytes_of(terabytes) * 9000 >= terabytes


def test_set_ids_of_others_are_not_listed(object_store: ObjectStore, tmp_path: Path) -> None:
    bucket = a_bucket(object_store, "set-prefix", locked=False)
    one, two = (s3(object_store, bucket, tmp_path, prefix=prefix) for prefix in ("a/", "b/"))
    for medium in (one, two):
        medium.prepare([])
    small_set(one)
    small_set(two, SetId("other-set"))

    assert (one.sets(), two.sets()) == ((SET,), (SetId("other-set"),))
    assert one.open_set(SET).sizes() == {"bagit.txt": 19, PACK: 6}
