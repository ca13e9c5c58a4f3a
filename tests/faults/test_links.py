"""A link that is cut at any byte, and a store that fails at any request, fail one medium of one run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from portalops.errors import ExitCode
from tests.backups.media.parts import S3Proxy, answer
from tests.faults.links import Link, link_to
from tests.faults.media import KINDS, Place, a_disk
from tests.faults.portal import NewPortal, Portal
from tests.servers import ObjectStore, SshHost

ANSWERS = {
    "500": answer(500, "InternalError"),
    "503": answer(503, "SlowDown"),
    "a connection that is closed": b"",
    "half an answer": b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<Err",
    "an answer that is none": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n<html>no!",
}


@pytest.fixture
def link(ssh_host: SshHost) -> Iterator[Link]:
    with link_to(ssh_host.port) as made:
        yield made


@pytest.fixture
def proxy(object_store: ObjectStore) -> Iterator[S3Proxy]:
    made = S3Proxy(object_store)
    yield made
    made.stop()


def by_link(request: pytest.FixtureRequest, tmp_path: Path, link: Link, number: int = 0) -> dict[str, Place]:
    """Return the media of a portal whose host is reached over a link, and a disk beside it."""
    folder = tmp_path / f"media-{number}"
    place = KINDS["sftp"](request, folder)
    return {"sftp": replace(place, settings={**place.settings, "port": link.port}), "disk": a_disk(folder / "disk")}


def by_proxy(request: pytest.FixtureRequest, tmp_path: Path, proxy: S3Proxy, number: int = 0) -> dict[str, Place]:
    """Return the media of a portal whose store is reached over a proxy, and a disk beside it."""
    folder = tmp_path / f"media-{number}"
    place = KINDS["s3"](request, folder)
    settings = {**place.settings, "endpoint": proxy.store.endpoint, "timeout_seconds": 5}
    return {"s3": replace(place, settings=settings), "disk": a_disk(folder / "disk")}


def check(portal: Portal, name: str, what: str) -> None:
    """Run once while the medium is harmed."""
    ended = portal.run("backup run --full")
    assert ended.codes and ended.codes[0] in {ExitCode.OK, ExitCode.PARTIAL}, (what, ended.output.decode()[-3000:])
    (made,) = ended.answers()
    states = {copy["medium"]: copy["state"] for copy in made["data"]["copies"]}
    assert states["disk"] == "verified", (what, made)
    if ended.codes[0] != ExitCode.OK:
        problem = next(copy["problem"] for copy in made["data"]["copies"] if copy["medium"] == name)
        assert states[name] in {"failed", "sealed"} and problem, (what, made)
    else:
        assert states[name] == "verified", (what, made)


def cut_at(portal: Portal, link: Link, passed: int) -> None:
    link.passes = passed
    check(portal, "sftp", f"cut after {passed} bytes")
    link.passes = None
    portal.recovers(f"cut after {passed} bytes")


@pytest.mark.heavy
@pytest.mark.parametrize("part", ["a third", pytest.param("nearly all", marks=pytest.mark.heavy)])
def test_a_link_that_is_cut_fails_one_medium(
    new_portal: NewPortal, request: pytest.FixtureRequest, tmp_path: Path, link: Link, part: str
) -> None:
    portal = new_portal(media=by_link(request, tmp_path, link))
    link.sent = 0
    portal.run("backup run --full")

    cut_at(portal, link, link.sent // 3 if part == "a third" else link.sent - 2000)


@pytest.mark.heavy
def test_a_link_that_is_cut_once_fails_nothing_where_it_is_tried_again(
    new_portal: NewPortal, request: pytest.FixtureRequest, tmp_path: Path, link: Link
) -> None:
    media = by_link(request, tmp_path, link)
    media["sftp"] = replace(media["sftp"], settings={**media["sftp"].settings, "tries": 4})
    portal = new_portal(media=media)
    link.sent = 0
    portal.run("backup run --full")
    whole = link.sent

    for passed in (whole // 3, whole // 2, whole - 3000):
        link.cut_once_after(passed)
        ended = portal.run("backup run --full")
        assert ended.codes == (ExitCode.OK,), (passed, ended.output.decode())
        link.heal()
        portal.recovers(f"cut once after {passed} bytes")


@pytest.mark.exhaustive
def test_a_link_may_be_cut_anywhere(
    new_portal: NewPortal, request: pytest.FixtureRequest, tmp_path: Path, link: Link
) -> None:
    portal = new_portal(media=by_link(request, tmp_path, link))
    link.sent = 0
    portal.run("backup run --full")
    whole = link.sent

    for number in range(40):
        if number % 20 == 19:
            portal = new_portal(media=by_link(request, tmp_path, link, number))
        cut_at(portal, link, 1 + whole * number // 40)


class FailingFrom:
    """A rule for a proxy: from a request on, the store does not answer as it should."""

    def __init__(self, number: int, said: bytes, *, count: int = 1 << 30) -> None:
        self.number = number
        self.said = said
        self.count = count
        self.seen = 0
        self._lock = threading.Lock()

    def __call__(self, _method: str, _path: str) -> bytes | None:
        with self._lock:
            self.seen += 1
            return self.said if self.number <= self.seen < self.number + self.count else None


def requests_of(portal: Portal, proxy: S3Proxy) -> int:
    before = len(proxy.seen)
    portal.run("backup run --full")
    return len(proxy.seen) - before


@pytest.mark.heavy
@pytest.mark.parametrize("what", ["503", pytest.param("an answer that is none", marks=pytest.mark.heavy)])
def test_a_store_that_fails_in_mid_run_fails_one_medium(
    new_portal: NewPortal, request: pytest.FixtureRequest, tmp_path: Path, proxy: S3Proxy, what: str
) -> None:
    portal = new_portal(media=by_proxy(request, tmp_path, proxy))
    number = requests_of(portal, proxy) * 6 // 10

    proxy.rule = FailingFrom(number, ANSWERS[what])
    check(portal, "s3", f"{what} from request {number} on")

    proxy.rule = lambda _method, _path: None
    portal.recovers(f"{what} from request {number} on")


@pytest.mark.heavy
def test_a_burst_of_errors_of_a_store_fails_nothing_where_it_is_tried_again(
    new_portal: NewPortal, request: pytest.FixtureRequest, tmp_path: Path, proxy: S3Proxy
) -> None:
    media = by_proxy(request, tmp_path, proxy)
    media["s3"] = replace(media["s3"], settings={**media["s3"].settings, "tries": 4, "timeout_seconds": 60})
    portal = new_portal(media=media)
    number = requests_of(portal, proxy) // 2

    proxy.rule = FailingFrom(number, ANSWERS["503"], count=4)  # boto itself asks three times
    ended = portal.run("backup run --full")

    assert ended.codes == (ExitCode.OK,), ended.output.decode()
    proxy.rule = lambda _method, _path: None
    portal.recovers("a burst of errors")


def test_a_store_that_is_slow_is_waited_for(
    new_portal: NewPortal, request: pytest.FixtureRequest, tmp_path: Path, proxy: S3Proxy
) -> None:
    media = by_proxy(request, tmp_path, proxy)
    media["s3"] = replace(media["s3"], settings={**media["s3"].settings, "timeout_seconds": 60})
    portal = new_portal(media=media)
    proxy.rule = lambda method, path: 1.5 if method == "PUT" and "0001.age" in path else None

    ended = portal.run("backup run --full")

    assert ended.codes == (ExitCode.OK,), ended.output.decode()


@pytest.mark.exhaustive
def test_a_store_may_fail_at_every_request(
    new_portal: NewPortal, request: pytest.FixtureRequest, tmp_path: Path, proxy: S3Proxy
) -> None:
    """Each request is answered wrongly in one of the ways, once or from then on, by turns."""
    portal = new_portal(media=by_proxy(request, tmp_path, proxy))
    count = requests_of(portal, proxy)
    wrong: list[str] = []
    for number in range(1, count + 1):
        if number % 20 == 0:
            portal = new_portal(media=by_proxy(request, tmp_path, proxy, number))
        what = list(ANSWERS)[number % len(ANSWERS)]
        how = 1 if number % 2 else 1 << 30
        told = f"{what}, {'once' if how == 1 else 'from then on'}, at request {number} of {count}"
        proxy.rule = FailingFrom(number, ANSWERS[what], count=how)
        try:
            check(portal, "s3", told)
            proxy.rule = lambda _method, _path: None
            portal.recovers(told)
        except AssertionError as error:
            wrong.append(str(error))
            proxy.rule = lambda _method, _path: None

    assert not wrong, "\n".join(wrong)
