"""Letters by any of the services that apprise knows: Mattermost, Matrix, Telegram, Zalo, a web hook and about 190 more.

    [[notify.channel]]
    id = "group-chat"
    kind = "apprise"
    url = { file = "/etc/portalops/group-chat.secret" }
    levels = ["failure", "recovery"]

The address holds passwords and tokens, so it is given by a reference alone. The library runs in a process of its own: that can be
ended when the time is over, however slowly a service drips, and nothing that the library prints or logs can reach anybody.
All that comes back is which services took the letter.

Needs the package apprise: the extra `apprise`.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from portalops.config.secrets import SecretReference
from portalops.config.tables import KindTable
from portalops.errors import NotificationNotSent
from portalops.json_text import read_json
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.notify.channels import ChannelContext, ChannelKind, ChannelSettings, Taken
from portalops.notify.state import WaitingLetter
from portalops.system.programs import LocalRunner

CHILD = Path(__file__).with_name("_apprise_process.py")

PASSED_ON = (
    "http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
    "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE",
)  # fmt: skip
"""Variables of this process that the library needs to get out of the house; it gets no others."""

_NAME = re.compile(r"[a-z0-9+.-]{1,20}")


class Settings(ChannelSettings):
    """`kind = "apprise"`."""

    url: SecretReference = Field(
        description="Where the address is kept, as apprise writes it; several are divided by spaces."
    )
    timeout_seconds: int = Field(default=60, ge=1, le=600, description="How long sending one letter may take in all.")


def build(table: KindTable, context: ChannelContext) -> AppriseChannel:
    """Return the channel that a configuration table describes."""
    return AppriseChannel(table.id, table.parse(Settings), context)


def missing() -> tuple[Message, Message] | None:
    """Return what is not installed, and how it is; None if all is there."""
    if importlib.util.find_spec("apprise") is not None:
        return None
    return (
        msg("the Python package apprise is not installed"),
        msg(
            "Install it where portalops is: {python} -m pip install 'portalops[apprise]'",
            python=show_text(sys.executable),
        ),
    )


class AppriseChannel:
    """Hands letters to the library, which runs elsewhere."""

    kind = "apprise"

    def __init__(self, channel_id: str, settings: Settings, context: ChannelContext) -> None:
        self.id = channel_id
        self.settings = settings
        self._environment = context.environment

    @property
    def to(self) -> str:
        return self.settings.url.describe()

    def send(self, letter: WaitingLetter) -> Taken:
        if (absent := missing()) is not None:
            raise NotificationNotSent(*absent)
        asked = {"url": self.settings.url.reveal(self._environment), "title": letter.subject, "body": letter.text}
        done = LocalRunner(_environment_of(self._environment)).run(
            (sys.executable, "-I", str(CHILD)),
            stdin=json.dumps(asked).encode(),
            timeout_seconds=self.settings.timeout_seconds,
            limit_bytes=1 << 20,
        )
        if done.exit_code == 124:
            late = self._not_sent(msg("no answer within {n} seconds", n=self.settings.timeout_seconds), _REACH)
            late.in_doubt = True
            raise late
        took, refused = _answer_of(done.stdout)
        if took:
            return Taken(took, refused, "")
        if refused:
            cause = msg("refused by the service, or not reachable: {services}", services=", ".join(refused))
            raise self._not_sent(cause, _REACH)
        if done.exit_code == 0:
            raise self._not_sent(
                msg("the secret holds no address that apprise accepts"),
                msg(
                    "Write the address in the form that apprise expects, such as mmosts://HOST/TOKEN. It was not "
                    "printed or logged."
                ),
            )
        raise self._not_sent(
            msg("apprise failed with an error of its own"),
            msg("Reinstall the Python package apprise: pip install --force-reinstall apprise"),
        )

    def _not_sent(self, cause: Message, hint: Message) -> NotificationNotSent:
        return NotificationNotSent(
            msg("channel {channel} did not accept the letter: {cause}", channel=self.id, cause=cause), hint
        )


_REACH = msg(
    "Check that this machine reaches the service and that the address in the secret is still valid; "
    "then run 'portalops notify test'."
)


def _environment_of(environment: Mapping[str, str]) -> dict[str, str]:
    fixed = {"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
    return fixed | {name: environment[name] for name in PASSED_ON if name in environment}


def _answer_of(data: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the services that took the letter and those that did not; none of either if the process told nothing."""
    try:
        told = read_json(data)
        took, refused = ([each for each in told[key] if _NAME.fullmatch(each)] for key in ("took", "refused"))
    except (ValueError, TypeError, KeyError):
        return (), ()
    return tuple(took), tuple(refused)


CHANNEL = ChannelKind(settings=Settings, build=build, missing=missing)
