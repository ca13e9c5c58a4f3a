"""How checks put many names into one sentence."""

from __future__ import annotations

from collections.abc import Iterable

from checks.servers.probe import shown


def listed(names: Iterable[str], limit: int = 6) -> str:
    """Return names joined by commas, bounded and escaped; what is left out is counted."""
    every = [shown(name, 60) for name in names]
    more = f" (+{len(every) - limit})" if len(every) > limit else ""
    return ", ".join(every[:limit]) + more
