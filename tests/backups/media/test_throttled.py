"""Limits that any medium may have: its rate, and the hours at which a set is begun."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from backups.media import MEDIA, build_medium
from backups.media._throttled import MediumSettings, ThrottledMedium, is_within
from portalops.errors import ConfigurationError, MediumUnavailable
from portalops.ports import Medium
from portalops.system.clock import SystemClock
from tests.backups.kit import MIB, disk
from tests.backups.memory import MemoryMedium
from tests.contract.test_media import SET, put, read, small_set
from tests.doubles import FixedClock


def limited(at: datetime | None = None, **settings: Any) -> Medium:
    clock = FixedClock(at) if at else SystemClock()
    return ThrottledMedium(MemoryMedium("medium-1"), MediumSettings(**settings), clock)


def local(hour: int, minute: int = 0) -> datetime:
    """Return a moment by this machine's own time, in UTC."""
    return datetime(2026, 11, 25, hour, minute).astimezone(UTC)


def test_every_kind_can_be_limited() -> None:
    assert [name for name, kind in MEDIA.all() if not issubclass(kind.settings, MediumSettings)] == []


def test_a_medium_without_limits_is_itself(tmp_path: Path) -> None:
    assert not isinstance(disk(tmp_path, "disk-a"), ThrottledMedium)
    assert isinstance(disk(tmp_path, "disk-a", window="00:00-23:59"), ThrottledMedium)


def test_a_limited_medium_takes_no_more_than_its_rate(tmp_path: Path) -> None:
    medium = disk(tmp_path, "disk-a", limit_mib_per_second=8)
    medium.prepare([])
    writer = medium.begin(SET, expected_bytes=0)

    begun = time.monotonic()
    put(writer, "bagit.txt", bytes(3 * MIB), bytearray(MIB))
    taken = time.monotonic() - begun
    writer.seal()

    assert taken >= 0.4
    assert medium.open_set(SET).sizes() == {"bagit.txt": 4 * MIB}


@pytest.mark.parametrize("hour", [22, 23, 0, 4])
def test_a_set_is_begun_in_the_window_alone(hour: int) -> None:
    medium = limited(local(hour, 30), window="22:00-05:00")

    medium.prepare([])
    small_set(medium)

    assert read(medium.open_set(SET), "bagit.txt") == b"BagIt-Version: 1.0\n"


@pytest.mark.parametrize("hour", [5, 12, 21])
def test_outside_of_it_the_medium_says_why_and_can_be_read(hour: int) -> None:
    medium = limited(local(hour), window="22:00-05:00")

    with pytest.raises(
        MediumUnavailable, match=rf"it is {hour:02}:00, but this medium is written only in the window 22:00-05:00"
    ):
        medium.prepare([])
    with pytest.raises(MediumUnavailable, match="22:00-05:00"):
        medium.begin(SET, expected_bytes=0)
    assert medium.sets() == ()


@pytest.mark.parametrize(
    ("window", "hour", "inside"),
    [("09:00-17:00", 9, True), ("09:00-17:00", 17, False), ("09:00-17:00", 3, False), ("23:00-01:00", 0, True)],
)
def test_the_end_of_a_window_is_outside(window: str, hour: int, inside: bool) -> None:
    assert is_within(window, datetime(2026, 11, 25, hour, tzinfo=UTC)) is inside


@pytest.mark.parametrize(
    "change",
    [
        {"window": "22-5"},
        {"window": "24:00-05:00"},
        {"window": "22:00-22:00"},
        {"limit_mib_per_second": 0},
        {"limit_mib_per_second": "fast"},
    ],
)
def test_limits_that_are_none_are_refused(tmp_path: Path, change: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(change))):
        disk(tmp_path, "disk-a", **change)


def test_limits_belong_to_the_medium_that_has_them(tmp_path: Path) -> None:
    from portalops.config.tables import KindTable

    values = {"folder": "disk", "create": True, "allow_same_filesystem": True, "limit_mib_per_second": 1000}
    medium = build_medium(KindTable.alone("disk-b", "disk", values, tmp_path))

    assert (medium.id, medium.kind, medium.places()) == ("disk-b", "disk", (tmp_path / "disk",))
