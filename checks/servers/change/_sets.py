"""How checks of changes hold what is there against what was approved."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from checks.servers.wording import listed
from portalops.model.message import Message, msg


def difference(seen: Collection[str], approved: Collection[str]) -> Message | None:
    """Say what is there and was not approved, and what was approved and is not there; None if they are the same."""
    extra, gone = sorted(set(seen) - set(approved)), sorted(set(approved) - set(seen))
    if extra and gone:
        return msg("not approved: {extra}; approved and gone: {gone}", extra=listed(extra), gone=listed(gone))
    if extra:
        return msg("not approved: {extra}", extra=listed(extra))
    return msg("approved and gone: {gone}", gone=listed(gone)) if gone else None


def changed(seen: Mapping[str, str], approved: Mapping[str, str]) -> list[str]:
    """Return the paths of both whose content is not the approved one."""
    return sorted(path for path, content in approved.items() if path in seen and seen[path] != content)
