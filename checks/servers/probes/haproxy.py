"""What HAProxy knows of the servers behind it: `show stat` on its own socket, as the HAProxy management guide has it. Needs root.

# pxname,svname,...,status,...,check_status,...
portal,web1,0,0,0,1,,4,...,UP,1,1,0,...,L7OK,200,...

HAProxy ends its answer with an empty line; without it, the answer was cut.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable
from portalops.model.message import msg

_SCRIPT = r"""
command -v socat >/dev/null || exit 127
for s in /run/haproxy/admin.sock /run/haproxy/haproxy.sock /run/haproxy.sock /var/lib/haproxy/stats; do
  if [ -S "$s" ]; then printf 'show stat\n' | socat -T 5 - "UNIX-CONNECT:$s" || exit $?; echo end; exit 0; fi
done
echo 'no socket of HAProxy' >&2
exit 1
"""


@dataclass(frozen=True, slots=True)
class BackendServer:
    """One server of one backend."""

    backend: str
    server: str
    status: str
    """`UP`, `DOWN`, `MAINT`, `no check`, ..."""
    check: str
    """Of the last look at it: `L4OK`, `L7OK`, ...; empty if it is never looked at."""
    address: str = ""
    """With its port; empty where HAProxy does not tell it."""

    @property
    def is_up(self) -> bool:
        """Say whether HAProxy looked at it and found it well."""
        return self.status.partition(" ")[0] == "UP" and bool(self.check)


def parse(output: Output) -> tuple[BackendServer, ...]:
    """Read the rows of servers; those of whole proxies are passed over."""
    answer = output.text.replace("\r\n", "\n")
    if not answer.endswith("\n\nend\n"):
        raise Unparseable(msg("HAProxy's statistics are cut short"))
    lines = answer.removesuffix("\nend\n").splitlines()
    if not lines[0].startswith("# pxname,svname,"):
        raise Unparseable(msg("HAProxy's statistics cannot be parsed"))
    try:
        rows = list(csv.DictReader([lines[0].removeprefix("# "), *lines[1:]]))
        found = tuple(
            BackendServer(
                row["pxname"],
                row["svname"],
                row["status"].strip(),
                row["check_status"].strip("* "),
                row.get("addr") or "",
            )
            for row in rows
            if row["type"] == "2"  # 0 frontend, 1 backend, 2 server, 3 socket
        )
    except (KeyError, AttributeError, TypeError, csv.Error) as error:
        raise Unparseable(msg("HAProxy's statistics cannot be parsed")) from error
    return found


PROBE = Probe("ha.haproxy", ("sh", "-c", _SCRIPT), parse, needs_root=True)
