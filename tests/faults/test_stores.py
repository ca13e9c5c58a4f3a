"""An object store in which marks hide files, a rule of the store removes them, or any request of any command fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from portalops.errors import ExitCode
from tests.backups.kit import keys
from tests.backups.media.parts import S3Proxy, s3_table
from tests.faults.media import Place, a_disk
from tests.faults.portal import NewPortal, Portal
from tests.faults.test_links import ANSWERS, FailingFrom, by_proxy, proxy
from tests.faults.truth import Is, Truth, check_what_is_said
from tests.servers import ObjectStore, a_bucket

__all__ = ["proxy"]

LOCK: dict[str, object] = {"lock": "COMPLIANCE", "retain_days": 1}


def stored(store: ObjectStore, folder: Path, bucket: str, **more: object) -> dict[str, Place]:
    """Return the media of a portal: a bucket of its own, and a disk beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    a_bucket(store, bucket)
    settings = s3_table(store, bucket, folder, user="admin", **more)
    return {"s3": Place("s3", settings, list), "disk": a_disk(folder / "disk")}


def versions(store: ObjectStore, bucket: str, end: str = "") -> Iterator[dict[str, str]]:
    """Yield where every version of the objects lies whose names have an end."""
    for page in store.client().get_paginator("list_object_versions").paginate(Bucket=bucket):
        for each in page.get("Versions", ()):
            if each["Key"].endswith(end):
                yield {"Bucket": bucket, "Key": each["Key"], "VersionId": each["VersionId"]}


def shown_copies(portal: Portal) -> list[Any]:
    (listed,) = portal.run("backup list").answers()
    return [copy for made in listed["data"] for copy in made["copies"] if copy["medium"] == "s3"]


@pytest.mark.heavy
def test_marks_of_deletion_over_a_locked_set_leave_it_whole(
    new_portal: NewPortal, object_store: ObjectStore, tmp_path: Path
) -> None:
    """Who may not delete a version may still put a mark over it, and so does a rule that ends objects."""
    portal = new_portal(media=stored(object_store, tmp_path / "media", "marked", **LOCK))
    client = object_store.client()
    for key in {each["Key"] for each in versions(object_store, "marked")}:
        client.delete_object(Bucket="marked", Key=key)

    check_what_is_said(portal, "marks of deletion over everything")

    (copy,) = shown_copies(portal)
    assert copy["state"] == "verified" and "a delete marker hides it" in copy["hidden"], copy


@pytest.mark.heavy
def test_a_newer_version_over_a_locked_file_leaves_the_set_whole(
    new_portal: NewPortal, object_store: ObjectStore, tmp_path: Path
) -> None:
    portal = new_portal(media=stored(object_store, tmp_path / "media", "overwritten", **LOCK))
    for each in list(versions(object_store, "overwritten")):
        object_store.client().put_object(Bucket=each["Bucket"], Key=each["Key"], Body=b"another")

    check_what_is_said(portal, "newer versions over everything")

    (copy,) = shown_copies(portal)
    assert copy["state"] == "verified" and "newer version" in copy["hidden"], copy


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(".0001.age", marks=pytest.mark.heavy),
        *(
            pytest.param(each, marks=pytest.mark.exhaustive)
            for each in (".index.age", "set.json", "manifest-sha256.txt")
        ),
    ],
)
def test_versions_that_a_rule_removed_are_damage_and_made_anew(
    new_portal: NewPortal, object_store: ObjectStore, tmp_path: Path, part: str
) -> None:
    bucket = f"expired{part.replace('.', '-').replace('_', '-')}"
    portal = new_portal(media=stored(object_store, tmp_path / "media", bucket))
    portal.run("backup run --diff")
    for each in list(versions(object_store, bucket, part)):
        object_store.client().delete_object(**each)

    check_what_is_said(portal, f"versions of *{part} were removed")

    assert {Truth(portal).of(each["set"], "s3").what for each in shown_copies(portal)} == {Is.WHOLE}


@pytest.mark.heavy
def test_a_seal_that_a_rule_removed_is_missed_and_its_set_made_anew(
    new_portal: NewPortal, object_store: ObjectStore, tmp_path: Path
) -> None:
    portal = new_portal(media=stored(object_store, tmp_path / "media", "unsealed"))
    portal.run("backup run --diff")
    newest = max(portal.contents, key=lambda set_id: "-diff-" in set_id)
    for each in list(versions(object_store, "unsealed", f"sealed/{newest}.json")):
        object_store.client().delete_object(**each)

    check_what_is_said(portal, "a seal was removed")

    assert {Truth(portal).of(each["set"], "s3").what for each in shown_copies(portal)} == {Is.WHOLE}


@pytest.mark.heavy
def test_a_bucket_without_any_seal_is_out_of_reach_and_not_damaged(
    new_portal: NewPortal, object_store: ObjectStore, tmp_path: Path
) -> None:
    """It may be another bucket."""
    portal = new_portal(media=stored(object_store, tmp_path / "media", "empty"))
    for each in list(versions(object_store, "empty", "")):
        object_store.client().delete_object(**each)

    check_what_is_said(portal, "everything was removed", names=("restore", "drill", "verify", "list", "prune"))

    assert {each["state"] for each in shown_copies(portal)} == {"verified"}


@pytest.mark.exhaustive
def test_a_locked_version_cannot_be_removed_by_a_rule(
    new_portal: NewPortal, object_store: ObjectStore, tmp_path: Path
) -> None:
    portal = new_portal(media=stored(object_store, tmp_path / "media", "kept", **LOCK))
    for each in list(versions(object_store, "kept", ".0001.age")):
        with pytest.raises(ClientError, match="AccessDenied"):
            object_store.client().delete_object(**each)

    check_what_is_said(portal, "a rule was refused")


COMMANDS: dict[str, Callable[[Portal], str]] = {
    "list": lambda _portal: "backup list",
    "verify": lambda _portal: "backup verify latest",
    "prune": lambda _portal: "backup prune --trust-clock",
    "replicate": lambda _portal: "backup replicate",
    "restore": lambda portal: (
        f"backup restore latest --medium s3 --to {portal.folder}/out-{len(list(portal.folder.glob('out-*')))}"
        f" --identity {keys().file(portal.folder)}"
    ),
    "drill": lambda portal: f"backup drill latest --medium s3 --identity {keys().file(portal.folder)}",
}


def prepared(portal: Portal, command: str) -> None:
    """Make a set that the store lacks, for what copies it there."""
    if command == "replicate":
        portal.configure("disk")
        assert portal.run("backup run --full").codes == (ExitCode.OK,)
        portal.configure("s3", "disk")


def fail_at(portal: Portal, proxy: S3Proxy, command: str, rule: FailingFrom) -> None:
    """Carry out a command while a request fails; then no copy is called what it is not, and the command works again."""
    prepared(portal, command)
    proxy.rule = rule
    ended = portal.run(COMMANDS[command](portal))
    proxy.rule = lambda _method, _path: None
    told = f"{command}: {rule.said[:60]!r}, {rule.count} times from request {rule.number} on"
    assert ended.codes and ended.codes[0] != ExitCode.FAULT, (told, ended.output.decode()[-3000:])
    for copy in shown_copies(portal):
        found = Truth(portal).of(copy["set"], "s3").what
        assert copy["state"] != "verified" or found is Is.WHOLE, (told, copy, found)
        assert copy["state"] != "damaged", (told, copy, found)
    again = portal.run(COMMANDS[command](portal))
    assert again.codes == (ExitCode.OK,), (told, again.output.decode())


def requests_of(portal: Portal, proxy: S3Proxy, command: str) -> int:
    prepared(portal, command)
    before = len(proxy.seen)
    ended = portal.run(COMMANDS[command](portal))
    assert ended.codes == (ExitCode.OK,), ended.output.decode()
    return len(proxy.seen) - before


def store_behind(request: pytest.FixtureRequest, tmp_path: Path, proxy: S3Proxy, number: int = 0) -> dict[str, Place]:
    """Return media of which the store is asked once for everything, so that each failure counts."""
    media = by_proxy(request, tmp_path, proxy, number)
    return {**media, "s3": replace(media["s3"], settings={**media["s3"].settings, "timeout_seconds": 2})}


@pytest.mark.heavy
@pytest.mark.parametrize("command", ["verify", "prune", "replicate"])
def test_a_store_that_fails_a_command_harms_nothing(
    new_portal: NewPortal, request: pytest.FixtureRequest, tmp_path: Path, proxy: S3Proxy, command: str
) -> None:
    portal = new_portal(media=store_behind(request, tmp_path, proxy))
    count = requests_of(portal, proxy, command)

    for number, what in ((1, "503"), (count // 2, "half an answer"), (count, "500")):
        fail_at(portal, proxy, command, FailingFrom(max(1, number), ANSWERS[what]))


@pytest.mark.exhaustive
@pytest.mark.parametrize("command", COMMANDS)
def test_a_store_may_fail_a_command_at_every_request(
    new_portal: NewPortal, request: pytest.FixtureRequest, tmp_path: Path, proxy: S3Proxy, command: str
) -> None:
    """Each request is answered wrongly in one of the ways, once or from then on, by turns."""
    portal = new_portal(media=store_behind(request, tmp_path, proxy))
    count = requests_of(portal, proxy, command)
    wrong: list[str] = []
    for number in range(1, count + 1):
        if number % 20 == 0 or wrong:
            portal = new_portal(media=store_behind(request, tmp_path, proxy, number))
        said = list(ANSWERS.values())[number % len(ANSWERS)]
        try:
            fail_at(portal, proxy, command, FailingFrom(number, said, count=1 if number % 2 else 1 << 30))
        except AssertionError as error:
            wrong.append(str(error))

    assert not wrong, "\n".join(wrong)
