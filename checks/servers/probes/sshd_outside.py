"""The SSH server's settings as they hold for root coming from the Internet: `sshd -T -C`, as sshd(8) has it.

`Match` blocks can undo what the rest of the file says. The address is of RFC 5737's range for documentation, so no
block that is meant for an internal network holds for it.
"""

from __future__ import annotations

from checks.servers.probe import Probe
from checks.servers.probes.sshd_config import parse

PROBE = Probe(
    "ssh.outside", ("sshd", "-T", "-C", "user=root,host=outside.invalid,addr=203.0.113.1"), parse, needs_root=True
)
