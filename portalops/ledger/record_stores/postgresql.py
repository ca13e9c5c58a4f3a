"""A PostgreSQL database, for a team: several machines append to one ledger.

    [ledger.store]
    kind = "postgresql"
    host = "db.khanhhoa.gov.vn"
    database = "portalops"
    user = "portalops-web1"
    password = { file = "/etc/portalops/database.secret" }

The database's owner makes the tables and roles once, by what `portalops ledger prepare --print` prints. The account is a member of one
of the roles: who reads, who appends, who removes erased details. The connection is verified (`sslmode=verify-full`)
unless the configuration says otherwise; a folder as host is a socket on this machine, which needs no TLS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from portalops.config.secrets import SecretReference
from portalops.config.tables import KindTable
from portalops.config.values import LocalPath, RefusedValue, Shape, Text
from portalops.errors import LedgerError
from portalops.ledger.record_stores import RecordStoreKind
from portalops.model.message import Message, msg

if TYPE_CHECKING:
    import psycopg

    from portalops.ledger.ledger import KeptLedger


class Ssl(StrEnum):
    """How the server is known, in libpq's words."""

    VERIFY_FULL = "verify-full"
    VERIFY_CA = "verify-ca"
    REQUIRE = "require"
    DISABLE = "disable"


class Settings(Shape):
    """`kind = "postgresql"`."""

    host: Text = Field(description="The server's name or address, or the folder of its socket.")
    port: int = Field(default=5432, ge=1, le=65535, description="The server's port.")
    database: Text = Field(description="The database.")
    user: Text = Field(description="The account, a member of one of the ledger's roles.")
    password: SecretReference | None = Field(
        default=None, description="Its password; none where the server asks for none."
    )
    ssl: Ssl = Field(default=Ssl.VERIFY_FULL, description="verify-full, verify-ca, require or disable.")
    ca_file: LocalPath | None = Field(
        default=None, description="PEM certificates that the server's is checked against; the system's without it."
    )
    connect_seconds: int = Field(default=10, ge=2, le=60, description="How long a connection may take.")
    wait_seconds: int = Field(default=30, ge=1, le=600, description="How long an append waits for others.")

    @model_validator(mode="after")
    def _is_protected(self) -> Settings:
        if self.ssl is Ssl.DISABLE and self.password is not None and not self.is_local:
            raise RefusedValue(
                msg("would send the password and all records unencrypted"),
                msg('Leave out ssl = "disable", or give the folder of the socket as host.'),
                shows_value=False,
            )
        return self

    @property
    def is_local(self) -> bool:
        """Say whether the server is reached through a socket of this machine."""
        return self.host.startswith("/")

    @property
    def place(self) -> str:
        """Where it is, for people and for the record of a move: no account and no secret."""
        return (
            f"postgresql://{self.host}:{self.port}/{self.database}"
            if not self.is_local
            else f"postgresql:{self.host}:{self.port}/{self.database}"
        )


def build(table: KindTable, environment: Mapping[str, str], *, writable: bool) -> KeptLedger:
    """Return the ledger that a configuration table describes, its details in the same database; nothing is connected to yet."""
    settings = table.parse(Settings)
    if lacks := missing():
        raise LedgerError(*lacks)
    from portalops.ledger.postgresql_kept import kept_in  # noqa: PLC0415  # the driver is an extra

    return kept_in(connector(settings, environment), settings.place, writable=writable)


def parameters(settings: Settings, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what the driver's `connect` takes: each statement is a transaction of its own.

    Raises:
        SecretUnavailable: the password cannot be had.
    """
    return {
        "host": settings.host,
        "port": settings.port,
        "dbname": settings.database,
        "user": settings.user,
        "password": settings.password.reveal(environment) if settings.password else None,
        "sslmode": "disable" if settings.is_local else settings.ssl.value,
        "sslrootcert": str(settings.ca_file) if settings.ca_file else None if settings.is_local else "system",
        "connect_timeout": settings.connect_seconds,
        "application_name": "portalops",
        "client_encoding": "UTF8",
        # A server that vanished without a word is noticed, and who waits for a lock does not wait for ever.
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 60_000,
        # Who waited for a lock sees what was committed meanwhile, whatever the database or the account sets.
        "options": f"-c lock_timeout={settings.wait_seconds}s -c idle_in_transaction_session_timeout=10min"
        r" -c default_transaction_isolation=read\ committed",
        "autocommit": True,
    }


def connector(settings: Settings, environment: Mapping[str, str]) -> Callable[[], psycopg.Connection]:
    """Return what opens one connection; the password is resolved each time, so that a changed one is used."""

    def connect() -> psycopg.Connection:
        import psycopg  # noqa: PLC0415  # the driver is an extra, and start-up time

        return psycopg.connect(**parameters(settings, environment))

    return connect


def missing() -> tuple[Message, Message] | None:
    """Return what is not installed for this kind, and how to install it."""
    try:
        import psycopg  # noqa: F401, PLC0415  # looked for
    except ImportError:
        return (
            msg("the driver of PostgreSQL is not installed"),
            msg("Install portalops with the extra 'postgresql': pip install 'portalops[postgresql]'."),
        )
    return None


STORE = RecordStoreKind(settings=Settings, build=build, missing=missing)
