"""One suite for every anchor that heads are handed to: what `portalops.ports.Anchor` promises."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from portalops import bodies
from portalops.anchors import ANCHORS
from portalops.config.tables import KindTable
from portalops.errors import AnchorUnavailable, ConfigurationError, UnknownKind
from portalops.ledger.heads import head_digest
from portalops.model.heads import AnchorReceipt
from portalops.ports import Anchor
from portalops.system.clock import SystemClock
from tests.anchors.certificates import authority, timestamper
from tests.anchors.parts import (
    S3_ENVIRONMENT,
    Authority,
    a_head,
    an_anchor,
    just_now,
    mail_server,
    s3_values,
    web_server,
)
from tests.doubles import MemoryKeeper
from tests.servers import a_bucket

ADDRESSES = {"sender": "portalops@khanhhoa.example", "recipients": ["van-thu@so-tttt.example"], "security": "none"}
NOBODY = "http://127.0.0.1:1"
"""A port that nothing listens on."""


@dataclass(frozen=True)
class Place:
    """A kind of anchor with its real counterpart, and the same without one."""

    there: Callable[[], Anchor]
    absent: Callable[[], Anchor]


def make(kind: str, values: dict[str, Any], folder: Path) -> Callable[[], Anchor]:
    return lambda: an_anchor(kind, values, folder, clock=SystemClock(), environment=dict(S3_ENVIRONMENT))


def folder_place(request: pytest.FixtureRequest, folder: Path, _stack: ExitStack) -> Place:
    return Place(
        make("folder", {"folder": str(folder)}, folder), make("folder", {"folder": str(folder / "absent")}, folder)
    )


def mail_place(request: pytest.FixtureRequest, folder: Path, stack: ExitStack) -> Place:
    box = stack.enter_context(mail_server())
    values = {"host": "127.0.0.1", **ADDRESSES}
    return Place(make("mail", {**values, "port": box.port}, folder), make("mail", {**values, "port": 1}, folder))


def rfc3161_place(request: pytest.FixtureRequest, folder: Path, stack: ExitStack) -> Place:
    root = authority("Root")
    tsa = Authority(folder / "tsa", timestamper("Time stamps", root), (root,))
    url = stack.enter_context(web_server(tsa.answer))
    (folder / "ca.pem").write_bytes(root.pem)
    values = {"url": url, "ca_file": "ca.pem"}
    return Place(make("rfc3161", values, folder), make("rfc3161", {**values, "url": NOBODY}, folder))


def s3_place(request: pytest.FixtureRequest, folder: Path, _stack: ExitStack) -> Place:
    store = request.getfixturevalue("object_store")
    bucket = a_bucket(store, f"contract-{folder.name.replace('_', '-').lower()}"[:63].rstrip("-"))
    values = s3_values(store, bucket)
    return Place(make("s3", values, folder), make("s3", {**values, "endpoint": NOBODY}, folder))


PLACES = {"folder": folder_place, "mail": mail_place, "rfc3161": rfc3161_place, "s3": s3_place}
ASKS_BY_ITSELF = {"witness"}
"""Nothing is handed to it; tests/witness tries it."""


@pytest.fixture(params=sorted(PLACES))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with ExitStack() as stack:
        yield PLACES[request.param](request, tmp_path, stack)


def test_every_kind_has_its_place_here() -> None:
    assert set(ANCHORS.names()) == {*PLACES, *ASKS_BY_ITSELF}


def test_the_receipt_speaks_of_the_head_and_of_the_anchor(place: Place) -> None:
    anchor, head = place.there(), just_now()

    receipt = anchor.publish(head, MemoryKeeper())

    assert (receipt.anchor, receipt.kind) == (anchor.id, anchor.kind)
    assert (receipt.size, receipt.head) == (head.head.size, head_digest(head.signed.text))
    assert receipt.problem == ""
    assert receipt.details, "a stranger must be able to find it again"
    assert receipt.at is None or receipt.at.utcoffset() is not None


def test_the_evidence_of_the_receipt_is_kept(place: Place) -> None:
    keeper = MemoryKeeper()

    receipt = place.there().publish(just_now(), keeper)

    assert set(receipt.evidence) == set(keeper.blobs)


def test_the_receipt_can_be_recorded_and_read_back(place: Place) -> None:
    receipt = place.there().publish(just_now(), MemoryKeeper())

    assert bodies.decode(AnchorReceipt, json.loads(json.dumps(bodies.encode(receipt)))) == receipt


def test_the_same_head_may_be_handed_out_twice(place: Place) -> None:
    anchor, head = place.there(), just_now()

    first, second = (anchor.publish(head, MemoryKeeper()) for _ in range(2))

    assert (first.size, first.head) == (second.size, second.head)


def test_later_heads_are_taken_after_earlier_ones(place: Place) -> None:
    anchor, now = place.there(), just_now().head.at

    sizes = [
        anchor.publish(a_head(size, digest=f"{size:064x}", at=now), MemoryKeeper()).size for size in (412, 413, 9000)
    ]

    assert sizes == [412, 413, 9000]


def test_heads_of_two_ledgers_do_not_meet(place: Place) -> None:
    anchor, now = place.there(), just_now().head.at

    for ledger in ("5f0c" * 8, "0000" * 8):
        assert anchor.publish(a_head(ledger=ledger, digest=ledger * 2, at=now), MemoryKeeper()).problem == ""


def test_one_that_is_not_there_says_so_and_names_itself(place: Place) -> None:
    anchor = place.absent()
    keeper = MemoryKeeper()

    with pytest.raises(AnchorUnavailable, match=f"the anchor {anchor.id} did not accept the head: "):
        anchor.publish(just_now(), keeper)

    assert keeper.blobs == {}


def test_an_unknown_key_is_refused_with_its_place(place: Place, tmp_path: Path) -> None:
    kind = place.there().kind

    with pytest.raises(ConfigurationError, match=r"portalops\.toml"):
        an_anchor(kind, {"unknown": 1}, tmp_path)


def test_an_unknown_kind_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(UnknownKind, match="pigeon") as refused:
        an_anchor("pigeon", {}, tmp_path)

    assert ", ".join(ANCHORS.names()) in str(refused.value.hint)


def test_kinds_are_found_by_their_files(tmp_path: Path) -> None:
    assert not [kind for kind in ANCHORS.names() if kind.startswith("_")]
    assert KindTable.alone("far-away", "folder", {"folder": "x"}, tmp_path).kind in ANCHORS.names()
