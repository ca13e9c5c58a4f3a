"""The plan as a file for /etc/cron.d: where there is no systemd.

Cron knows one set of rights for all jobs, no credentials and no second try; what is missed while the machine is off is done at
the next call, because the ledger shows what is due. Standard output is thrown away and standard error is not: cron mails what a
person must see to, to MAILTO or to the file's user. Source: crontab(5), of Debian's cron.
"""

from __future__ import annotations

import re
import shlex

from portalops.schedule.marks import marked
from portalops.schedule.plan import Demands, SchedulePart, list_cron_parts
from portalops.schedule.units import UnitFile, word

FILE = "portalops"
"""Its name in /etc/cron.d; run-parts' rules allow no dot."""


def cron_file(demands: Demands) -> UnitFile | None:
    """Return the file, marked; None where nothing is to be called.

    Raises:
        ConfigurationError: a path holds what cannot stand in it.
    """
    lines = [_line(part, demands) for part in list_cron_parts(demands)]
    if not lines:
        return None
    text = (
        "# Don't edit this file: it would be left alone from then on. Change [schedule] in the configuration, and install anew.\n"
        "# To have MAILTO here, or other times, copy it to another name and run 'portalops schedule uninstall'.\n"
        "SHELL=/bin/sh\n"
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
    )
    return UnitFile(FILE, marked(text + "".join(lines)))


def _line(part: SchedulePart, demands: Demands) -> str:
    called = ("watch-remote",) if part is SchedulePart.WATCH else ("run", "--due")
    words = (demands.program, "--config", demands.config, "--quiet", "--no-input", *called)
    for each in words:
        word(each)  # refused for the same reasons
    command = shlex.join(words).replace("%", r"\%")
    minutes = "0" if demands.every_minutes == 60 else f"*/{demands.every_minutes}"
    return f"{minutes} * * * *  {demands.user}  {command} >/dev/null\n"


def program_in_cron(text: str) -> str:
    r"""Return the program that a file of `cron_file` calls; empty if it cannot be read.

    >>> program_in_cron(r"*/15 * * * *  portalops  '/opt/our 90\% apps/portalops' --quiet run --due >/dev/null")
    '/opt/our 90% apps/portalops'
    """
    called = re.search(r"(?m)^\S+ \* \* \* \*  \S+  (.+)$", text)
    if called is None:
        return ""
    try:
        return next(iter(shlex.split(called[1].replace(r"\%", "%"))), "")
    except ValueError:  # a quote that does not end
        return ""
