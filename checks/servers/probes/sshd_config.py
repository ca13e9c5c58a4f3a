"""The SSH server's effective settings: `sshd -T`, as sshd(8) has it, for the defaults of the file.

Needs root, since it reads the host keys. It refuses to answer where its privilege separation folder is missing, as with
socket activation; then nothing is known of it.

    permitrootlogin without-password
    passwordauthentication yes
"""

from __future__ import annotations

from collections.abc import Mapping

from checks.servers.probe import Output, Probe, Unparseable
from portalops.model.message import msg

_EXPECTED = ("permitrootlogin", "passwordauthentication", "kbdinteractiveauthentication", "authenticationmethods")

Settings = Mapping[str, str]
"""Keyword in lower case to its value; of repeated keywords the first."""


def parse(output: Output) -> Settings:
    """Read keyword and value of each line."""
    found: dict[str, str] = {}
    for line in output.lines():
        key, _, value = line.strip().partition(" ")
        found.setdefault(key.lower(), value.strip())
    if "challengeresponseauthentication" in found:  # its name before OpenSSH 8.7
        found.setdefault("kbdinteractiveauthentication", found["challengeresponseauthentication"])
    absent = [key for key in _EXPECTED if key not in found]
    if absent:
        raise Unparseable(msg("sshd does not report the value of {key}", key=absent[0]))
    return found


PROBE = Probe("ssh.config", ("sshd", "-T"), parse, needs_root=True)
