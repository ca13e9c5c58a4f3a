"""Programs that run code which was replaced on the disk."""

from tests.checks.servers.matrix import Fault, Seed

_OLD = "cp /bin/sleep /usr/local/bin/portal-server; systemctl reset-failed; systemd-run --unit=portal-old /usr/local/bin/portal-server 9999; sleep 0.3; "
_STOP = "systemctl stop portal-old; rm -f /usr/local/bin/portal-server"
FAULTS = (
    Fault(
        "run.old-libraries",
        "old-code-runs",
        good="systemctl stop portal-old 2>/dev/null; rm -f /usr/local/bin/portal-server",
        bad=f"{_OLD} rm /usr/local/bin/portal-server",
        # what it looks with, every other question needs as well
        on="web2",
    ),
)
SEEDS = (
    Seed(
        "run.old-libraries",
        "an update whose service was not started again",
        make=f"{_OLD} cp /bin/sleep /usr/local/bin/new; mv /usr/local/bin/new /usr/local/bin/portal-server",
        undo=_STOP,
        fails="old-code-runs",
    ),
    Seed(
        "run.old-libraries",
        "a program put aside, with a new one at its name",
        make=f"{_OLD} mv /usr/local/bin/portal-server /usr/local/bin/portal-server.old; cp /bin/sleep /usr/local/bin/portal-server",
        undo=f"{_STOP}; rm -f /usr/local/bin/portal-server.old",
        fails="old-code-runs",
    ),
    Seed(
        "run.old-libraries",
        "an update, and the service started again",
        make=f"{_OLD} cp /bin/sleep /usr/local/bin/new; mv /usr/local/bin/new /usr/local/bin/portal-server; systemctl restart portal-old",
        undo=_STOP,
    ),
    *(
        Seed(
            "run.old-libraries",
            name,
            make=r"""
printf 'V = 1\n' >/usr/lib/python3/dist-packages/portalmod.py
printf '#!/usr/bin/python3\nimport time, portalmod\ntime.sleep(9999)\n' >/usr/local/bin/portal-app; chmod 755 /usr/local/bin/portal-app
systemd-run --unit=portal-old /usr/local/bin/portal-app; sleep 4
cp /usr/lib/python3/dist-packages/portalmod.py /usr/lib/python3/dist-packages/portalnew.py
"""
            + more,
            undo="systemctl stop portal-old; rm -f /usr/lib/python3/dist-packages/portal*.py /usr/local/bin/portal-app",
            unknown=unknown,
        )
        for name, more, unknown in (
            (
                "a module was replaced, and its service not started again",
                "cd /usr/lib/python3/dist-packages; mv portalnew.py portalmod.py",
                "modules-changed",
            ),
            ("a module came that no program imports", "", ""),
        )
    ),
    Seed(
        "run.old-libraries",
        "a program with a deleted file of its own",
        make="systemd-run --unit=portal-old sh -c 'exec 3<>/srv/own.so; rm /srv/own.so; sleep 9999'; sleep 0.3",
        undo="systemctl stop portal-old",
    ),
)
