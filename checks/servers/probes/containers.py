"""Ports that containers publish: `docker ps` or `podman ps`, one line of JSON a container, as their manuals have them. Needs root.

Docker 24 prints its ports as text, Podman as a list:

    {"Names":"web","Ports":"0.0.0.0:8080->80/tcp, [::]:8080->80/tcp", ...}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.redaction import JSON
from portalops.json_text import read_json
from portalops.model.message import msg

_SCRIPT = r"""
for d in docker0 podman0 cni-podman0; do [ -e "/sys/class/net/$d" ] && echo "bridge $d"; done
if command -v docker >/dev/null; then
  echo docker
  docker ps --format '{{json .}}' || exit 3
fi
if command -v podman >/dev/null; then
  echo podman
  podman ps --format '{{json .}}' || exit 3
fi
echo end
"""
_PUBLISHED = re.compile(
    r"(?P<address>\[[0-9a-fA-F:.]*\]|[0-9a-fA-F:.]*):(?P<first>\d+)(?:-(?P<last>\d+))?->[\d-]+/(?P<protocol>tcp|udp|sctp)$"
)
_EXPOSED = re.compile(r"[\d-]+/(?:tcp|udp|sctp)$")


PORTS = 3 * 65535
"""So many ports there are, of three protocols."""


@dataclass(frozen=True, slots=True, order=True)
class Published:
    """A port of the host that leads into a container."""

    protocol: str
    port: int
    container: str

    @property
    def name(self) -> str:
        """Return it as declarations write it: `tcp/8080`."""
        return f"{self.protocol}/{self.port}"


@dataclass(frozen=True, slots=True)
class Containers:
    """What is known of containers."""

    engines: tuple[str, ...]
    """`docker`, `podman`: those that answered."""
    bridges: tuple[str, ...]
    """Network devices of an engine."""
    published: tuple[Published, ...]
    """On more than loopback."""


def parse(output: Output) -> Containers:
    """Read each container's ports."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the list of containers is cut short"))
    engines: list[str] = []
    bridges: list[str] = []
    found: set[Published] = set()
    seen = 0
    for line in lines[:-1]:
        if line in {"docker", "podman"}:
            engines.append(line)
        elif line.startswith("bridge "):
            bridges.append(line.removeprefix("bridge "))
        else:
            for one in _published(line):
                found.add(one)
                seen += 1
                if seen > PORTS:
                    raise Unparseable(msg("containers publish more ports than there are"))
    return Containers(tuple(engines), tuple(bridges), tuple(sorted(found)))


def _published(line: str) -> Iterator[Published]:
    try:
        said = cast("Mapping[str, object]", read_json(line))
        names, ports = said["Names"], said.get("Ports") or ()
        name = shown(names if isinstance(names, str) else ",".join(cast("Sequence[str]", names)), 60)
        if isinstance(ports, str):
            for text in filter(None, ports.split(", ")):
                yield from _read_docker(text, name)
        else:
            for one in cast("Sequence[Mapping[str, object]]", ports):
                if not _is_loopback(str(one.get("host_ip", ""))) and one.get("host_port"):
                    first, count = int(str(one["host_port"])), int(str(one.get("range") or 1))
                    yield from _range(str(one["protocol"]).partition(",")[0], first, first + count - 1, name)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unparseable(msg("a container's line cannot be parsed: {line}", line=shown(line, 80))) from error


def _read_docker(text: str, name: str) -> Iterator[Published]:
    match = _PUBLISHED.fullmatch(text)
    if match is None:
        if not _EXPOSED.fullmatch(text):
            raise ValueError(text)
        return
    if not _is_loopback(match["address"].strip("[]")):
        yield from _range(match["protocol"], int(match["first"]), int(match["last"] or match["first"]), name)


def _range(protocol: str, first: int, last: int, name: str) -> Iterator[Published]:
    if not 0 < first <= last <= 65535:
        raise ValueError(first)
    for port in range(first, last + 1):
        yield Published(protocol, port, name)


def _is_loopback(address: str) -> bool:
    return address.startswith("127.") or address == "::1"


PROBE = Probe("firewall.containers", ("sh", "-c", _SCRIPT), parse, needs_root=True, form=JSON)
