"""Ready queries for content systems, one file a product. A module of this folder is a `product` that a source of the kind
`sql` may name instead of a `query`.

A product registers as `PRODUCT`, a `Product`: `Settings`, its keys, whose `statement()` is `query(settings, dialect)`: the one SELECT that lists what is published and
nothing else, with the columns that `checks.updates.sources.sql` describes. Nothing but checked names and words goes into it.

What all have in common: what was published and is hidden, expired or thrown away now is not listed, because it is not published;
"now" is the database server's. Times come in UTC. No row comes twice, whatever number of categories or languages it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from portalops.plugins import Door

if TYPE_CHECKING:
    from checks.updates.products._product import ProductSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A content system."""

    settings: type[ProductSettings]
    """Its keys, its query, and how to ask who can work in it."""


PRODUCTS: Final = Door("checks.updates.products", "PRODUCT", Product)
