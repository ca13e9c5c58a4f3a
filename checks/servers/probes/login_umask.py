"""The umask that the login got by which this host is looked at: umask(1p) of the shell that it began.

0022
"""

from __future__ import annotations

import re

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg


def parse(output: Output) -> int:
    """Read one octal number."""
    text = output.text.strip()
    if not re.fullmatch("[0-7]{1,4}", text):
        raise Unparseable(msg("the umask cannot be parsed: {text}", text=shown(text, 40)))
    return int(text, 8)


PROBE = Probe("acct.login-umask", ("sh", "-c", "umask"), parse)
