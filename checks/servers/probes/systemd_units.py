"""The state of every loaded service, socket and timer: `systemctl show`, as systemctl(1) has it.

A unit that is neither enabled nor running is not loaded and not listed. A host that was not started by systemd answers
with exit code 1, and nothing is known of its units.

    Id=nftables.service
    LoadState=loaded
    ActiveState=active
    SubState=exited
    UnitFileState=enabled
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg


@dataclass(frozen=True, slots=True)
class SystemdUnit:
    """One unit."""

    load: str
    active: str
    sub: str
    file: str
    """`enabled`, `disabled`, `static`, ...: whether it starts by itself."""

    @property
    def is_active(self) -> bool:
        return self.active == "active"

    @property
    def is_enabled(self) -> bool:
        """Say whether it is started at boot for its own sake; `generated` are start scripts of the older kind."""
        return self.file in {"enabled", "generated"}

    @property
    def comes_back(self) -> bool:
        """Say whether it runs again after a reboot, also as a part of something else."""
        return self.is_enabled or self.file in {"static", "indirect", "alias"}


def refuse_without_systemd(output: Output) -> None:
    """Raise where the host does not run systemd, since then silence says nothing."""
    complaint = output.errors + output.text
    if "not been booted with systemd" in complaint or "Failed to connect to" in complaint:
        raise Unparseable(msg("the host was not started by systemd"), reason="no-systemd")
    if output.exit_code != 0:
        raise Unparseable(
            msg(
                "systemctl ended with exit code {exit_code}: {complaint}",
                exit_code=output.exit_code,
                complaint=shown(output.errors) or "-",
            ),
            reason="command-failed",
        )


def parse(output: Output) -> Mapping[str, SystemdUnit]:
    """Read the blocks, by unit name."""
    refuse_without_systemd(output)
    found: dict[str, SystemdUnit] = {}
    for block in output.text.replace("\r\n", "\n").split("\n\n"):
        values = dict(line.split("=", 1) for line in block.split("\n") if "=" in line)
        if "Id" in values:
            found[values["Id"]] = SystemdUnit(
                values.get("LoadState", ""),
                values.get("ActiveState", ""),
                values.get("SubState", ""),
                values.get("UnitFileState", ""),
            )
    if not found:
        raise Unparseable(msg("systemd listed no unit at all"))
    return found


PROBE = Probe(
    "systemd.units",
    (
        "systemctl",
        "show",
        "--no-pager",
        "-p",
        "Id,LoadState,ActiveState,SubState,UnitFileState",
        "*.service",
        "*.socket",
        "*.timer",
    ),
    parse,
    exit_codes=frozenset({0, 1}),
)
