r"""The plan as systemd units: for each part a timer that only starts it, and a service that may do little else than its work.

A timer is `Persistent`, so that one start follows a time in which the machine was off. 1 (something is unmet), 3 (something could
not be found out), 75 (another run is at work) and 130 (it was asked to stop) are no failures of a unit; whatever else ends one starts
`portalops-failed@`. A worker is the one service that goes on: its timer starts it where it does not run, and otherwise does nothing. Sources: systemd.exec(5), systemd.timer(5), systemd.unit(5).

    >>> word("/srv/90 %")
    '"/srv/90 %%"'
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from portalops.errors import ConfigurationError
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.schedule import probe
from portalops.schedule.marks import marked
from portalops.schedule.plan import FAILED, Demands, ScheduledService, SchedulePart, ServiceCredential, plan_services

_PLAIN = re.compile(r"[A-Za-z0-9@+=:,./_-]+")
_UNFIT = re.compile(r"[\"'\\\x00-\x1f\x7f]")

_TITLES = {
    SchedulePart.REST: "Duties of the portal: what is due",
    SchedulePart.BACKUP: "Duties of the portal: backups and inventories",
    SchedulePart.MEDIA: "Duties of the portal: copies, verification and drills",
    SchedulePart.CHECK: "Duties of the portal: checks of servers, this one among them",
    SchedulePart.WATCH: "Heads of other hosts' ledgers",
    SchedulePart.WORKER: "Parts of the portal's jobs, for all machines of the cluster",
}
_LONGEST = {
    SchedulePart.REST: "6h",
    SchedulePart.BACKUP: "1d",
    SchedulePart.MEDIA: "2d",
    SchedulePart.CHECK: "2h",
    SchedulePart.WATCH: "30min",
}
"""After so long a service is stopped, and a failure: nothing of its kind takes that long unless it hangs. A worker never ends by itself."""

_CALLED = {SchedulePart.WATCH: ("watch-remote",), SchedulePart.WORKER: ("worker", "run")}
_DRAINED = "5min"
"""How long a worker that is stopped may take to end what it has begun; another one does what is killed then."""


@dataclass(frozen=True, slots=True)
class UnitFile:
    """A file as it is to be installed."""

    name: str
    data: bytes


def unit_files(demands: Demands) -> tuple[UnitFile, ...]:
    """Return every unit that a configuration needs, marked.

    Raises:
        ConfigurationError: a path holds what cannot stand in a unit.
    """
    files: list[UnitFile] = []
    for knock in plan_services(demands):
        files.append(_file(knock.part.service, _service(knock, demands)))
        files.append(_file(knock.part.timer, _timer(knock.part, demands)))
        if knock.asks_probes:
            files.append(_file(probe.SOCKET, probe.socket_lines(demands)))
            files.append(_file(probe.SERVICE, probe.service_lines(demands)))
            files.append(UnitFile(probe.PROGRAM, marked(demands.probe_program)))
    if files:
        files.append(_file(FAILED, _failed(demands)))
    return tuple(files)


def word(text: str) -> str:
    """Return a path or argument as one word of a unit.

    Raises:
        ConfigurationError: it holds a quote, a backslash or a control character.
    """
    if _UNFIT.search(text):
        raise ConfigurationError(
            msg("{path} has characters that a systemd unit or cron file cannot hold", path=show_text(text, 120)),
            msg("Give the file or folder a name without quotes and backslashes."),
        )
    safe = text.replace("%", "%%").replace("$", "$$")
    return safe if _PLAIN.fullmatch(safe) else f'"{safe}"'


def _path(text: str, *, optional: bool = False) -> str:
    """Return a path for a list of paths, where `$` means nothing."""
    plain = word(text).replace("$$", "$")
    if not optional:
        return plain
    return f'"-{plain[1:]}' if plain.startswith('"') else f"-{plain}"


def _file(name: str, lines: Iterator[str]) -> UnitFile:
    note = (
        f"# Don't edit this file: it would be left alone from then on. Put changes into {name}.d/local.conf, which is",
        "# never touched ('systemctl edit' makes it), or change [schedule] in the configuration and install anew.",
        "",
    )
    return UnitFile(name, marked("\n".join((*note, *lines)) + "\n"))


def _timer(part: SchedulePart, demands: Demands) -> Iterator[str]:
    every = demands.every_minutes
    how_often = "each minute" if every == 1 else f"every {every} minutes"
    yield from ("[Unit]", f"Description={_TITLES[part]}, {how_often}", "", "[Timer]")
    yield f"OnCalendar=*-*-* *:{_minutes(part, demands)}"
    yield "Persistent=true"
    if demands.random_delay_minutes:
        yield f"RandomizedDelaySec={demands.random_delay_minutes}min"
    yield from ("AccuracySec=1s", "", "[Install]", "WantedBy=timers.target")


def _minutes(part: SchedulePart, demands: Demands) -> str:
    """Return the minutes and seconds of a timer: what reads sets back comes behind the backups of the same look."""
    every = demands.every_minutes
    first, second = (demands.random_delay_minutes % every, 30) if part is SchedulePart.MEDIA else (0, 0)
    return f"{first:02}:{second:02}" if every == 60 else f"{first}/{every}:{second:02}"


def _service(knock: ScheduledService, demands: Demands) -> Iterator[str]:
    called = _CALLED.get(knock.part, ("run", "--due", *knock.jobs))
    is_worker = knock.part is SchedulePart.WORKER
    yield from ("[Unit]", f"Description={_TITLES[knock.part]}")
    behind = f" {SchedulePart.BACKUP.service}" if knock.part is SchedulePart.MEDIA else ""
    yield f"After=network-online.target time-sync.target{behind}"
    yield f"OnFailure={FAILED.replace('@', '@%n')}"
    if knock.asks_probes:
        yield from (f"Wants={probe.SOCKET}", f"After={probe.SOCKET}")
    if is_worker:
        yield from ("# Tried so often it has failed, and people are notified; its timer tries again later.",)
        yield from ("StartLimitIntervalSec=10min", "StartLimitBurst=5")
    yield from ("", "[Service]", f"Type={'simple' if is_worker else 'oneshot'}", f"User={demands.user}")
    yield f"ExecStart={_command(demands, called)}"
    yield "# Something unmet, something unknown, a run that is at work already, and a stop are no failures."
    yield "SuccessExitStatus=1 3 75 130"
    yield "# What was done is in the ledger; the journal gets what somebody must see to."
    yield from ("StandardOutput=null", "StandardError=journal")  # by itself, the second would follow the first
    if is_worker:
        yield from ("Restart=on-failure", "RestartSec=30s", "KillMode=mixed", f"TimeoutStopSec={_DRAINED}")
    else:
        yield f"TimeoutStartSec={_LONGEST[knock.part]}"
    yield from ("Nice=10", "IOSchedulingPriority=7")
    yield from _state(demands)
    if knock.asks_probes:
        yield "# Within its walls it does not see the machine as it is; the probe service does."
        yield f"Environment={probe.VARIABLE}={probe.PATH}"
    yield from _credentials(demands.credentials)
    yield ""
    yield from _rooms(knock, demands)
    yield from _rights(reads_all=knock.reads_all, makes_code=knock.runs_servers)


def _failed(demands: Demands) -> Iterator[str]:
    yield from ("[Unit]", "Description=Tell that %i failed", "After=network-online.target", "", "[Service]")
    yield from ("Type=oneshot", f"User={demands.user}")
    yield f"ExecStart={_command(demands, ('notify', 'unit'))} %i"
    yield from ("SuccessExitStatus=1 3 75 130", "TimeoutStartSec=10min")
    yield from _state(demands)
    yield from _credentials(demands.credentials)
    yield ""
    # Also a state folder that is gone must be told of.
    everything = replace(demands, writes=(), may_write=(*demands.writes, *demands.may_write))
    yield from _rooms(ScheduledService(SchedulePart.REST, (), sees_homes=demands.in_homes), everything)
    yield from _rights(reads_all=False, makes_code=False)


def _command(demands: Demands, called: Sequence[str]) -> str:
    return " ".join(
        word(each) for each in (demands.program, "--config", demands.config, "--quiet", "--no-input", *called)
    )


def _state(demands: Demands) -> Iterator[str]:
    """Yield where letters find whom they are for where the configuration can no longer be read."""
    if demands.writes:
        # as systemd itself says it of StateDirectory=
        yield f"Environment={word(f'STATE_DIRECTORY={demands.writes[0]}').replace('$$', '$')}"


def _credentials(credentials: Sequence[ServiceCredential]) -> Iterator[str]:
    for each in credentials:
        kind = "LoadCredentialEncrypted" if each.is_encrypted else "LoadCredential"
        yield f"{kind}={_path(f'{each.name}:{each.path}')}"


def _rooms(knock: ScheduledService, demands: Demands) -> Iterator[str]:
    """Yield what it sees of the file system, and where it may write."""
    yield "# All is read-only but what the configuration writes to."
    yield "ProtectSystem=strict"
    yield from (f"ReadWritePaths={_path(each)}" for each in demands.writes)
    yield from (f"ReadWritePaths={_path(each, optional=True)}" for each in demands.may_write)
    yield f"ProtectHome={'read-only' if knock.sees_homes else 'yes'}"
    yield "PrivateTmp=yes"
    if knock.writes_media and demands.devices:
        yield "DevicePolicy=closed"
        yield from (f"DeviceAllow={_path(each)} rw" for each in demands.devices)
    else:
        yield "PrivateDevices=yes"


def _rights(*, reads_all: bool, makes_code: bool) -> Iterator[str]:
    if reads_all:
        yield "# Sources belong to many accounts: it may read them all, and neither write nor become one of them."
        yield from ("AmbientCapabilities=CAP_DAC_READ_SEARCH", "CapabilityBoundingSet=CAP_DAC_READ_SEARCH")
    else:
        yield "CapabilityBoundingSet="
    yield from _LOCKED
    if makes_code:
        yield "# Servers that drills start compile queries while they run: writable code pages stay allowed."
    else:
        yield "MemoryDenyWriteExecute=yes"


_CLOCK = "SystemCallFilter=adjtimex clock_adjtime clock_adjtime64"
"""Whether the clock is kept right is asked by them: nothing is pruned while nobody can say. To set it takes a right that no unit has."""
_LOCKED = (
    "NoNewPrivileges=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "ProtectProc=invisible",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "RemoveIPC=yes",
    "KeyringMode=private",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged @resources",
    _CLOCK,
    "SystemCallErrorNumber=EPERM",
    "UMask=0077",
)
