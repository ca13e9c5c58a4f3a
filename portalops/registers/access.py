"""What the register of credentials says of who may come in where: as much of it as is held against what systems show.

It is made of the register itself, or read from a host's kept answer, and is the same either way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from portalops.model.credentials import host_of, same_person
from portalops.registers.credentials import CredentialRegister, LeavingPerson


@dataclass(frozen=True, slots=True)
class CredentialAccess:
    """One credential, by what it opens."""

    id: str
    system: str
    """`KIND:NAME`, and `@HOST` behind it where it runs on a configured host."""
    account: str
    fingerprint: str = ""
    """Of a key or a certificate; empty for what has none."""
    is_active: bool = True
    """It was not returned."""
    seqs: tuple[int, ...] = ()
    """The records that its state rests on."""

    @property
    def kind(self) -> str:
        """Return the kind of system that it opens: `host`, `database`, `portal`, ..."""
        return self.system.partition(":")[0]


@dataclass(frozen=True, slots=True)
class AccessRegister:
    """All that is compared."""

    credentials: tuple[CredentialAccess, ...] = ()
    """In the order in which they were first added, those that were returned among them."""
    left: tuple[LeavingPerson, ...] = ()
    """Who leaves or left."""

    def find_by_host(self, host: str) -> tuple[CredentialAccess, ...]:
        """Return the credentials of a host, and of what runs on it."""
        return tuple(each for each in self.credentials if host_of(each.system) == host)

    def gone_of(self, people: Iterable[str], day: date) -> tuple[str, ...]:
        """Return whose last day is come, or past, on a local day."""
        return tuple(
            person for person in people if any(same_person(one.person, person) and one.on <= day for one in self.left)
        )


def access_of(register: CredentialRegister) -> AccessRegister:
    """Return what of the register is compared."""
    rows = (
        CredentialAccess(
            each.id,
            each.credential.system,
            each.credential.account,
            each.credential.fingerprint,
            each.is_active,
            each.seqs,
        )
        for each in register.credentials.values()
    )
    return AccessRegister(tuple(rows), register.left)
