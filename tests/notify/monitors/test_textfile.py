"""Figures in a file: read back by a strict reader, never half written, and cheap where nothing was done."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portalops.config.tables import KindTable
from portalops.errors import ConfigurationError
from portalops.notify.monitors import Beat, BeatEvent, Monitor, MonitorContext, MonitorUnavailable, build_monitor
from portalops.notify.monitors._exposition import MAX_LABEL, MAX_SAMPLES, Metric, MetricSample, expose
from portalops.notify.monitors.textfile import LAST_POLLED
from tests.notify.monitors.exposition import parsed

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
CALL = UUID("12345678-1234-4234-8234-123456789abc")
FIGURES = (Metric("portalops_job_last_run_timestamp_seconds", "When.", (MetricSample({"job": "daily-check"}, 17.5),)),)


def monitor(folder: Path, **values: str) -> Monitor:
    table = KindTable.alone("figures", "textfile", {"file": "portalops.prom", **values}, folder)
    return build_monitor(table, MonitorContext("khanh-hoa", {}))


def beat(turn: BeatEvent, at: datetime = NOW) -> Beat:
    return Beat(turn, CALL, at, metrics=lambda: FIGURES)


def unread() -> tuple[Metric, ...]:
    raise AssertionError("the ledger was read")


def test_a_run_writes_all_figures_readable_by_all(tmp_path: Path) -> None:
    monitor(tmp_path).hear(beat(BeatEvent.END))

    written = tmp_path / "portalops.prom"
    families = parsed(written.read_text(encoding="utf-8"))
    assert families[LAST_POLLED].of(portal="khanh-hoa") == NOW.timestamp()
    assert families["portalops_job_last_run_timestamp_seconds"].of(job="daily-check") == 17.5
    assert stat.S_IMODE(written.stat().st_mode) == 0o644
    assert os.listdir(tmp_path) == ["portalops.prom"]


def test_a_folder_that_cannot_be_looked_at_is_told_with_the_systems_words(tmp_path: Path) -> None:
    with pytest.raises(MonitorUnavailable, match=r"cannot write .*: File name too long"):
        monitor(tmp_path, file=f"{'c' * 300}/portalops.prom").hear(beat(BeatEvent.END))


def test_a_look_that_finds_nothing_due_renews_its_time_alone(tmp_path: Path) -> None:
    told = monitor(tmp_path)
    told.hear(beat(BeatEvent.END))
    before = parsed((tmp_path / "portalops.prom").read_text(encoding="utf-8"))

    told.hear(Beat(BeatEvent.IDLE, CALL, NOW + timedelta(minutes=15), metrics=unread))

    after = parsed((tmp_path / "portalops.prom").read_text(encoding="utf-8"))
    assert after.pop(LAST_POLLED).of(portal="khanh-hoa") == before.pop(LAST_POLLED).of(portal="khanh-hoa") + 900
    assert after == before


@pytest.mark.parametrize("before", ["", "half a fi", f'{LAST_POLLED}{{portal="other"}} 1\n', f"{LAST_POLLED} 1\n"])
def test_a_look_that_finds_another_file_writes_a_whole_one(tmp_path: Path, before: str) -> None:
    (tmp_path / "portalops.prom").write_text(before, encoding="utf-8")

    monitor(tmp_path).hear(beat(BeatEvent.IDLE))

    families = parsed((tmp_path / "portalops.prom").read_text(encoding="utf-8"))
    assert set(families) == {LAST_POLLED, "portalops_job_last_run_timestamp_seconds"}


def test_a_start_writes_nothing(tmp_path: Path) -> None:
    monitor(tmp_path).hear(beat(BeatEvent.START))

    assert os.listdir(tmp_path) == []


def test_a_folder_that_is_not_there_is_told_and_not_made(tmp_path: Path) -> None:
    told = monitor(tmp_path, file="collector/portalops.prom")

    with pytest.raises(MonitorUnavailable, match="there is no folder"):
        told.hear(beat(BeatEvent.END))
    assert os.listdir(tmp_path) == []


def test_what_cannot_be_written_leaves_the_old_file_and_is_told(tmp_path: Path) -> None:
    (tmp_path / "portalops.prom").mkdir()

    with pytest.raises(MonitorUnavailable, match="cannot write"):
        monitor(tmp_path).hear(beat(BeatEvent.END))
    assert os.listdir(tmp_path) == ["portalops.prom"]


def test_a_name_that_the_collector_does_not_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"does not end in \.prom"):
        monitor(tmp_path, file="portalops.txt")


@given(st.text(), st.text(), st.floats(-1e12, 1e12))
def test_whatever_a_label_holds_it_is_read_back_as_one_sample(label: str, said: str, value: float) -> None:
    text = expose([Metric("portalops_x", said, (MetricSample({"id": label}, value),))])

    families = parsed(text)
    ((labels, found),) = families["portalops_x"].samples.items()
    ((name, shown),) = labels
    assert name == "id" and found == pytest.approx(value, abs=0.001)
    printable = label[:MAX_LABEL].replace("\n", "")
    assert shown.replace("\n", "") == "".join(sign if sign.isprintable() else "?" for sign in printable)


def test_more_samples_than_anybody_configures_are_refused() -> None:
    samples = tuple(MetricSample({"id": str(number)}, 0) for number in range(MAX_SAMPLES + 1))

    with pytest.raises(ValueError, match="not a metric"):
        expose([Metric("portalops_x", "x", samples)])
