"""The form of what was seen from outside: one line of JSON a section, written and read here.

Text of strangers is percent-encoded and bytes are base64, so that nothing in them breaks the form or is taken for
something else; bodies are deflated. A section is never left out in silence: where nobody looked, it says so.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote, unquote

from checks.servers.probe import Output, ProbeResult, Unparseable, shown
from portalops.json_text import read_json
from portalops.model.message import Message, msg

SEEN = "seen"
NOT_SCANNED = "not-looked"
NO_ADDRESS = "no-address"
FROM_ITSELF = "from-itself"
NOT_DECLARED = "not-declared"
FAILED = "failed"

LIMIT_BYTES = 6 << 20
"""Of one section."""
REPEATED_FOR = timedelta(days=7)
"""So long a look from outside counts in later rounds, in which nobody looks from there."""
_INFLATED_BYTES = 1 << 20


def written(probe: str, state: str, **content: object) -> ProbeResult:
    """Make a section."""
    text = json.dumps({"state": state, **content}, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return ProbeResult(probe, 0, text.encode(), b"", 0)


def is_seen(section: ProbeResult) -> bool:
    """Say whether a section of this form tells of something that was seen, and not of why nothing was."""
    return b'"state":"seen"' in section.stdout


@dataclass(frozen=True, slots=True)
class Station:
    """From where it was looked."""

    name: str
    """As its operator calls it."""
    addresses: tuple[str, ...]
    """The addresses that it had in these connections."""

    def __str__(self) -> str:
        return f"{shown(self.name, 60)} ({shown(', '.join(self.addresses), 80) or '-'})"


def opened(output: Output) -> Mapping[str, Any]:
    """Return the content of a section in which something was seen.

    Raises:
        Unparseable: nothing was, for the reason that the section names; or it is out of form.
    """
    try:
        held = read_json(output.text)
        state = str(held["state"])
    except (ValueError, KeyError, TypeError) as error:
        raise refuse_form() from error
    if state == SEEN:
        return dict(held)
    reason, seen = _explain_missing(state, shown(unquote(str(held.get("what", ""))), 200))
    raise Unparseable(seen, reason=reason)


def refuse_form() -> Unparseable:
    """Return what is raised of a section that is not as it is written here."""
    return Unparseable(msg("the outside scan's answer cannot be parsed"))


def station_of(held: Mapping[str, Any]) -> Station:
    """Return from where it was looked."""
    return Station(unquote(str(held["station"])), tuple(str(each) for each in held["from"]))


def _explain_missing(state: str, what: str) -> tuple[str, Message]:
    sentences = {
        NOT_SCANNED: ("not-seen-from-outside", msg("this scan had no outside scan of the host")),
        FROM_ITSELF: (
            "not-seen-from-outside",
            msg("the outside scan ran on the host itself ({what}), so it shows nothing of the outside", what=what),
        ),
        NO_ADDRESS: (
            "not-declared",
            msg("the public addresses of the host are not declared"),
        ),
        NOT_DECLARED: ("not-declared", msg("the pages of the host are not declared")),
        FAILED: ("outside-failed", msg("the outside scan failed: {what}", what=what)),
    }
    return sentences.get(state) or ("unparseable", msg("the outside scan's answer cannot be parsed"))


def packed(data: bytes) -> str:
    """Return bytes as they stand in a section."""
    return base64.b64encode(zlib.compress(data, 9)).decode("ascii")


def unpacked(text: str) -> bytes:
    """Return bytes that stand in a section, never more than a mebibyte.

    Raises:
        ValueError: there are none.
    """
    try:
        return zlib.decompressobj().decompress(base64.b64decode(text, validate=True), _INFLATED_BYTES)
    except (binascii.Error, zlib.error) as error:
        raise ValueError(str(error)) from error


def safe(text: str) -> str:
    """Return text of a stranger as it stands in a section."""
    return quote(text.encode("utf-8", "replace"), safe="/,;@*'")
