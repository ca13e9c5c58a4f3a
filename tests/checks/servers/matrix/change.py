"""What the host was when it was approved: its own draft, taken while everything is good."""

from tests.checks.servers.matrix import Fault

_SINCE = {"since": "$SINCE"}
_WINDOWS = {"windows": [{"start_at": "$SINCE", "end_at": "$LATER", "reference": "12/QD-SKHCN"}], "since": "$NOW"}
"""The approved state is what the host is once everything is good: a window alone would not prove what was done before."""
FAULTS = (
    Fault(
        "change.packages",
        "change-unapproved",
        good="apt-get -q -y purge portal-extra",
        bad="apt-get -q -y install portal-extra",
        gone="rm -f /var/log/apt/history.log*",
        unknown="log-empty",
        declared={"changes": _WINDOWS},
        declared_bad={"changes": _SINCE},
    ),
    Fault("change.reboots", "boot-unrecorded", gone="rm -f $(command -v journalctl)", unknown="command-missing"),
    Fault(
        "change.config",
        "config-changed",
        good="sed -i '/^# changed$/d' /etc/login.defs",
        bad="echo '# changed' >>/etc/login.defs",
        gone="rm -f $(command -v sha256sum)",
        unknown="command-missing",
    ),
    Fault(
        "change.package-files",
        "file-exchanged",
        good="[ ! -e /root/who ] || cp -p /root/who /usr/bin/who",
        bad="cp -p /usr/bin/who /root/who; cp /bin/true /usr/bin/who",
        gone="rm -f $(command -v dpkg)",
        unknown="command-missing",
        on="web2",
    ),
    Fault(
        "change.accounts",
        "accounts-changed",
        good="userdel intruder || [ $? = 6 ]",
        bad="useradd intruder",
        gone="rm -f $(command -v awk)",
        unknown="command-missing",
        on="web2",
    ),
    Fault(
        "change.autostart",
        "cron-changed",
        good="rm -f /etc/cron.d/portal",
        bad="mkdir -p /etc/cron.d; echo '* * * * * root /opt/x' >/etc/cron.d/portal",
        gone="rm -f $(command -v sha256sum)",
        unknown="command-missing",
        on="web2",
    ),
    Fault(
        "change.repos",
        "signature-waived",
        good="rm -f /etc/apt/sources.list.d/extra.list",
        bad="echo 'deb [trusted=yes] file:/srv/archive/made ./' >/etc/apt/sources.list.d/extra.list",
        gone="rm -rf /var/lib/apt/lists/*",
        unknown="no-package-lists",
    ),
)
