"""What a ledger's details can be kept in, one file a kind: `[ledger.blobs]`. Without that table they are with the records.

A kind registers as `STORE`, a `BlobStoreKind`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from portalops.config.kinds import TableKind, kind_of
from portalops.model.values import dataclass
from portalops.plugins import Door

if TYPE_CHECKING:
    from portalops.config.tables import KindTable
    from portalops.config.values import Shape
    from portalops.ledger.stores import BlobStore

SettingsT = TypeVar("SettingsT", bound="Shape")


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobStoreKind(TableKind[SettingsT]):
    """A kind of store of a ledger's details."""

    build: Callable[[KindTable, Mapping[str, str]], BlobStore]
    """Returns the store that a table describes, by the environment where secrets may be, or raises `ConfigurationError`."""


STORES: Final[Door[BlobStoreKind[Any]]] = Door("portalops.ledger.blob_stores", "STORE", BlobStoreKind)


def build_blob_store(table: KindTable, environment: Mapping[str, str]) -> BlobStore:
    """Return the store that a table describes.

    Raises:
        UnknownKind: there is no such kind.
        ConfigurationError: its settings do not fit the kind.
    """
    return kind_of(STORES, table).build(table, environment)
