"""fail2ban, AIDE and Suricata."""

from tests.checks.servers.matrix import ALL, Fault, Seed

_JAIL = r"""
cat >/etc/fail2ban/jail.local <<END
[DEFAULT]
ignoreip = 127.0.0.0/8 $NETWORK
banaction = nftables
[sshd]
enabled = true
backend = systemd
bantime = 3600
port = 22
END
systemctl reset-failed fail2ban 2>/dev/null; systemctl restart fail2ban
timeout 30 sh -c 'until fail2ban-client status sshd >/dev/null 2>&1; do sleep 0.2; done'
"""
_COMPARED = r"""
aide --config=/etc/aide/portal.conf --check >/dev/null || [ $? -le 7 ]
"""
_BASELINE = r"""
aide --config=/etc/aide/portal.conf --init >/dev/null
mv /var/lib/aide/aide.db.new /var/lib/aide/aide.db; touch -d '2 days ago' /var/lib/aide/aide.db
"""
_AIDE = r"""
install -d /etc/aide /var/lib/aide /var/log/aide /srv/programs; echo one >/srv/programs/one
cat >/etc/aide/portal.conf <<END
database_in=file:/var/lib/aide/aide.db
database_out=file:/var/lib/aide/aide.db.new
report_url=file:/var/log/aide/aide.log
/srv/programs p+i+n+u+g+s+sha256
/usr/sbin/sshd$ p+n+u+g+s+sha256
/usr/bin/(su|passwd|sudo)$ p+n+u+g+s+sha256
/usr/lib/systemd/systemd$ p+n+u+g+s+sha256
/usr/lib/[^/]+/(libc.so.6|security/pam_unix.so)$ p+n+u+g+s+sha256
/etc/(passwd|shadow|sudoers|crontab|ssh/sshd_config)$ p+n+u+g+s+sha256
END
"""
FAULTS = (
    Fault(
        "ids.prevention",
        "not-running",
        good=_JAIL,
        bad="systemctl stop fail2ban",
        gone="rm -f $(command -v fail2ban-client)",
        unknown="command-missing",
    ),
    Fault(
        "ids.ssh-jail",
        "bans-briefly",
        good=_JAIL,
        bad="fail2ban-client set sshd bantime 60",
        gone="rm -f $(command -v fail2ban-client)",
        unknown="command-missing",
        on="web2",
    ),
    Fault(
        "ids.file-integrity",
        "differences",
        good=_AIDE + _BASELINE + _COMPARED,
        bad="echo two >>/srv/programs/one" + _COMPARED,
        gone=": >/var/log/aide/aide.log",
        unknown="no-run",
    ),
    Fault(
        "ids.sensor",
        "suricata-silent",
        good=r"""
install -d /var/lib/suricata/rules
echo 'alert icmp any any -> any any (msg:"portal"; sid:1000001; rev:1;)' >/var/lib/suricata/rules/suricata.rules
systemctl is-active -q portal-sensor || systemd-run --unit=portal-sensor suricata --af-packet=host0
timeout 60 sh -c 'until [ -s /var/log/suricata/eve.json ]; do sleep 0.5; done'; touch /var/log/suricata/eve.json
""",
        bad="systemctl stop portal-sensor; touch -d '1 hour ago' /var/log/suricata/eve.json",
        declared={"sensors": ["suricata"]},
        on="web2",
        releases=frozenset({13}),
    ),
)

_UNDONE = "rm -f /etc/fail2ban/jail.d/zz.local" + _JAIL


def _seed(*lines: str) -> str:
    """Return what gives the jail further settings, and starts fail2ban with them."""
    text = "\\n".join(("[sshd]", *lines))
    return f"printf '{text}\\n' >/etc/fail2ban/jail.d/zz.local" + _JAIL.replace("ignoreip = 127.0.0.0/8 $NETWORK", "")


def _unit(*lines: str) -> tuple[str, str]:
    """Return what gives the unit of sshd further settings, and what takes them away."""
    text = "\\n".join(("[Service]", *lines))
    again = "systemctl daemon-reload; systemctl restart ssh systemd-logind"
    folder = "/etc/systemd/system/ssh.service.d"
    return (
        f"install -d {folder}; printf '{text}\\n' >{folder}/portal.conf; {again}",
        f"rm -rf {folder}; {again}",
    )


SEEDS = (
    *(
        Seed(
            check,
            name,
            make=f"printf '[Definition]\\n{line}\\n' >/etc/fail2ban/filter.d/sshd.local" + _JAIL,
            undo="rm -f /etc/fail2ban/filter.d/sshd.local" + _JAIL,
            fails=fails,
        )
        for check, name, line, fails in (
            ("ids.ssh-jail", "a filter that leaves out every line", "ignoreregex = .*", "filter-blind"),
            ("ids.ssh-jail", "a filter that finds what nobody writes", "failregex = ^zzznever <HOST>$", "filter-blind"),
            ("ids.prevention", "the filter of the one jail leaves out every line", "ignoreregex = .*", "filter-blind"),
            ("ids.ssh-jail", "a filter that leaves out one address", "ignoreregex = from 192\\.0\\.2\\.77 ", ""),
        )
    ),
    *(
        Seed("ids.ssh-jail", name, make=_seed(*lines), undo=_UNDONE, fails=fails)
        for name, fails, *lines in (
            ("everybody is ignored", "ignores-all", "ignoreip = 0.0.0.0/0 ::/0"),
            ("a half of the Internet is ignored", "ignores-all", "ignoreip = 0.0.0.0/1"),
            ("a hundred thousand tries", "bans-late", "maxretry = 100000"),
            ("a window of a second", "bans-late", "findtime = 1"),
            ("an action that only writes", "no-action", "banaction = dummy"),
            ("another port is blocked", "other-port", "port = 2222"),
        )
    ),
    *(
        Seed("ids.ssh-jail", name, make=_seed(*lines), undo=_UNDONE)
        for name, *lines in (
            ("own networks are ignored", "ignoreip = 127.0.0.0/8 $NETWORK 10.0.0.0/8 fc00::/7"),
            ("all ports are blocked", "action = nftables-allports"),
        )
    ),
    *(
        Seed("ids.prevention", name, make=_seed(*lines), undo=_UNDONE, fails=fails)
        for name, fails, *lines in (
            ("the one jail ignores everybody", "ignores-all", "ignoreip = 0.0.0.0/0 ::/0"),
            ("the one jail only writes", "no-action", "banaction = dummy"),
            ("the one jail bans for a second", "bans-briefly", "bantime = 1"),
        )
    ),
    *(
        Seed("ids.ssh-jail", name, make=_seed(*lines), undo=_UNDONE, fails=fails, unknown=unknown)
        for name, fails, unknown, *lines in (
            (
                "its bans stand where packets are passed on",
                "not-blocked",
                "",
                "banaction = nftables[chain_hook=forward]",
            ),
            ("its bans stand where packets go out", "not-blocked", "", "banaction = nftables[chain_hook=output]"),
            ("its bans are of another protocol", "not-blocked", "", "protocol = udp"),
            ("its bans need a program that is not there", "no-program", "", "banaction = iptables-multiport"),
            ("its bans hold for IPv6 alone", "", "not-tried", "banaction = nftables[table_family=ip6]"),
        )
    ),
    *(
        Seed("ids.ssh-jail", name, make=make, undo=undo, fails=fails, unknown=unknown, releases=releases)
        for name, make, undo, fails, unknown, releases in (
            (
                "it reads an empty journal",
                "install -d /var/log/none; " + _seed("backend = systemd[journalpath=/var/log/none]"),
                "rm -rf /var/log/none; " + _UNDONE,
                "jail-behind",
                "",
                ALL,
            ),
            (
                "it is idle",
                "fail2ban-client set sshd idle on",
                "fail2ban-client set sshd idle off",
                "jail-behind",
                "",
                frozenset({13}),  # of a file the jail notes its place too rarely to tell within a scan
            ),
            (
                "what it bans was flushed from the rules",
                "fail2ban-client set sshd banip 192.0.2.77; sleep 1; nft delete table inet f2b-table",
                _UNDONE,
                "not-in-rules",
                "",
                ALL,
            ),
            (
                "sshd writes of errors alone",
                "echo 'LogLevel ERROR' >/etc/ssh/sshd_config.d/00-log.conf; systemctl restart ssh",
                "rm -f /etc/ssh/sshd_config.d/00-log.conf; systemctl restart ssh",
                "sshd-silent",
                "",
                ALL,
            ),
            (
                "sshd writes more than it has to",
                "echo 'LogLevel VERBOSE' >/etc/ssh/sshd_config.d/00-log.conf; systemctl restart ssh",
                "rm -f /etc/ssh/sshd_config.d/00-log.conf; systemctl restart ssh",
                "",
                "",
                ALL,
            ),
            ("the unit of sshd keeps warnings alone", *_unit("LogLevelMax=warning"), "log-narrow", "", ALL),
            (
                "the unit of sshd keeps one line an hour",
                *_unit("LogRateLimitBurst=1", "LogRateLimitIntervalSec=1h"),
                "log-limited",
                "",
                ALL,
            ),
            (
                "the unit of sshd leaves out lines by their text",
                *_unit("LogFilterPatterns=~Invalid user"),
                "",
                "log-filtered",
                frozenset({13}),
            ),
            ("the unit of sshd has a wide limit", *_unit("LogRateLimitBurst=5000"), "", "", ALL),
            (
                "journald keeps warnings alone",
                "install -d /etc/systemd/journald.conf.d; printf '[Journal]\\nMaxLevelStore=warning\\n' >/etc/systemd/journald.conf.d/portal.conf; systemctl restart systemd-journald",
                "rm -f /etc/systemd/journald.conf.d/portal.conf; systemctl restart systemd-journald",
                "log-narrow",
                "",
                ALL,
            ),
        )
    ),
    *(
        Seed(
            "ids.ssh-jail",
            name,
            make=f"printf 'backend portal\\n  mode tcp\\n  server ssh 127.0.0.1:{port}\\n' >/etc/haproxy/portal.cfg",
            undo="rm -f /etc/haproxy/portal.cfg",
            unknown=unknown,
        )
        for name, port, unknown in (
            ("a relay hides strangers from sshd", 22, "relayed"),
            ("a relay leads elsewhere", 8080, ""),
        )
    ),
    Seed(
        "ids.ssh-jail",
        "a unit that is not started yet leads to sshd",
        make="printf '[Service]\\nExecStart=/lib/systemd/systemd-socket-proxyd 127.0.0.1:22\\n' >/etc/systemd/system/portal-relay.service",
        undo="rm -f /etc/systemd/system/portal-relay.service",
        unknown="relayed",
    ),
    Seed(
        "ids.prevention",
        "one jail of two only writes",
        make=_seed(
            "bantime = -1",
            "[recidive]",
            "enabled = true",
            "banaction_allports = dummy",
            "banaction = dummy",
            "backend = systemd",
        ),
        undo=_UNDONE,
    ),
    Seed(
        "ids.file-integrity",
        "it compares a folder of one's own alone",
        make=_AIDE + "sed -i '/^.\\(usr\\|etc\\)/d' /etc/aide/portal.conf" + _BASELINE + _COMPARED,
        undo=_AIDE + _BASELINE + _COMPARED,
        fails="covers-nothing",
    ),
    Seed(
        "ids.file-integrity",
        "it compares no settings",
        make=_AIDE + "sed -i '/^.etc/d' /etc/aide/portal.conf" + _BASELINE + _COMPARED,
        undo=_AIDE + _BASELINE + _COMPARED,
        fails="covers-nothing",
    ),
    Seed(
        "ids.file-integrity",
        "the run is limited",
        make=_COMPARED.replace("--check", "--check --limit=^/srv"),
        undo=_COMPARED,
        unknown="not-whole",
    ),
    Seed(
        "ids.file-integrity",
        "it compares modes and no content",
        make=_AIDE + "sed -i 's/.sha256//' /etc/aide/portal.conf" + _BASELINE + _COMPARED,
        undo=_AIDE + _BASELINE + _COMPARED,
        fails="covers-nothing",
    ),
    Seed(
        "ids.file-integrity",
        "the baseline is made anew before each run",
        make=_BASELINE + "touch /var/lib/aide/aide.db; sleep 1" + _COMPARED,
        undo=_AIDE + _BASELINE + _COMPARED,
        unknown="baseline-fresh",
    ),
    Seed(
        "ids.file-integrity",
        "the baseline is packed",
        make="gzip -k /var/lib/aide/aide.db; touch -r /var/lib/aide/aide.db /var/lib/aide/aide.db.gz; mv /var/lib/aide/aide.db /root/",
        undo="mv /root/aide.db /var/lib/aide/; rm /var/lib/aide/aide.db.gz",
    ),
    Seed(
        "ids.sensor",
        "its rules are comments",
        make="sed -i 's/^/# /' /var/lib/suricata/rules/suricata.rules",
        undo="sed -i 's/^# //' /var/lib/suricata/rules/suricata.rules",
        fails="suricata-silent",
        on="web2",
        releases=frozenset({13}),
    ),
    Seed(
        "ids.sensor",
        "comments stand before its rules",
        make="sed -i '1i # of the portal' /var/lib/suricata/rules/suricata.rules",
        undo="sed -i 1d /var/lib/suricata/rules/suricata.rules",
        on="web2",
        releases=frozenset({13}),
    ),
)
