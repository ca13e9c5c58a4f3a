"""A server that notices when nobody calls any more, in the way of Healthchecks, which can be run on a host of one's own.

    [[notify.monitor]]
    id = "watcher"
    kind = "healthchecks"
    url = { credential = "watcher-url" }

`URL/start` is called before work begins and `URL/CODE` after it, both with one `rid`. While nothing is due, `URL/0` says that
somebody still looks. What counts as success for the server is a code in `success`: an unmet duty (1) is no dead job, and stands
in the body; work that was done in part (3) is not success. While the newest run of any job failed, the server hears of no
success, however well the other jobs go; work that another process does already (75) is told as an event that changes nothing.

An address is a secret: anybody who knows it can keep the alarm quiet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StrictInt

from portalops.config.secrets import SecretReference
from portalops.config.tables import KindTable, LocalPath
from portalops.config.values import Id, Shape
from portalops.errors import ExitCode
from portalops.model.message import msg
from portalops.notify.monitors import Beat, BeatEvent, MonitorContext, MonitorKind, MonitorUnavailable
from portalops.system.pings import PingFailed, address_of, ping

MAX_BODY_BYTES = 4 << 10
"""Of a few lines; the server itself keeps 100 kB at most."""

REFUSALS: Mapping[bytes, str] = {b"(not found)": "not found", b"(rate limited)": "rate limited"}
"""What a Healthchecks server says beside OK, with status 200, of an address that it does not know, or that was called too often."""

MAX_CODE = 255

Code = Annotated[StrictInt, Field(ge=0, le=MAX_CODE)]


class Settings(Shape):
    """`kind = "healthchecks"`."""

    url: SecretReference = Field(description="Where the address is kept, such as https://hc.example.vn/ping/UUID.")
    jobs: tuple[Id, ...] = Field(
        default=(), description="The jobs that it watches; without any, all of them and the runs in between."
    )
    success: tuple[Code, ...] = Field(
        default=(0, 1), description="Exit codes of jobs that are a success: 1 is a duty that is not met."
    )
    ca_file: LocalPath | None = Field(
        default=None, description="PEM certificates of the server's authority, where the system does not trust it."
    )
    timeout_seconds: StrictInt = Field(default=5, ge=1, le=30, description="How long one call may take in all.")


def build(table: KindTable, context: MonitorContext) -> HealthchecksMonitor:
    """Return the monitor that a table describes."""
    return HealthchecksMonitor(table.id, table.parse(Settings), context)


class HealthchecksMonitor:
    """Calls a server."""

    kind = "healthchecks"

    def __init__(self, monitor_id: str, settings: Settings, context: MonitorContext) -> None:
        self.id = monitor_id
        self._settings = settings
        self._context = context

    @property
    def jobs(self) -> frozenset[str]:
        return frozenset(self._settings.jobs)

    def hear(self, beat: Beat) -> None:
        where = signal(beat, self._settings.success)
        url = self._settings.url.reveal(self._context.environment).strip()
        parts = address_of(url)
        if parts is None or "?" in parts.target:
            raise MonitorUnavailable(msg("its address is not an http or https address, or has a query"))
        body = f"{self._context.portal}\n{beat.text}".encode()[:MAX_BODY_BYTES].decode("utf-8", "ignore")
        try:
            said = ping(
                f"{url.rstrip('/')}/{where}?rid={beat.call}",
                body.encode(),
                ca_file=self._settings.ca_file,
                seconds=self._settings.timeout_seconds,
            )
        except PingFailed as error:
            raise MonitorUnavailable(error.cause) from error
        for words, shown in REFUSALS.items():
            if words in said[:200]:
                raise MonitorUnavailable(msg("the server answers for its address: {what}", what=shown))


def signal(beat: Beat, success: tuple[int, ...]) -> str:
    """Return what is called: `start`, `log` for an event that changes nothing, else an exit code, where 0 is success."""
    if beat.turn is BeatEvent.START:
        return "start"
    if beat.code is None:
        return "log"
    if beat.code in success:
        return "0"
    if beat.code == ExitCode.LOCKED:
        return "log"
    return str(min(max(beat.code, 1), MAX_CODE)) if beat.code else "1"


MONITOR = MonitorKind(settings=Settings, build=build)
