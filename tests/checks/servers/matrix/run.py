"""Units and the clock. chronyd may not set the clock here and follows its source without (-x)."""

from tests.checks.servers.matrix import Fault

_CHRONY = r"""
mkdir -p /etc/systemd/system/chrony.service.d
printf '[Unit]\nConditionCapability=\n' >/etc/systemd/system/chrony.service.d/portal.conf
printf 'DAEMON_OPTS="-x"\n' >/etc/default/chrony
printf '{source}\ncmdallow 127.0.0.1\n' >/etc/chrony/chrony.conf
systemctl daemon-reload; systemctl restart chrony
timeout 30 sh -c 'until chronyc -c tracking | grep -q {state}; do sleep 0.2; done'
"""
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
)
