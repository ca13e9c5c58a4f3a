"""What every site is configured with, whichever way its bundles come."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Protocol

from pydantic import AfterValidator, Field, StrictInt, TypeAdapter

from portalops.config.shape import NameTable
from portalops.config.values import HostIdText, Id, Shape, SshPublicKey
from portalops.model.organisation import Name

FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
"""As 'ssh-keygen -l' and 'portalops ledger export' print one."""

_KEY: TypeAdapter[str] = TypeAdapter(SshPublicKey)


def _key(value: str) -> str:
    text = value.strip()
    return text if FINGERPRINT.fullmatch(text) else _KEY.validate_python(text)


class SiteSettings(Shape):
    """The keys of `[[federation.site]]` that all kinds have."""

    name: NameTable = Field(description="What the overview calls the site.")
    keys: tuple[Annotated[str, AfterValidator(_key)], ...] = Field(
        min_length=1,
        description="The keys that the site's heads may be signed by: public keys, or fingerprints that begin with SHA256:."
        " A key that one of them hands on to is taken too.",
    )
    ledger: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{32}$",
        description="The ledger's id, as 'portalops ledger head' prints it; pinned at the first bundle if not given.",
    )
    max_age_days: StrictInt = Field(
        default=35, ge=1, le=1000, description="The site is late once its newest bundle speaks for no later day."
    )
    max_gib: StrictInt = Field(
        default=100, ge=1, le=100_000, description="A bundle whose files are larger together is not read."
    )
    witness: Id | None = Field(
        default=None, description="The [[witness.ledger]] whose kept heads the bundles must lead over."
    )
    hosts: tuple[HostIdText, ...] = Field(
        default=(), description="Servers that the site is to have, beside those that its scans reached."
    )
    units: tuple[Id, ...] = Field(
        default=(), description="Units that the site is to judge, beside those that its judgings speak of."
    )

    @property
    def title(self) -> Name:
        """The site's name in both languages."""
        return Name(self.name.vi, self.name.en or self.name.vi)


class Site(Protocol):
    """A place from which one site's bundles are had."""

    @property
    def id(self) -> str: ...

    @property
    def settings(self) -> SiteSettings:
        """Return what is known of the site beforehand."""
        ...

    def bundles(self) -> Sequence[Path]:
        """Return the folders and ZIP files that may each be a bundle, by name; none if nothing has come.

        Raises:
            LedgerError: it cannot be found out.
        """
        ...
