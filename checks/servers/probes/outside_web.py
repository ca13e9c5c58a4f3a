"""What the host answers to a browser, page by page: state, headers, and bodies where they are judged.

Of files that must not be there no body is kept, only which kind of thing it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from checks.servers.outside.section import LIMIT_BYTES, REPEATED_FOR, Station, opened, refuse_form, station_of, unpacked
from checks.servers.probe import Output, Probe


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """The answer to one request, or why there is none."""

    asked: str
    """The address that was asked for first."""
    url: str
    """The address of this answer, after redirects."""
    why: str
    """`page`, `plain`, `root`, `control`, `admin`, `spelling` (of an admin path), `folder` or `leak`."""
    agent: str
    """`browser`, `crawler` or `searcher`: one with a phone who comes from a search engine."""
    state: str
    """Of the port, as `ports.Talk` has it, or `not-reached`."""
    ended: str
    status: int | None
    """None where nothing came that is HTTP."""
    headers: Mapping[str, str]
    size_bytes: int
    body: bytes
    kinds: tuple[str, ...]
    """Of a leak: what it is, as `web.signatures` names it."""
    address: str = ""
    """Where each address was asked; else empty."""

    @property
    def is_redirect(self) -> bool:
        """Say whether it leads elsewhere."""
        return self.status in {301, 302, 303, 307, 308} and "location" in self.headers


@dataclass(frozen=True, slots=True)
class WebSeen:
    """All answers."""

    station: Station
    answers: tuple[WebAnswer, ...]
    """In the order in which they came."""
    approved: Mapping[str, bytes | None]
    """Approved copies of pages, by address; None where the file could not be read."""

    def last(self, why: str, agent: str = "browser") -> Iterator[WebAnswer]:
        """Yield, for each page that was asked for, at each address, the answer to which it led in the end."""
        found: dict[tuple[str, str], WebAnswer] = {}
        for each in self.answers:
            if each.why == why and each.agent == agent:
                found[each.asked, each.address] = each
        yield from found.values()


def parse(output: Output) -> WebSeen:
    """Read the section."""
    held = opened(output)
    try:
        return WebSeen(
            station_of(held),
            tuple(_answer(each) for each in held["answers"]),
            {unquote(url): None if body is None else unpacked(body) for url, body in held["approved"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise refuse_form() from error


def _answer(held: Mapping[str, Any]) -> WebAnswer:
    status = held.get("status")
    return WebAnswer(
        asked=unquote(str(held["for"])),
        url=unquote(str(held["url"])),
        why=str(held["why"]),
        agent=str(held["agent"]),
        state=str(held["state"]),
        ended=str(held.get("ended", "")),
        status=None if status is None else int(status),
        headers={str(name): unquote(str(value)) for name, value in held.get("headers", {}).items()},
        size_bytes=int(held.get("size", 0)),
        body=unpacked(held["body"]) if "body" in held else b"",
        kinds=tuple(str(each) for each in held.get("kinds", ())),
        address=str(held.get("address", "")),
    )


PROBE = Probe("outside.web", (), parse, limit_bytes=LIMIT_BYTES, repeated_for=REPEATED_FOR)
