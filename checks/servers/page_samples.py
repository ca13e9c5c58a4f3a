"""Looks whether the declared pages are there, at one moment: one request each, no redirect gone after, no body kept."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from checks.servers.declared import Declared
from checks.servers.outside import web
from checks.servers.outside_scan import addresses_of
from portalops.model.organisation import Host, HostId
from portalops.ports import Network

SECONDS = 10.0
AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class SampledPage:
    """One page at this moment."""

    host: HostId
    url: str
    status: int
    """Of HTTP; 0 where nothing answered."""
    milliseconds: int


def sample(
    hosts: Sequence[Host], declared: Declared, network: Network, monotonic: Callable[[], float]
) -> tuple[SampledPage, ...]:
    """Ask for every declared page once; a page to which this station has no way at all is left out, being not looked at."""

    def look(at: tuple[Host, str, tuple[str, ...]]) -> SampledPage | None:
        host, text, addresses = at
        url = web.url_of(text)
        began = monotonic()
        states = set()
        for address in addresses:
            talk = network.talk(
                address,
                url.port,
                web.request(url),
                until=lambda heard: b"\r\n\r\n" in heard,
                seconds=SECONDS,
                limit_bytes=web.HEAD_BYTES,
                tls_name=url.name,
            )
            states.add(talk.state)
            answer = web.response_from(talk.heard, 0) if talk.heard else None
            if answer is not None:
                return SampledPage(host.id, text, answer.status, round((monotonic() - began) * 1000))
        if states <= {"unreachable"} or any(ipaddress.ip_address(each).is_loopback for each in addresses):
            return None
        return SampledPage(host.id, text, 0, round((monotonic() - began) * 1000))

    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="sample") as pool:
        return tuple(seen for seen in pool.map(look, _pages(hosts, declared)) if seen is not None)


def _pages(hosts: Sequence[Host], declared: Declared) -> Iterator[tuple[Host, str, tuple[str, ...]]]:
    for host in hosts:
        own = declared.find_host(host.id)
        addresses = addresses_of(host, own)
        if addresses:
            for text in dict.fromkeys((*(own.pages or ()), *own.editions.values())):
                yield host, text, addresses
