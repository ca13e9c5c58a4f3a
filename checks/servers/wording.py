"""How checks put many names, and several sentences, into one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from checks.servers.probe import shown
from portalops.model.message import Message, Value


def listed(names: Iterable[str], limit: int = 6) -> str:
    """Return names joined by commas, bounded and escaped; what is left out is counted."""
    every = [shown(name, 60) for name in names]
    more = f" (+{len(every) - limit})" if len(every) > limit else ""
    return ", ".join(every[:limit]) + more


def together(parts: Sequence[Value], between: str = ", ", limit: int = 6) -> Message:
    """Return phrases as one, in any language; they are taken as they are, and what is over the limit is counted.

    >>> str(together(["a", "b", "c"], limit=2))
    'a, b (+1)'
    """
    kept = parts[:limit]
    more = f" (+{len(parts) - limit})" if len(parts) > limit else ""
    return Message(
        between.join(f"{{p{at}}}" for at in range(len(kept))) + more, {f"p{at}": part for at, part in enumerate(kept)}
    )
