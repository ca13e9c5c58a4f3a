"""Facts of a host that portalops cannot log in to, brought by a person: the same read-only script, run there by hand.

The script holds a nonce that was issued for this host alone, and prints

    portalops-facts 1 host=ID nonce=NONCE at=SECONDS uid=UID
    ... what the host says, in the form of `script` ...
    portalops-facts end at=SECONDS

through gzip, whose checksum tells a damaged file. Nothing proves which machine ran it: the nonce tells only that it was run
after it was issued, and whoever has the script can write any answer. So it proves less than an answer over SSH, and says so
wherever it is shown. How far the host's clock is off cannot be told over a carried file either, so it is not asked for.
"""

from __future__ import annotations

import hashlib
import re
import shlex
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from checks.servers.gather import AnswerRejected, appended, parse_answer, redacted_answer
from checks.servers.outside.section import safe, written
from checks.servers.probe import Probe
from checks.servers.probes import clock
from checks.servers.script import HOST_BYTES, script_for
from portalops.errors import FactsRefused
from portalops.model.hosts import SuppliedFacts
from portalops.model.message import ByteCount, Message, msg
from portalops.model.organisation import HostId
from portalops.model.text import show_text
from portalops.registers.hosts import RecordedScript

VALID_FOR = timedelta(days=3)
"""So long the answer to a script is taken."""
CLOCKS_DIFFER = timedelta(minutes=10)
"""So far the host's clock may be off."""
FILE_BYTES = HOST_BYTES
"""A file may not be larger; gzip makes an answer about a tenth as large."""
SECTION = "by-hand"
_HEAD = re.compile(
    rb"portalops-facts 1 host=([A-Za-z0-9._-]{1,64}) nonce=([0-9a-f]{32}) at=(\d{9,11}) uid=(\d{1,10})\n"
)
_END = re.compile(rb"portalops-facts end at=(\d{9,11})\n\Z")

_BEFORE = r"""#!/bin/sh
# portalops: facts of the host HOST, to be brought by hand until UNTIL. It reads, and changes nothing on this host.
# As root on that host, and nowhere else:   sh FILE >FACTS
if [ -t 1 ]; then echo 'portalops: write it into a file: sh FILE >FACTS' >&2; exit 2; fi
command -v gzip >/dev/null || { echo 'portalops: this host has no gzip' >&2; exit 1; }
[ "$(id -u)" = 0 ] || echo 'portalops: not root, so that what needs root will be unknown' >&2
set -- NONCE
{
printf 'portalops-facts 1 host=%s nonce=%s at=%s uid=%s\n' HOST "$1" "$(date +%s)" "$(id -u)"
"""
_AFTER = r"""
printf 'portalops-facts end at=%s\n' "$(date +%s)"
} | gzip -c
"""


@dataclass(frozen=True, slots=True)
class SuppliedAnswer:
    """An answer that was brought, as it is judged."""

    facts: SuppliedFacts
    answer: bytes
    """In the form of a host's answer, with a section that says how it came."""


def script_by_hand(host: HostId, nonce: str, valid_to: datetime, probes: Sequence[Probe[Any]]) -> bytes:
    """Return the script to be run on a host by hand."""
    before = _BEFORE.replace("HOST", shlex.quote(host)).replace("NONCE", nonce)
    before = before.replace("UNTIL", valid_to.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"))
    asked = [probe for probe in probes if probe.command and probe.id != clock.PROBE.id]
    return before.encode() + script_for(asked) + _AFTER.encode()


def mark_of(nonce: str) -> str:
    """Return by what the ledger knows a nonce."""
    return hashlib.sha256(nonce.encode()).hexdigest()


def opened(
    data: bytes, by: str, scripts: Mapping[str, RecordedScript], asked: Mapping[str, Probe[Any]], now: datetime
) -> SuppliedAnswer:
    """Take a file that was brought, if it is the one answer to a script that is still open.

    Args:
        data: the file, at most `FILE_BYTES`.
        by: who brought it.
        scripts: those that were issued, by mark.
        asked: the probes that a script may hold, by id.
        now: UTC.

    Raises:
        FactsRefused: it is damaged, or answers no open script of the host that it names.
    """
    text = _inflated(data)
    head, end = _HEAD.match(text), _END.search(text[-80:])
    if head is None or end is None:
        raise _damaged(msg("the file holds no complete answer: it is cut short, or is in another format"))
    host, nonce = HostId(head[1].decode()), head[2].decode()
    script = scripts.get(mark_of(nonce))
    if script is None:
        raise _refused(msg("the file answers no script that was issued here (it names the host {host})", host=host))
    ran_at = datetime.fromtimestamp(int(end[1]), UTC)
    _require_open(script, host, ran_at, now)
    body = text[head.end() : len(text) - len(end[0])]
    facts = SuppliedFacts(host, mark_of(nonce), hashlib.sha256(data).hexdigest(), by, ran_at)
    how = written(SECTION, "brought", by=safe(by), file=facts.file, script=script.seq, uid=int(head[4]))
    answer = f"portalops-answer 1 nonce={nonce} rc=0 cut=0\n".encode()
    answer += redacted_answer(nonce, body, {name: probe.form for name, probe in asked.items()})
    try:
        seen = parse_answer(answer)
    except AnswerRejected as error:
        raise _refused(msg("the file was changed: {seen}", seen=error.missing.seen)) from error
    if seen.absent.reason != "not-gathered":
        raise _refused(msg("the script did not finish on the host {host}", host=host))
    if more := sorted(set(seen.sections) - set(asked)):
        raise _refused(msg("the file was changed: no script asks for {what}", what=show_text(more[0], 60)))
    return SuppliedAnswer(facts, appended(answer, how))


def _require_open(script: RecordedScript, host: HostId, ran_at: datetime, now: datetime) -> None:
    """Make sure that a script was issued for a host, is not answered yet, and ran when it might."""
    issued = script.issued
    if issued.host != host:
        raise _refused(
            msg("the file names the host {host}, and its script was issued for {other}", host=host, other=issued.host)
        )
    if script.answered_in is not None:
        raise _refused(msg("an answer to this script was recorded before, in record {seq}", seq=script.answered_in))
    if now > issued.valid_to:
        raise _refused(msg("the script for {host} expired at {at}", host=host, at=issued.valid_to))
    if not script.at - CLOCKS_DIFFER <= ran_at <= now + CLOCKS_DIFFER:
        raise FactsRefused(
            msg(
                "by its own clock the host {host} ran the script at {at}, but it was issued at {issued}",
                host=host,
                at=ran_at,
                issued=script.at,
            ),
            msg("Set the clock of the host, and run the script on it again."),
        )


def _inflated(data: bytes) -> bytes:
    if len(data) > FILE_BYTES:
        raise _damaged(msg("the file is larger than {limit}", limit=ByteCount(FILE_BYTES)))
    gzip = zlib.decompressobj(wbits=31)
    try:
        text = gzip.decompress(data, HOST_BYTES + 4096)
    except zlib.error as error:
        raise _damaged(msg("the file is damaged, or was not written by the script")) from error
    if gzip.unconsumed_tail:
        raise _damaged(msg("the file is larger than {limit} when unpacked", limit=ByteCount(HOST_BYTES)))
    if not gzip.eof or gzip.unused_data:
        raise _damaged(msg("the file is damaged: it is cut short, or something was added to it"))
    return text


def _refused(what: Message) -> FactsRefused:
    return FactsRefused(what, msg("Run 'portalops host script HOST' for a new script, and run that on the host."))


def _damaged(what: Message) -> FactsRefused:
    return FactsRefused(what, msg("Copy it from the host again; if it is damaged there too, run the script again."))
