"""A folder of this machine, or one that several machines share, also where the records are in a database.

[ledger.blobs]
kind = "folder"
folder = "/srv/evidence"
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from portalops.config.tables import KindTable
from portalops.config.values import LocalPath, Shape
from portalops.ledger.blob_stores import BlobStoreKind
from portalops.ledger.blobs import BlobFolder


class Settings(Shape):
    """`kind = "folder"`."""

    folder: LocalPath = Field(description="Where the details lie, each named by its SHA-256.")


def build(table: KindTable, _environment: Mapping[str, str]) -> BlobFolder:
    """Return the blobs that a configuration table describes."""
    return BlobFolder(table.parse(Settings).folder)


STORE = BlobStoreKind(settings=Settings, build=build)
