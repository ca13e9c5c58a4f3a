"""Units and the clock. chronyd may not set the clock here and follows its source without (-x)."""

from tests.checks.servers.matrix import Fault, Seed

_CHRONY = r"""
mkdir -p /etc/systemd/system/chrony.service.d
printf '[Unit]\nConditionCapability=\n' >/etc/systemd/system/chrony.service.d/portal.conf
printf 'DAEMON_OPTS="-x"\n' >/etc/default/chrony
printf '{source}\ncmdallow 127.0.0.1\n' >/etc/chrony/chrony.conf
systemctl daemon-reload; systemctl restart chrony
timeout 30 sh -c 'until chronyc -c tracking | grep -q {state}; do sleep 0.2; done'
"""
_OLD = "cp /bin/sleep /usr/local/bin/portal-server; systemctl reset-failed; systemd-run --unit=portal-old /usr/local/bin/portal-server 9999; sleep 0.3; "
_STOP = "systemctl stop portal-old; rm -f /usr/local/bin/portal-server"
FAULTS = (
    Fault(
        "run.time-sync",
        "not-synchronised",
        good=_CHRONY.format(source="local stratum 8", state="Normal"),
        bad=_CHRONY.format(source="server 192.0.2.123", state="Not"),
        gone="rm -f $(command -v chronyc) $(command -v timedatectl)",
        unknown="command-missing",
    ),
    Fault(
        "run.failed-units",
        "unit-failed",
        good="systemctl reset-failed",
        bad="systemd-run --unit=portal-broken false; timeout 10 sh -c 'until systemctl is-failed -q portal-broken; do sleep 0.1; done'",
        gone="rm -f $(command -v systemctl)",
        unknown="command-missing",
    ),
    Fault(
        "run.old-libraries",
        "old-code-runs",
        good="systemctl stop portal-old 2>/dev/null; rm -f /usr/local/bin/portal-server",
        bad=f"{_OLD} rm /usr/local/bin/portal-server",
        gone="rm -f $(command -v awk)",
        unknown="command-missing",
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
        "an update, and the service started again",
        make=f"{_OLD} cp /bin/sleep /usr/local/bin/new; mv /usr/local/bin/new /usr/local/bin/portal-server; systemctl restart portal-old",
        undo=_STOP,
    ),
    Seed(
        "run.old-libraries",
        "a program with a deleted file of its own",
        make="systemd-run --unit=portal-old sh -c 'exec 3<>/srv/own.so; rm /srv/own.so; sleep 9999'; sleep 0.3",
        undo="systemctl stop portal-old",
    ),
)
