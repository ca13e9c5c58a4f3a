"""What the ready queries share: their common keys, and how names, words and the present are written in SQL."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AfterValidator, field_validator
from sqlalchemy import make_url

from checks.updates.database_settings import DatabaseSettings
from portalops.config.values import RefusedValue
from portalops.model.message import Message, msg


class Dialect(StrEnum):
    """The kinds of SQL that products are kept in."""

    MYSQL = "mysql"
    """MariaDB too."""
    POSTGRESQL = "postgresql"


_DIALECTS = {"mysql": Dialect.MYSQL, "mariadb": Dialect.MYSQL, "postgresql": Dialect.POSTGRESQL}
_SERVERS = {Dialect.MYSQL: "MariaDB, MySQL", Dialect.POSTGRESQL: "PostgreSQL"}


def _server_of(url: str) -> str:
    return make_url(url).get_backend_name()


def quoted(name: str, dialect: Dialect) -> str:
    """Return a table's or column's name as SQL writes it where it may also be a word of SQL, or has capitals."""
    mark = "`" if dialect is Dialect.MYSQL else '"'
    return f"{mark}{name}{mark}"


def literals(words: Iterable[str]) -> str:
    """Return checked words as a list of SQL: `'post', 'page'`."""
    return ", ".join(f"'{word}'" for word in words)


def now_utc(dialect: Dialect) -> str:
    """Return the present as a time without a zone, in UTC."""
    return "UTC_TIMESTAMP()" if dialect is Dialect.MYSQL else "(now() AT TIME ZONE 'UTC')"


def _only(pattern: str, what: Message, hint: Message) -> AfterValidator:
    shape = re.compile(pattern)

    def check(value: str) -> str:
        if not shape.fullmatch(value):
            raise RefusedValue(what, hint)
        return value

    return AfterValidator(check)


_NAME_ALONE = msg("cannot be part of a table's name")
_WORD_ALONE = msg("is not a short name")

Prefix = Annotated[
    str,
    _only("[A-Za-z0-9_]{0,40}", _NAME_ALONE, msg("Write letters without marks, digits and _, at most 40.")),
]
"""What a product puts before the names of its tables."""
TableWord = Annotated[
    str,
    _only("[A-Za-z0-9_]{1,40}", _NAME_ALONE, msg("Write letters without marks, digits and _, at most 40.")),
]
"""A part of a table's or column's name."""
Word = Annotated[
    str,
    _only(
        "[A-Za-z0-9_%-]{1,200}",
        _WORD_ALONE,
        msg("Write it as the product keeps it: letters without marks, digits, _, - and %, at most 200."),
    ),
]
"""A type, an alias, a language: what products call a slug or machine name."""
SitePath = Annotated[
    str,
    _only(
        "/[A-Za-z0-9._~%/-]{1,200}",
        msg("is not the path of a site"),
        msg("Write it as the product keeps it: /so-y-te."),
    ),
]
SiteAddress = Annotated[
    str,
    _only(
        r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~-]+)*",
        msg("is not the address of a site"),
        msg("Write it without a slash at its end: https://soyte.khanhhoa.example."),
    ),
]


@dataclass(frozen=True, slots=True)
class AccountsQuery:
    """How a product is asked who can work in it."""

    statement: str
    """One SELECT of `login`, `open` (0 or 1), `role`, `last_at`: a row for each account and role; of those who only read, none."""
    admins: frozenset[str]
    """The roles that may do everything, or make others that may."""
    roles_in: Callable[[str], tuple[str, ...]] = lambda role: (role,)
    """The roles that one value of the column `role` holds."""
    keeps_logins: bool = True
    """An empty `last_at` says that an account was never used; else it says so only where others have one."""


class ProductSettings(DatabaseSettings):
    """What all products know beside their own keys."""

    dialects: ClassVar[tuple[Dialect, ...]] = (Dialect.MYSQL,)
    """What the product can be kept in."""
    keeps_creation: ClassVar[bool] = True
    """The product keeps a time for each item that its editors cannot write."""

    assume_tz: str | None = "UTC"
    """Zone of the product's times where they name none."""
    bodies: bool = True
    """Read the texts too: by them copies and stubs are known. A large site may leave them out."""

    @abstractmethod
    def accounts(self) -> AccountsQuery:
        """Return how to ask who can work in the portal."""

    @property
    def dialect(self) -> Dialect:
        """Return which kind of SQL the database's server understands."""
        return _DIALECTS[_server_of(self.url)]

    @field_validator("url")
    @classmethod
    def _kept_there(cls, url: str) -> str:
        if _DIALECTS.get(_server_of(url)) not in cls.dialects:
            raise RefusedValue(
                msg("names a kind of database that this product does not use"),
                msg(
                    "Its query is for {servers}; for another one write a query.",
                    servers=", ".join(_SERVERS[dialect] for dialect in cls.dialects),
                ),
            )
        return url

    @field_validator("trust_created")
    @classmethod
    def _created_by_the_system(cls, trusted: bool) -> bool:
        if trusted and not cls.keeps_creation:
            raise RefusedValue(
                msg("cannot be true: editors can change every creation time that this product keeps"),
                msg("Remove it: its items count from when they are first seen."),
                shows_value=False,
            )
        return trusted
