"""Finds the checks and probes by their files: a check is `<family>/<good_state>.py`, and there is no list to edit."""

from __future__ import annotations

import difflib
import pkgutil
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from checks.servers.check import Check
from checks.servers.probe import Probe
from checks.servers.probes import preloaded
from portalops.errors import UnknownCheck
from portalops.model.message import msg
from portalops.plugins import Door

_HERE = Path(__file__).parent
_NO_FAMILY = frozenset({"probes", "data", "outside", "drift"})
_LAST = "clock"
"""The host's clock is read last, so that it can be held against the moment of the answer."""


@lru_cache(maxsize=1)
def checks() -> tuple[Check, ...]:
    """Return every check there is, by id."""
    found = sorted(_discovered(), key=lambda one: one.id)
    ids = [one.id for one in found]
    assert len(set(ids)) == len(ids), f"two checks share an id: {ids}"
    return tuple(found)


def chosen(*, ids: Iterable[str] = (), families: Iterable[str] = ()) -> tuple[Check, ...]:
    """Return the checks of these ids and families (`ssh` of `ssh.root-login`), or all where neither is given.

    Raises:
        UnknownCheck: an id or family that does not exist.
    """
    wanted_ids, wanted_families = tuple(ids), tuple(families)
    _require(wanted_ids, {one.id for one in checks()})
    families_there = sorted({_family(one) for one in checks()})
    for family in wanted_families:
        if family not in families_there:
            raise UnknownCheck(
                msg("there is no family of checks {family}", family=family[:60]),
                msg("The families are: {families}.", families=", ".join(families_there)),
            )
    if not wanted_ids and not wanted_families:
        return checks()
    return tuple(one for one in checks() if one.id in wanted_ids or _family(one) in wanted_families)


def probes_of(some: Iterable[Check]) -> dict[str, Probe[Any]]:
    """Return each probe that these checks look at, once, by id, in the order in which they are run: slow ones late.

    Whoever asks programs of a host is told as well whether these can be relied on.
    """
    found = {probe.id: probe for one in some for probe in (*one.needs, *one.uses)}
    if any(probe.command for probe in found.values()):
        found[preloaded.PROBE.id] = preloaded.PROBE
    order = sorted(found, key=lambda name: (name == _LAST, found[name].repeated_for is not None, name))
    return {name: found[name] for name in order}


def _family(one: Check) -> str:
    return one.id.partition(".")[0]


def _require(wanted: Iterable[str], known: Collection[str]) -> None:
    for name in wanted:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            raise UnknownCheck(
                msg("there is no check {check}", check=name[:60]),
                msg("Did you mean {close}? Run 'portalops check list' to see the checks.", close=close[0])
                if close
                else msg("Run 'portalops check list' to see the checks."),
            )


def _discovered() -> Iterator[Check]:
    for family in pkgutil.iter_modules([str(_HERE)]):
        if not family.ispkg or family.name in _NO_FAMILY:
            continue
        for _name, one in Door(f"checks.servers.{family.name}", "judge", Check).all():
            yield one
