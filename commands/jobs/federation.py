"""Which witnesses of a site nobody here knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from portalops.config import KindTable, Settings
from portalops.errors import ConfigurationError
from portalops.model.message import msg

COLLECTED = "federation.collected"
"""The kind of the record of a collecting: what was found of each site, with the heads that were taken."""


def unknown_witnesses(settings: Settings, tables: Mapping[KindTable, BaseModel]) -> Iterator[ConfigurationError]:
    """Yield a problem for each site that names a witness which is not configured.

    Args:
        settings: the whole configuration.
        tables: tables as their kinds read them; those that are no sites are passed over.
    """
    watched = {table.id for table in settings.witnessed}
    for table, site in tables.items():
        witness = getattr(site, "witness", None) if table.section == "federation.site" else None
        if witness is not None and witness not in watched:
            yield ConfigurationError(
                msg(
                    "{place}: site {id} names the witness {witness}, but there is no such [[witness.ledger]]",
                    place=table.place,
                    id=table.id,
                    witness=witness,
                ),
                msg("There are: {ids}.", ids=", ".join(sorted(watched)) or msg("none")),
            )
