"""What a ledger's records can be kept in, one file a kind: `[ledger.store]`. Without that table they are in the state folder.

A kind registers as `STORE`, a `RecordStoreKind`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from portalops.config.kinds import TableKind, kind_of
from portalops.model.values import dataclass
from portalops.plugins import Door

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portalops.config.tables import KindTable
    from portalops.config.values import Shape
    from portalops.ledger.ledger import KeptLedger

SettingsT = TypeVar("SettingsT", bound="Shape")


class BuildStore(Protocol):
    """Checks a table and makes its store."""

    def __call__(self, table: KindTable, environment: Mapping[str, str], /, *, writable: bool) -> KeptLedger:
        """Return where the records are, or raise `ConfigurationError`; nothing is connected to yet."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordStoreKind(TableKind[SettingsT]):
    """A kind of store of a ledger's records."""

    build: BuildStore


STORES: Final[Door[RecordStoreKind[Any]]] = Door("portalops.ledger.record_stores", "STORE", RecordStoreKind)


def build_record_store(table: KindTable, environment: Mapping[str, str], *, writable: bool) -> KeptLedger:
    """Return where the records are that a table describes.

    Raises:
        UnknownKind: there is no such kind.
        ConfigurationError: its settings do not fit the kind.
    """
    return kind_of(STORES, table).build(table, environment, writable=writable)
