"""Heads as files in a folder that others keep."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from portalops.errors import AnchorUnavailable, HeadRefused
from tests.anchors.parts import LEDGER, a_head, an_anchor
from tests.doubles import MemoryKeeper


def test_the_text_and_its_signature_lie_in_the_ledgers_folder(tmp_path: Path) -> None:
    anchor = an_anchor("folder", {"folder": str(tmp_path)}, tmp_path)

    receipt = anchor.publish(a_head(), MemoryKeeper())

    head = a_head()
    assert (tmp_path / LEDGER / "0000000412.txt").read_text() == head.signed.text
    assert (tmp_path / LEDGER / "0000000412.sig").read_text() == head.signed.signature
    assert receipt.details == {"path": str(tmp_path / LEDGER / "0000000412.txt")}
    assert receipt.at is None
    assert sorted(path.name for path in (tmp_path / LEDGER).iterdir()) == ["0000000412.sig", "0000000412.txt"]


def test_another_head_of_the_same_size_is_a_fork_and_overwrites_nothing(tmp_path: Path) -> None:
    anchor = an_anchor("folder", {"folder": str(tmp_path)}, tmp_path)
    anchor.publish(a_head(), MemoryKeeper())

    with pytest.raises(HeadRefused, match="this ledger has two histories"):
        anchor.publish(a_head(digest="0b77" * 16), MemoryKeeper())

    assert (tmp_path / LEDGER / "0000000412.txt").read_text() == a_head().signed.text


def test_a_link_in_the_place_of_a_head_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(a_head().signed.signature)
    (tmp_path / LEDGER).mkdir()
    (tmp_path / LEDGER / "0000000412.sig").symlink_to(elsewhere)

    with pytest.raises(AnchorUnavailable, match="symbolic links"):
        an_anchor("folder", {"folder": str(tmp_path)}, tmp_path).publish(a_head(), MemoryKeeper())


def test_a_folder_in_the_place_of_a_head_is_refused(tmp_path: Path) -> None:
    (tmp_path / LEDGER / "0000000412.sig").mkdir(parents=True)

    with pytest.raises(AnchorUnavailable, match="not a regular file"):
        an_anchor("folder", {"folder": str(tmp_path)}, tmp_path).publish(a_head(), MemoryKeeper())


def test_a_head_cut_short_by_a_broken_stick_is_a_fork_and_not_a_head(tmp_path: Path) -> None:
    anchor = an_anchor("folder", {"folder": str(tmp_path)}, tmp_path)
    anchor.publish(a_head(), MemoryKeeper())
    os.truncate(tmp_path / LEDGER / "0000000412.txt", 10)

    with pytest.raises(HeadRefused):
        anchor.publish(a_head(), MemoryKeeper())


def test_a_missing_folder_is_named_and_not_made(tmp_path: Path) -> None:
    anchor = an_anchor("folder", {"folder": str(tmp_path / "absent")}, tmp_path)

    with pytest.raises(AnchorUnavailable, match=r"absent.*No such file or directory"):
        anchor.publish(a_head(), MemoryKeeper())

    assert not (tmp_path / "absent").exists()


def test_nothing_is_written_while_the_share_is_not_mounted(tmp_path: Path) -> None:
    values = {"folder": str(tmp_path / "share"), "create": True, "mount_point": str(tmp_path)}

    with pytest.raises(AnchorUnavailable, match="nothing is mounted"):
        an_anchor("folder", values, tmp_path).publish(a_head(), MemoryKeeper())

    assert not (tmp_path / "share").exists()


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "share").write_text("")

    with pytest.raises(AnchorUnavailable, match="Not a directory"):
        an_anchor("folder", {"folder": str(tmp_path / "share")}, tmp_path).publish(a_head(), MemoryKeeper())
