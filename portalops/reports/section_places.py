"""Where the servers stand and who answers for each, as it was known at the period's end, and what was recorded in it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from portalops.model.credentials import names_person
from portalops.model.message import msg
from portalops.model.organisation import Host, HostId
from portalops.model.places import LONGEST_MONTHS, Sighting, is_overdue
from portalops.model.text import show_text
from portalops.registers.evidence import Evidence
from portalops.registers.places import PlaceStep, RegisteredPlace
from portalops.reports.bounded import bounded
from portalops.reports.document import Block, Cell, Notice, Paragraph, Status, TableBlock, Tone

SEQS_SHOWN = 6


def place_blocks(evidence: Evidence, hosts: Sequence[Host]) -> Iterator[Block]:
    """Yield each server with its place, and the sightings and hand-overs of the period.

    Args:
        evidence: has the register of places as of the period's end.
        hosts: the servers of the configuration; what the register tells of others stands behind them.
    """
    places = evidence.places
    if not places:
        yield Paragraph(msg("Nobody has recorded where a server stands; that shows nothing of where they are."))
        return
    lost = sorted(seq for place in places.values() for seq in place.lost)
    if lost:
        seqs = ", ".join(map(str, lost[:SEQS_SHOWN]))
        yield Notice(msg("Records of where servers stand that cannot be read: {seqs}.", seqs=seqs), Tone.BAD)
    day = evidence.last_day()
    ids = [host.id for host in hosts]
    ids += [host for host in places if host not in ids]
    pressing = sorted(ids, key=lambda host: not _is_pressing(places.get(host), day))  # stable: else as configured
    headers = (
        msg("Host"), msg("Site"), msg("Room"), msg("Rack"), msg("Answers for it"), msg("Last seen"), msg("Seen by"),
        msg("Records"),
    )  # fmt: skip
    rows = [_row(places.get(host) or RegisteredPlace(host), evidence, day) for host in pressing]
    yield from bounded(
        TableBlock(msg("Where each server stood at the end of the period, by the records"), headers, rows)
    )
    yield from _steps(places, evidence)


def _is_pressing(place: RegisteredPlace | None, day: date) -> bool:
    return place is None or place.sighting is None or bool(place.lost) or is_overdue(place.sighting.seen_on, day)


def _row(place: RegisteredPlace, evidence: Evidence, day: date) -> tuple[Cell, ...]:
    seen = place.sighting
    seqs = sorted({seq for seq in (place.sighted_seq, place.holder_seq) if seq})
    texts = (seen.site, seen.room, seen.rack) if seen else ("", "", "")
    return (
        place.host,
        *(show_text(text) or None for text in texts),
        _holder(place, evidence, day),
        _last_seen(seen, day),
        show_text(seen.seen_by) if seen else None,
        ", ".join(map(str, seqs)) or None,
    )


def _holder(place: RegisteredPlace, evidence: Evidence, day: date) -> Cell:
    if not place.holder:
        return None
    people = evidence.credentials.left if evidence.credentials else ()
    left = next((one for one in people if one.on <= day and names_person(place.holder, one.person)), None)
    if left is None:
        return show_text(place.holder)
    text = msg("{name}, who left on {day} (record {seq})", name=show_text(place.holder), day=left.on, seq=left.seq)
    return Status(text, Tone.BAD)


def _last_seen(seen: Sighting | None, day: date) -> Cell:
    if seen is None:
        return Status(msg("never seen"), Tone.UNSURE)
    if is_overdue(seen.seen_on, day):
        text = msg("{day}, more than {months} months before", day=seen.seen_on, months=LONGEST_MONTHS)
        return Status(text, Tone.BAD)
    return seen.seen_on


def _steps(places: Mapping[HostId, RegisteredPlace], evidence: Evidence) -> Iterator[Block]:
    """Yield what was recorded in the period, and what stands behind each place that counts, newest first."""
    counting = {seq for place in places.values() for seq in (place.sighted_seq, place.holder_seq)}
    found = [
        (place.host, step)
        for place in places.values()
        for step in place.steps
        if step.seq in counting or step.at.astimezone(evidence.zone).date() in evidence.period
    ]
    found.sort(key=lambda each: -each[1].seq)
    headers = (
        msg("Record"), msg("Recorded at"), msg("Host"), msg("Day"), msg("Details"), msg("Document"), msg("SHA-256"),
    )  # fmt: skip
    rows = [(step.seq, step.at, host, step.day, *_describe(step)) for host, step in found]
    caption = msg("The sightings and hand-overs that say so, and those of the period, newest first")
    yield from bounded(TableBlock(caption, headers, rows))


def _describe(step: PlaceStep) -> tuple[Cell, ...]:
    body = step.body
    digests = ", ".join(step.evidence) or None
    if isinstance(body, Sighting):
        said = msg(
            "seen by {name}: {site}, {room}, {rack}; {holder} answers for it",
            name=show_text(body.seen_by),
            site=show_text(body.site),
            room=show_text(body.room),
            rack=show_text(body.rack),
            holder=show_text(body.holder),
        )
        named = ""
    else:
        before = show_text(body.before) or "–"
        said = msg("handed over from {before} to {holder}", before=before, holder=show_text(body.holder))
        named = show_text(body.document)
    if body.reason:
        said = msg("{said} ({reason})", said=said, reason=show_text(body.reason))
    if named and digests is None:
        return said, named, Status(msg("the paper is not kept"), Tone.UNSURE)
    return said, named or None, digests
