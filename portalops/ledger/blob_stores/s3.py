"""An object store: for a team whose evidence outgrows a database.

    [ledger.blobs]
    kind = "s3"
    endpoint = "https://s3.khanhhoa.gov.vn"
    bucket = "portal-evidence"
    prefix = "ledger/"
    access_key = { file = "/etc/portalops/s3.id" }
    secret_key = { file = "/etc/portalops/s3.secret" }

Each blob is an object named by its SHA-256. What is read is digested, so a store that gives other bytes is found out.
"""

from __future__ import annotations

from collections.abc import Mapping

from portalops.config.tables import KindTable
from portalops.ledger.blob_stores import BlobStoreKind
from portalops.ledger.s3_blobs import S3Blobs
from portalops.system.s3 import Store, StoreSettings


class Settings(StoreSettings):
    """`kind = "s3"`."""


def build(table: KindTable, environment: Mapping[str, str]) -> S3Blobs:
    """Return the blobs that a configuration table describes; nothing is connected to yet.

    Raises:
        SecretUnavailable: the access key cannot be had.
    """
    settings = table.parse(Settings)
    return S3Blobs(Store.of(settings, environment), settings.bucket, settings.prefix)


STORE = BlobStoreKind(settings=Settings, build=build)
