"""A file of figures for the textfile collector of Prometheus' node_exporter.

    [[notify.monitor]]
    id = "figures"
    kind = "textfile"
    file = "/var/lib/prometheus/node-exporter/portalops.prom"

The file is written beside its place and renamed, readable by all: half a file is never seen. Each run writes all figures; a look
that finds nothing due renews the time of the newest look and nothing else. Nearly all figures are times, so that what has stopped shows by
its age; alarms ask for the absence of a figure as well, since a file that is gone has no age.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from portalops.config.tables import KindTable, LocalPath
from portalops.config.values import RefusedValue, Shape
from portalops.errors import FileUnwritable
from portalops.files import unwritable, write_atomically
from portalops.model.message import msg
from portalops.notify.monitors import Beat, BeatEvent, MonitorContext, MonitorKind, MonitorUnavailable
from portalops.notify.monitors._exposition import Metric, MetricSample, expose

LAST_POLLED = "portalops_run_timestamp_seconds"
MAX_FILE_BYTES = 4 << 20
"""What is read of the file of before: a hundred times what it has."""


def _is_read(path: Path) -> Path:
    if path.suffix != ".prom":
        raise RefusedValue(
            msg("does not end in .prom"),
            msg("Give the file a name that ends in .prom: node_exporter reads only such files."),
        )
    return path


class Settings(Shape):
    """`kind = "textfile"`."""

    file: Annotated[LocalPath, AfterValidator(_is_read)] = Field(
        description="The file, in the folder that node_exporter is given by --collector.textfile.directory."
    )


def build(table: KindTable, context: MonitorContext) -> TextfileMonitor:
    """Return the monitor that a table describes."""
    return TextfileMonitor(table.id, table.parse(Settings), context)


def writes(settings: Settings) -> tuple[Path, ...]:
    """Return the folder that is written to: a scheduled service may write nowhere else."""
    return (settings.file.parent,)


class TextfileMonitor:
    """Writes figures into a file."""

    kind = "textfile"
    jobs: frozenset[str] = frozenset()

    def __init__(self, monitor_id: str, settings: Settings, context: MonitorContext) -> None:
        self.id = monitor_id
        self._file = settings.file
        self._portal = context.portal

    def hear(self, beat: Beat) -> None:
        if beat.turn in {
            BeatEvent.START,
            BeatEvent.FAILED,
        }:  # of a run that does not get to its end the file tells by its age
            return
        text = _renewed(self._read_previous(), self._portal, beat.at) if beat.turn is BeatEvent.IDLE else None
        if text is None:
            text = expose((measure_last_poll(self._portal, beat.at), *beat.metrics()))
        try:
            if not self._file.parent.is_dir():  # a folder that nobody reads is not made
                raise MonitorUnavailable(msg("there is no folder {folder}", folder=str(self._file.parent)))
            write_atomically(self._file, text.encode(), mode=0o644)
        except FileUnwritable as error:
            raise MonitorUnavailable(error.message) from error
        except OSError as error:  # of a folder that may not be looked at
            raise MonitorUnavailable(unwritable(self._file, error).message) from error

    def _read_previous(self) -> str:
        try:
            with self._file.open("rb") as file:
                return file.read(MAX_FILE_BYTES).decode("utf-8", "replace")
        except OSError:
            return ""


def measure_last_poll(portal: str, at: datetime) -> Metric:
    """Return the time of the newest test for due jobs: of all figures the one that no idle time stops."""
    text = "When portalops last ran to do what is due, whether or not something was."
    return Metric(LAST_POLLED, text, (MetricSample({"portal": portal}, at.timestamp()),))


def _renewed(text: str, portal: str, at: datetime) -> str | None:
    """Return a file's text with another time of the newest test; None if it is not one that this version wrote for the portal."""
    own = expose((measure_last_poll(portal, at),)).splitlines()[-1]
    found = re.compile(rf"^{re.escape(own.rpartition(' ')[0])} [0-9.]+$", re.MULTILINE)
    if len(found.findall(text)) != 1 or not text.endswith("\n"):
        return None
    return found.sub(lambda _old: own, text)


MONITOR = MonitorKind(settings=Settings, build=build, writes=writes)
