"""Each year whose official notice of days off is due is confirmed."""

from __future__ import annotations

from collections.abc import Iterator

from portalops.alarms.facts import AlarmFacts
from portalops.alarms.kinds import CauseKind, Seen, key_of
from portalops.model.alarms import AlarmCause
from portalops.model.message import msg


def find(facts: AlarmFacts) -> Iterator[Seen]:
    """Name the years that are not confirmed."""
    for year in facts.unconfirmed_years:
        what = msg("the days off of {year} are provisional: no official notice was confirmed", year=str(year))
        hint = msg("Once there is a notice, run 'portalops calendar confirm {year}'.", year=str(year))
        yield AlarmCause(key_of("calendar", str(year)), "provisional", what, hint)


def expected(facts: AlarmFacts) -> tuple[str, ...]:
    """Return the years that are still to be confirmed: the alarm of another one is over."""
    return tuple(map(str, facts.unconfirmed_years))


CAUSE = CauseKind(find=find, expected=expected, word=msg("calendar of {id}"))
