"""Attacks on what the ledger says of its anchors: root writes into it whatever an anchor might have answered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portalops.ledger.heads import head_digest
from portalops.model.heads import AnchorId, AnchorReceipt
from portalops.model.record import Digest
from tests.attacks.scene import END, Forger, Portal

ANCHORS = """
[[ledger.anchor]]
id = "so-tttt"
kind = "witness"
key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJWg2ydyYRNVLeNmez40L99K8Zq3BJfV51XOwDcy9B/h"

[[ledger.anchor]]
id = "near"
kind = "folder"
folder = "heads"
create = true
"""


@pytest.fixture
def anchored(portal: Portal) -> Portal:
    path = portal.folder / "portalops.toml"
    path.write_text(path.read_text() + ANCHORS)
    return portal


def receive(portal: Portal, head: Digest) -> int:
    """Record a receipt that nobody gave, signed and chained as if it had come in; return its record."""
    forger = Forger.of(portal)
    receipt = AnchorReceipt(AnchorId("so-tttt"), "witness", 36, head, END, {}, ())
    last = replace(forger.entries[-1], kind="anchor.received", run="", subject="so-tttt", head=None)
    forger.entries.append(last.holding(receipt=receipt))
    return forger.write(portal.key)[-1].seq


def seen_by_doctor(portal: Portal) -> dict[str, list[str]]:
    said: dict[str, list[str]] = {}
    for each in portal.call("doctor", at=END).data:
        if each["subject"] == "anchors":
            said.setdefault(each["state"], []).append(each["seen"])
    return said


def test_a_forged_receipt_for_a_head_that_never_was_is_told_and_counts_for_nothing(anchored: Portal) -> None:
    seq = receive(anchored, Digest("ab" * 32))

    said = seen_by_doctor(anchored)

    assert f"so-tttt: the receipt in record {seq} is for a head that this ledger does not hold" in said["bad"]
    assert "so-tttt: it has no head yet" in said["warning"]


def test_a_receipt_for_a_head_of_this_ledger_counts(anchored: Portal) -> None:
    """The reverse; that root forged it nothing here can tell, and the threat model says so."""
    held = next(each.head for each in reversed(Forger.of(anchored).entries) if each.head is not None)
    receive(anchored, head_digest(held.text))

    assert any("so-tttt: it has the head" in each for each in seen_by_doctor(anchored)["good"])


def test_a_folder_beside_the_ledger_is_no_anchor(anchored: Portal) -> None:
    said = seen_by_doctor(anchored)

    assert "near: it lies on this machine, so it is no anchor" in said["warning"]
    assert "1 anchor lies out of reach" in said["warning"]


@pytest.mark.parametrize("address", ["http://localhost:3161/tsr", "http://127.0.0.7/tsr", "http://[::1]/tsr"])
def test_a_server_of_this_very_machine_is_no_anchor(anchored: Portal, address: str) -> None:
    path = anchored.folder / "portalops.toml"
    path.write_text(path.read_text() + f'\n[[ledger.anchor]]\nid = "stamp"\nkind = "rfc3161"\nurl = "{address}"\n')

    said = seen_by_doctor(anchored)

    assert "stamp: it lies on this machine, so it is no anchor" in said["warning"]
    assert "1 anchor lies out of reach" in said["warning"]


def test_two_anchors_at_one_server_are_one(anchored: Portal) -> None:
    path = anchored.folder / "portalops.toml"
    stamps = "".join(
        f'\n[[ledger.anchor]]\nid = "stamp-{each}"\nkind = "rfc3161"\nurl = "https://tsa.example.vn/{each}"\n'
        for each in (1, 2)
    )
    path.write_text(path.read_text() + stamps)

    assert "2 anchors lie out of reach" in seen_by_doctor(anchored)["good"], "the witness, and this server"
