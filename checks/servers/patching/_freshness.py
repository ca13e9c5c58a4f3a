"""Whether what apt knows is fresh enough to say that nothing is missing."""

from __future__ import annotations

from datetime import datetime, timedelta

from checks.servers.clocks import is_ahead
from checks.servers.probe import shown
from checks.servers.probes.apt_lists import Lists, ReleaseFile
from checks.servers.probes.dnf_updates import Repository
from checks.servers.wording import listed
from portalops.model.message import Message, msg

REFRESHED_WITHIN = timedelta(days=2)
MIRROR_WITHIN = timedelta(days=14)
"""How old a security archive's `Date` may be where it does not state until when it is valid."""


def elsewhere(lists: Lists) -> tuple[str, Message] | None:
    """Return the coded reason and sentence why apt's answers are not about this host, or None if its settings are understood."""
    if not lists.elsewhere:
        return None
    return "apt-elsewhere", msg(
        "apt has settings of which it is not known whether they hide fixes: {names}", names=listed(lists.elsewhere)
    )


def staleness(lists: Lists, at: datetime) -> tuple[str, Message] | None:
    """Return the coded reason and sentence why the lists are too old, or None if they are fresh."""
    for release in lists.releases:
        if release.valid_until is not None and release.valid_until < at:
            return "lists-expired", msg(
                "{name} expired at {until}: the mirror is behind, or apt was not updated",
                name=release.name[-60:],
                until=release.valid_until,
            )
    if (other := elsewhere(lists)) is not None:
        return other
    if lists.refreshed_at is None:
        return "never-refreshed", msg("nothing shows that apt's lists were ever refreshed")
    newest = max(filter(None, (lists.refreshed_at, lists.tried_at)))
    if is_ahead(newest, at):
        return "refreshed-in-future", msg(
            "the refresh of apt's lists is dated in the future, {refreshed}", refreshed=newest
        )
    if at - lists.refreshed_at > REFRESHED_WITHIN:
        if lists.tried_at is not None and at - lists.tried_at <= REFRESHED_WITHIN:
            return "refresh-unproven", msg(
                "apt was to refresh its lists at {tried}; nothing shows that it got newer ones than those of {refreshed}",
                tried=lists.tried_at,
                refreshed=lists.refreshed_at,
            )
        return "lists-old", msg("apt's lists were last refreshed at {refreshed}", refreshed=lists.refreshed_at)
    return None


def mirror_age_is_known(lists: Lists, at: datetime) -> bool:
    """Say whether the archives themselves show that the mirror is not behind.

    Each security archive must: what another maker's archive says of itself does not speak for it. Where none has a
    name that tells, any archive will do.
    """

    def is_known(release: ReleaseFile) -> bool:
        if release.valid_until is not None:
            return True
        made = release.made_at
        return made is not None and not is_ahead(made, at) and at - made <= MIRROR_WITHIN

    security = [release for release in lists.releases if "security" in release.name]
    return all(map(is_known, security)) if security else any(map(is_known, lists.releases))


def blindness(repositories: tuple[Repository, ...], at: datetime) -> tuple[str, Message] | None:
    """Return why dnf can't know of every security update, or None if it can: it is silent in each of these cases."""
    if not repositories:
        return "no-repositories", msg("no package repository is enabled")
    for one in repositories:
        if one.fetched_at is None:
            return "no-cache", msg("nothing was fetched from the repository {name}", name=shown(one.id, 60))
        if is_ahead(one.fetched_at, at):
            return "fetched-in-future", msg(
                "the last fetch of the repository {name} is dated in the future, {refreshed}",
                name=shown(one.id, 60),
                refreshed=one.fetched_at,
            )
        if at - one.fetched_at > REFRESHED_WITHIN:
            return "lists-old", msg(
                "the repository {name} was last fetched at {refreshed}",
                name=shown(one.id, 60),
                refreshed=one.fetched_at,
            )
    # NOTE: last, since it is no fault of the lists: a repository behind this one may be old or empty.
    for one in repositories:
        if not one.has_advisories:
            return "no-advisories", msg("the repository {name} does not mark security updates", name=shown(one.id, 60))
    return None
