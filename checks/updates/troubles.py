"""What is wrong with a source although it answers, for the unit that manages the portal: since when, and what mends it. Pure.

None of it is held against the unit whose source it is: see `checks.updates.answers` for what such answers prove.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from checks.updates.answers import ORDER_UNKNOWN, OTHER_LIST, SHUFFLED
from portalops.model.message import Message, msg, nmsg
from portalops.model.updates import Poll


class TroubleKind(StrEnum):
    """What is wrong."""

    EMPTIED = "emptied"
    """It shows nothing."""
    NO_OVERLAP = "no-overlap"
    """An answer had nothing of the one before, so that items may have passed unseen."""
    OLDEST_FIRST = "oldest-first"
    """It lists its oldest items first, or has turned its order round."""
    ORDER_UNKNOWN = "order-unknown"
    """Nothing shows yet that it would show something new."""
    SHUFFLED = "shuffled"
    """Its items stand in another order than before."""
    OTHER_LIST = "other-list"
    """Several of its items are gone at once, and nothing is new."""
    OUT_OF_DATE = "out-of-date"
    """Answers came from a cache or a replica that was out of date."""
    RENAMED = "renamed"
    """Its items came back under other ids and addresses, all at once."""


LASTING = frozenset(
    {
        TroubleKind.EMPTIED,
        TroubleKind.OLDEST_FIRST,
        TroubleKind.ORDER_UNKNOWN,
        TroubleKind.OTHER_LIST,
        TroubleKind.SHUFFLED,
    }
)
"""These are over as soon as an answer is in order; the others happened, whatever comes later."""


TROUBLE_WORDS: Mapping[TroubleKind, Message] = {
    TroubleKind.EMPTIED: msg("it shows nothing"),
    TroubleKind.NO_OVERLAP: msg("items may have passed unseen"),
    TroubleKind.OLDEST_FIRST: msg("it lists its oldest items first"),
    TroubleKind.ORDER_UNKNOWN: msg("the order of its items is not known"),
    TroubleKind.SHUFFLED: msg("its items change places"),
    TroubleKind.OTHER_LIST: msg("it may show another list than before"),
    TroubleKind.OUT_OF_DATE: msg("its answers may have been out of date"),
    TroubleKind.RENAMED: msg("its items came back under other names"),
}
"""In few words, for a letter, which leaves the house."""


@dataclass(frozen=True, slots=True)
class SourceTrouble:
    """One thing that is wrong with a source."""

    source: str
    kind: TroubleKind
    since: datetime
    what: Message


def troubles_of(polls: Sequence[Poll], blind_since: Mapping[str, datetime]) -> tuple[SourceTrouble, ...]:
    """Return what is wrong by the newest poll that shows it, once for each source and kind.

    Args:
        polls: those that show something, oldest first.
        blind_since: of each source whose newest whole answer proves nothing, since when none does.
    """
    found: dict[tuple[str, TroubleKind], SourceTrouble] = {}
    for poll in polls:
        for kind, since, what in _troubles(poll):
            if kind in LASTING and poll.source not in blind_since:
                continue
            begun = blind_since[poll.source] if kind in LASTING else since
            found[poll.source, kind] = SourceTrouble(poll.source, kind, begun, what)
    return tuple(found[key] for key in sorted(found))


def explain_trouble(trouble: SourceTrouble) -> Message:
    """Say what is wrong, since when, and what to do."""
    return msg(
        "source {source}, since {at}: {what}. {mend}",
        source=trouble.source,
        at=trouble.since,
        what=trouble.what,
        mend=_mend(trouble.kind),
    )


def troubles_by_poll(polls: Iterable[Poll]) -> tuple[Message, ...]:
    """Say what is wrong with answers, once for each source and kind: as the newest of them shows it, and in how many."""
    found: dict[tuple[str, TroubleKind], tuple[int, Message]] = {}
    for poll in polls:
        for kind, _since, what in _troubles(poll):
            count, _before = found.get((poll.source, kind), (0, what))
            found[poll.source, kind] = count + 1, what
    return tuple(
        msg("source {source}: {problem}", source=source, problem=what)
        if count == 1
        else nmsg(
            "source {source}, in {n} poll: {problem}",
            "source {source}, in {n} polls: {problem}",
            count,
            source=source,
            problem=what,
        )
        for (source, _kind), (count, what) in found.items()
    )


def _troubles(poll: Poll) -> Sequence[tuple[TroubleKind, datetime, Message]]:
    found: list[tuple[TroubleKind, datetime, Message]] = []
    if poll.blind is not None:
        kind = TroubleKind.OLDEST_FIRST
        if not poll.items:
            kind = TroubleKind.EMPTIED
        elif poll.gap:
            kind = TroubleKind.NO_OVERLAP
        elif poll.blind == ORDER_UNKNOWN:
            kind = TroubleKind.ORDER_UNKNOWN
        elif poll.blind == SHUFFLED:
            kind = TroubleKind.SHUFFLED
        elif poll.blind == OTHER_LIST:
            kind = TroubleKind.OTHER_LIST
        found.append((kind, poll.polled_at, poll.blind))
    if poll.doubts_from is not None:
        what = msg(
            "its answers up to {at} may have been out of date: items came up together with older dates",
            at=poll.polled_at,
        )
        found.append((TroubleKind.OUT_OF_DATE, poll.doubts_from, what))
    if poll.renamed:
        what = nmsg(
            "{n} known item came back under another id and address",
            "{n} known items came back under other ids and addresses",
            poll.renamed,
        )
        found.append((TroubleKind.RENAMED, poll.polled_at, what))
    return found


def _mend(kind: TroubleKind) -> Message:
    match kind:
        case TroubleKind.EMPTIED:
            return msg("Open its address in a browser: if items are there, correct the source's settings.")
        case TroubleKind.NO_OVERLAP:
            return msg("Poll it more often, have it list more items, or declare a cross-check for it.")
        case TroubleKind.OTHER_LIST:
            return msg(
                "Open its address in a browser and compare: if the site was built anew, correct the source's selector."
            )
        case TroubleKind.OLDEST_FIRST | TroubleKind.SHUFFLED:
            return msg("Have it list its newest items first, or use an address that does.")
        case TroubleKind.ORDER_UNKNOWN:
            return msg(
                "Have it date at least four items, the newest first; it is trusted once something new comes first."
            )
        case TroubleKind.OUT_OF_DATE:
            return msg(
                "Compare the dates of its newest items with the page. If its answers lag behind, ask who runs the server about caches."
            )
        case TroubleKind.RENAMED:
            return msg("Ask whether the site has moved, and check its new items with 'portalops updates list'.")
        case _:
            assert_never(kind)
