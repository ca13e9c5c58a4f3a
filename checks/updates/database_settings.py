"""The settings that every source has whose items are rows of a database."""

from __future__ import annotations

from abc import ABC, abstractmethod

from checks.updates.source_settings import CommonSettings
from portalops.config.secrets import SecretReference
from portalops.system.sql import DatabaseUrl


class DatabaseSettings(CommonSettings, ABC):
    """Where the database is, and what is known of its rows."""

    url: DatabaseUrl
    """SQLAlchemy URL without a password; a relative SQLite path is relative to the configuration file."""
    password: SecretReference | None = None
    """Where the database's password is kept."""
    trust_created: bool = False
    """Editors cannot write the creation column."""

    @property
    def tells_translations(self) -> bool:
        """Say whether its rows tell of what they are the translation, wherever they are one."""
        return False

    @abstractmethod
    def statement(self) -> str:
        """Return the one SELECT that lists what is published."""
