"""Who, where and how: what each run's blob says besides its result.

Arguments are recorded with their secrets taken out, and a machine by a digest of its machine-id that
is portalops's own, as machine-id(5) asks for, since the id itself is to be kept confidential.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Protocol

from portalops import __version__
from portalops.model.record import Digest
from portalops.model.values import dataclass

REDACTED = "[redacted]"

MAX_ARGUMENTS = 100
MAX_ARGUMENT = 200
"""Longest argument that is recorded, in characters."""


class Surroundings(Protocol):
    """The door to the process and its machine; `portalops.system.surroundings` is the real one."""

    def variable(self, name: str) -> str: ...
    def user_id(self) -> int: ...
    def host_name(self) -> str: ...
    def read(self, path: str) -> str | None: ...
    def clock_is_synchronised(self) -> bool | None: ...


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The part of a run's blob that says who ran what, where and how, under the key `circumstances`."""

    user_id: int
    """The effective user id."""
    login_user_id: int | None
    """The user who logged in, whoever they became later: `/proc/self/loginuid`. None for a daemon's child."""
    sudo_user: str
    """SUDO_USER, as the environment claims it; may be empty."""
    host: str
    machine: str
    """HMAC-SHA-256 of the machine-id; empty where there is none."""
    portalops: str
    """Version."""
    configuration: Digest
    """Digest of the effective configuration."""
    arguments: tuple[str, ...]
    """The command line without secrets."""
    clock_synchronised: bool | None
    """What the kernel said of its clock; None if it could not be asked."""


def collect(surroundings: Surroundings, *, configuration: Digest, arguments: Sequence[str]) -> Circumstances:
    """Look around."""
    return Circumstances(
        user_id=surroundings.user_id(),
        login_user_id=_login_user(surroundings.read("/proc/self/loginuid")),
        sudo_user=surroundings.variable("SUDO_USER")[:64],
        host=surroundings.host_name()[:255],
        machine=_machine(surroundings.read("/etc/machine-id")),
        portalops=__version__,
        configuration=configuration,
        arguments=redacted(arguments),
        clock_synchronised=surroundings.clock_is_synchronised(),
    )


def redacted(arguments: Sequence[str]) -> tuple[str, ...]:
    """Return arguments without the values of options that sound like secrets, and without passwords in URLs."""
    shown: list[str] = []
    hide_next = False
    for argument in arguments[:MAX_ARGUMENTS]:
        if hide_next:
            shown.append(REDACTED)
            hide_next = False
            continue
        name, equals, _value = argument.partition("=")
        if _SECRET_NAME.search(name) and (equals or name.startswith("-")):
            hide_next = not equals
            shown.append(f"{name}={REDACTED}" if equals else argument)
        else:
            shown.append(_URL_PASSWORD.sub(rf"\1{REDACTED}@", argument)[:MAX_ARGUMENT])
    if len(arguments) > MAX_ARGUMENTS:
        shown.append(f"... {len(arguments) - MAX_ARGUMENTS} more")
    return tuple(shown)


_SECRET_NAME = re.compile(r"(?i)pass(?:word|wd|phrase)?$|secret|token|api-?key|credential")
_URL_PASSWORD = re.compile(r"(://[^/@:\s]*:)[^@/\s]*@")
_UNSET_LOGIN_USER = 2**32 - 1
_APPLICATION = b"portalops ledger"


def _login_user(text: str | None) -> int | None:
    if text is None or not text.strip().isdigit():
        return None
    number = int(text)
    return None if number == _UNSET_LOGIN_USER else number


def _machine(text: str | None) -> str:
    identity = (text or "").strip()
    return hmac.new(identity.encode(), _APPLICATION, hashlib.sha256).hexdigest() if identity else ""
