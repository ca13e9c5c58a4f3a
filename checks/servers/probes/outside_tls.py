"""The certificates that the host sends for each declared name, and which versions of TLS it takes.

The answers to the offers are kept as bytes, and read anew each time. Of the trusted authorities those are kept that
could have issued what was sent, so that the chain is judged again from the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from checks.servers.outside.hello import VERSIONS, Reply, reply_to
from checks.servers.outside.section import LIMIT_BYTES, REPEATED_FOR, Station, opened, refuse_form, station_of, unpacked
from checks.servers.probe import Output, Probe


@dataclass(frozen=True, slots=True)
class TlsServer:
    """One name at one address."""

    name: str
    port: int
    address: str
    state: str
    """Of the port, as `ports.Talk` has it."""
    chain: tuple[bytes, ...]
    """As it was sent, DER, the server's own certificate first; none where no handshake came about."""
    offers: Mapping[str, Reply]
    """What became of the offer of each version."""

    @property
    def address_text(self) -> str:
        """Return name, port and address, for people."""
        return f"{self.name}:{self.port} ({self.address})"


@dataclass(frozen=True, slots=True)
class TlsSeen:
    """All names at all addresses."""

    station: Station
    servers: tuple[TlsServer, ...]
    anchors: tuple[bytes, ...]
    """Trusted certificates, DER."""
    trust: str
    """The file of the trusted authorities with its digest."""
    trust_problem: str
    """Why that file could not be read; empty if it was."""
    beside: tuple[TlsServer, ...] = ()
    """What other ports of TLS take; their certificates are not judged."""


_KINDS = ("servers", "beside")


def _server(each: Mapping[str, Any], certificates: Sequence[bytes]) -> TlsServer:
    return TlsServer(
        unquote(str(each["name"])),
        int(each["port"]),
        str(each["address"]),
        str(each["state"]),
        tuple(certificates[number] for number in each["chain"]),
        {
            version: reply_to(version, unpacked(heard), str(ended))
            for version, (_state, ended, heard) in each["offers"].items()
            if version in VERSIONS
        },
    )


def parse(output: Output) -> TlsSeen:
    """Read the section."""
    held = opened(output)
    try:
        certificates = tuple(unpacked(each) for each in held["certificates"])
        servers, beside = (tuple(_server(each, certificates) for each in held.get(kind, ())) for kind in _KINDS)
        return TlsSeen(
            station_of(held),
            servers,
            tuple(unpacked(each) for each in held["anchors"]),
            unquote(str(held["trust"])),
            unquote(str(held["trust_problem"])),
            beside,
        )
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise refuse_form() from error


PROBE = Probe("outside.tls", (), parse, limit_bytes=LIMIT_BYTES, repeated_for=REPEATED_FOR)
