"""How another host is reached over SSH, wherever a table says so: the host, the account, its key, and which host it must be.

    host = "portal.khanhhoa.gov.vn"
    user = "portalops"
    identity_file = "/etc/portalops/ssh"
    host_key = "ssh-ed25519 AAAA..."

Nothing is sent to a host that does not prove the pinned key (`host_key`, or the `known_hosts` file that has it).
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, StrictInt, model_validator

from portalops.config.values import AccountName, HostAddress, LocalPath, RefusedValue, Shape, Text
from portalops.model.message import msg


class SshPlace(Shape):
    """The keys that name a host, an account on it, and what proves both."""

    host: HostAddress = Field(description="The host.")
    port: StrictInt = Field(default=22, ge=1, le=65535)
    user: AccountName = Field(description="The account on it.")
    identity_file: LocalPath = Field(description="The private SSH key for it, without a passphrase.")
    host_key: Text | None = Field(default=None, description="The host's public key: TYPE BASE64.")
    known_hosts: LocalPath | None = Field(default=None, description="Or a known_hosts file that has it.")

    @model_validator(mode="after")
    def _one_host_key(self) -> Self:
        if (self.host_key is None) == (self.known_hosts is None):
            raise RefusedValue(msg("needs exactly one of host_key and known_hosts"), shows_value=False)
        if self.host_key is not None and len(self.host_key.split()) < 2:
            raise RefusedValue(
                msg("has a host_key that is not TYPE BASE64"),
                msg("Take the line of /etc/ssh/ssh_host_ed25519_key.pub on that host."),
                shows_value=False,
            )
        return self
