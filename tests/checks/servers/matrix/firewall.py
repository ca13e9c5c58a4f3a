"""nftables in the host's own network, and what listens there."""

from tests.checks.servers.matrix import Fault, Seed
from tests.checks.servers.matrix.ha import COLLECTS

_RULES = r"""
cat >/etc/nftables.conf <<END
#!/usr/sbin/nft -f
flush ruleset
table inet filter {
  chain input {
    type filter hook input priority 0; policy drop;
    ct state established,related accept
    iif lo accept
    ip saddr { $ADDRESS, $PEER } accept
    meta l4proto icmp accept
    tcp dport 22 accept
    meta l4proto tcp reject with tcp reset
  }
}
END
systemctl reset-failed nftables 2>/dev/null; systemctl restart nftables
"""
_FOUR_ONLY = r"""
nft -f - <<END
flush ruleset
table ip filter {
  chain input {
    type filter hook input priority 0; policy drop;
    ct state established,related accept
    iif lo accept
    ip saddr { $ADDRESS, $PEER } accept
    tcp dport { 22, 8443 } accept
    meta l4proto tcp reject with tcp reset
  }
}
END
"""
FAULTS = (
    Fault(
        "firewall.active",
        "no-input-rules",
        good=_RULES,
        bad="nft flush ruleset",
        gone="rm -f $(command -v nft)",
        unknown="command-missing",
    ),
    Fault(
        "firewall.default-deny",
        "open-by-default",
        good=_RULES,
        bad=_FOUR_ONLY,
        gone="rm -f $(command -v nft)",
        unknown="command-missing",
        on="web2",
    ),
    Fault(
        "firewall.persistent",
        "not-persistent",
        good="systemctl enable nftables" + _RULES,
        bad="systemctl disable nftables",
        gone="rm -f $(command -v systemctl)",
        unknown="command-missing",
    ),
    Fault(
        "firewall.listeners",
        "undeclared-listener",
        good="systemctl stop portal-extra || true" + COLLECTS,
        bad="systemd-run --unit=portal-extra systemd-socket-activate --accept -l 0.0.0.0:8080 /bin/cat",
        gone="rm -f $(command -v ss)",
        unknown="command-missing",
        declared={"listeners": ["tcp/22", "tcp/514"]},
    ),
    Fault(
        "firewall.outside-view",
        "port-open-to-world",
        bad="true",  # the listener above, where the filter is gone
        declared={"public_ports": [22], "public_addresses": ["$ADDRESS"]},
    ),
    Fault(
        "firewall.admin-restricted",
        "admin-port-open",
        good="systemctl stop portal-admin || true",
        bad="systemd-run --unit=portal-admin systemd-socket-activate --accept -l 0.0.0.0:8443 /bin/cat",
        declared={
            "public_ports": [22],
            "public_addresses": ["$ADDRESS"],
            "admin_ports": [3306, 8443],
            "admin_ranges": ["$ADDRESS/32", "$PEER/32"],
        },
        on="web2",
    ),
)

_LIVE = """
nft -f - <<END
flush ruleset
table inet filter {{
  chain input {{
    type filter hook input priority 0; policy {policy};
    ct state established,related accept
    iif lo accept
    ip saddr {{ $ADDRESS, $PEER }} accept
    meta l4proto icmp accept
    {rules}
    tcp dport 22 accept
    meta l4proto tcp reject with tcp reset
  }}
}}
END
"""
_SAVED = "\nsystemctl enable nftables" + _RULES
_FILE = "cat >/etc/nftables.conf <<END\n{rules}\nEND\n"
_FOUR_AT_START = _FOUR_ONLY.replace("nft -f - <<END", "cat >/etc/nftables.conf <<END")
SEEDS = (
    Seed(
        "firewall.listeners",
        "each program loads a library that no package brings",
        make="cp -L /usr/lib/*/libz.so.1 /usr/local/lib/portal.so; echo /usr/local/lib/portal.so >/etc/ld.so.preload",
        undo="rm -f /etc/ld.so.preload /usr/local/lib/portal.so",
        unknown="preloaded",
    ),
    Seed(
        "firewall.listeners",
        "each program loads a library of a package",
        make="ls /usr/lib/*/libz.so.1 | head -n 1 >/etc/ld.so.preload",
        undo="rm -f /etc/ld.so.preload",
    ),
    Seed(
        "firewall.default-deny",
        "one packet lets its sender in everywhere",
        make="nft add set inet filter ok '{ type ipv4_addr; flags dynamic,timeout; timeout 1h; }';"
        " nft insert rule inet filter input udp dport 999 add @ok '{ ip saddr }'; nft insert rule inet filter input ip saddr @ok accept",
        undo=_RULES,
        unknown="rules-unclear",
    ),
    Seed(
        "firewall.persistent",
        "an empty file is loaded, live rules guard",
        make=_FILE.format(rules="flush ruleset"),
        undo=_SAVED,
        fails="opens-at-start",
    ),
    Seed(
        "firewall.persistent",
        "the file guards IPv4 alone",
        make=_FOUR_AT_START,
        undo=_SAVED,
        fails="opens-at-start",
    ),
    Seed(
        "firewall.persistent",
        "the file has a mistake",
        make="echo 'chain nowhere {' >>/etc/nftables.conf",
        undo=_SAVED,
        fails="saved-refused",
    ),
    *(
        Seed(
            "firewall.persistent",
            name,
            make=f"""
install -d /etc/systemd/system/nftables.service.d
printf '[Service]\\n{lines}\\n' >/etc/systemd/system/nftables.service.d/portal.conf
systemctl daemon-reload
""",
            undo="rm -rf /etc/systemd/system/nftables.service.d; systemctl daemon-reload",
            fails=fails,
            unknown=unknown,
        )
        for name, lines, fails, unknown in (
            ("a program that does nothing", "ExecStart=\\nExecStart=/bin/true", "", "other-commands"),
            ("what is loaded is flushed", "ExecStartPost=/usr/sbin/nft flush ruleset", "", "other-commands"),
            ("it is loaded into a network of its own", "PrivateNetwork=yes", "", "unit-confined"),
            (
                "another file is laid over the one that it loads",
                "BindReadOnlyPaths=/etc/hostname:/etc/nftables.conf",
                "",
                "unit-confined",
            ),
            ("it requires what is not there", "[Unit]\\nRequires=nosuch.service", "lacks-unit", ""),
            ("it starts on a condition", "[Unit]\\nConditionPathExists=/nosuch", "", "unit-confined"),
            (
                "it only checks the file",
                "ExecStart=\\nExecStart=/usr/sbin/nft -c -f /etc/nftables.conf",
                "opens-at-start",
                "",
            ),
            ("it is limited and protected", "PrivateTmp=yes\\nNice=5\\nProtectKernelModules=yes", "", ""),
        )
    ),
    *(
        Seed(
            "firewall.persistent",
            name,
            make=f"""
printf '#!/bin/sh\\nnft flush ruleset\\n' >/usr/local/sbin/portal-tune; chmod 700 /usr/local/sbin/portal-tune
printf '[Unit]\\n{order}=nftables.service\\n[Service]\\nType=oneshot\\nExecStart=/usr/local/sbin/portal-tune\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/portal-tune.service
systemctl daemon-reload; systemctl enable -q portal-tune
""",
            undo="systemctl disable -q portal-tune; rm -f /etc/systemd/system/portal-tune.service /usr/local/sbin/portal-tune; systemctl daemon-reload",
            unknown=unknown,
        )
        for name, order, unknown in (
            ("another unit flushes the rules after they are loaded", "After", "others-change-rules"),
            ("another unit flushes what was there before they are loaded", "Before", ""),
        )
    ),
    Seed(
        "firewall.persistent",
        "a unit stops the firewall after its start",
        make="""
printf '[Unit]\\nAfter=nftables.service\\n[Service]\\nType=oneshot\\nExecStart=-+/usr/bin/systemctl stop nftables\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/portal-tune.service
systemctl daemon-reload; systemctl enable -q portal-tune
""",
        undo="systemctl disable -q portal-tune; rm -f /etc/systemd/system/portal-tune.service; systemctl daemon-reload",
        unknown="others-change-rules",
    ),
    *(
        Seed("firewall.persistent", name, make=make, undo=_SAVED, fails=fails)
        for name, make, fails in (
            (
                "the file opens a port more, and is not loaded yet",
                "sed -i 's/tcp dport 22 accept/tcp dport { 22, 6379 } accept/' /etc/nftables.conf",
                "admits-more-at-start",
            ),
            (
                "the live rules let fewer in to a port",
                "nft flush chain inet filter input; nft add rule inet filter input ip saddr $NETWORK tcp dport 22 accept; nft add rule inet filter input ct state established accept",
                "admits-more-at-start",
            ),
            ("an address is banned now", "nft insert rule inet filter input ip saddr 203.0.113.5 drop", ""),
            ("the file lets in less", "sed -i '/tcp dport 22 accept/d' /etc/nftables.conf", ""),
        )
    ),
    Seed(
        "firewall.persistent",
        "a file in memory is included",
        make="install -d /run/portal; echo >/run/portal/more.nft; echo 'include \"/run/portal/*.nft\"' >>/etc/nftables.conf",
        undo="rm -rf /run/portal" + _SAVED,
        unknown="files-fleeting",
    ),
    Seed(
        "firewall.persistent",
        "the host starts into another target",
        make="systemctl set-default -q emergency.target",
        undo="systemctl set-default -q graphical.target",
        unknown="other-target",
    ),
    Seed(
        "firewall.persistent",
        "another file, whose unit's own command names it",
        make="""
mv /etc/nftables.conf /etc/portal.nft; install -d /etc/systemd/system/nftables.service.d
printf '[Service]\\nExecStart=\\nExecStart=/usr/sbin/nft -f /etc/portal.nft\\n' >/etc/systemd/system/nftables.service.d/portal.conf
systemctl daemon-reload
""",
        undo="rm -rf /etc/systemd/system/nftables.service.d /etc/portal.nft; systemctl daemon-reload" + _SAVED,
    ),
    Seed(
        "firewall.active",
        "rules count and refuse nobody",
        make=_LIVE.format(policy="accept", rules="counter").replace("meta l4proto tcp reject with tcp reset", ""),
        undo=_RULES,
        fails="filters-nothing",
    ),
    Seed(
        "firewall.active",
        "fail2ban's rules are all that there are",
        make="""
nft -f - <<END
flush ruleset
table inet f2b-table {
  set addr-set-sshd { type ipv4_addr; elements = { 203.0.113.9 }; }
  chain f2b-chain {
    type filter hook input priority filter - 1; policy accept;
    tcp dport 22 ip saddr @addr-set-sshd reject
  }
}
END
""",
        undo=_RULES,
        fails="filters-nothing",
    ),
    Seed(
        "firewall.active",
        "an earlier table accepts everything",
        make="nft 'table inet early { chain input { type filter hook input priority -200; policy accept; accept; }; }'",
        undo=_RULES,
    ),
    *(
        Seed(
            "firewall.default-deny",
            name,
            make=_LIVE.format(policy="drop", rules=rules),
            undo=_RULES,
            fails="open-by-default",
            on="web2",
        )
        for name, rules in (
            ("two rules let in the halves of the Internet", "ip saddr 0.0.0.0/1 accept\nip saddr 128.0.0.0/1 accept"),
            ("a half of the Internet is let in", "ip saddr 128.0.0.0/1 accept"),
            ("all but one address is let in", "ip saddr != 203.0.113.9 accept"),
            ("half of IPv6 is let in", "ip6 saddr 2000::/4 accept"),
            ("two rules let in the halves of the ports", "tcp dport 1-32767 accept\ntcp dport 32768-65535 accept"),
            ("all ports but 23 are let in", "tcp dport { 1-22, 24-65535 } accept"),
        )
    ),
    *(
        Seed(
            "firewall.default-deny",
            name,
            make=_LIVE.format(policy=policy, rules=rules),
            undo=_RULES,
            on="web2",
        )
        for name, policy, rules in (
            (
                "own networks are let in",
                "drop",
                "ip saddr { 10.0.0.0/8, 198.18.0.0/15 } accept\nip6 saddr fc00::/7 accept",
            ),
            ("ports of passive FTP are let in", "drop", "tcp dport 40000-50000 accept"),
            (
                "all but own networks are refused",
                "accept",
                "tcp dport 22 accept\nip saddr != 198.18.0.0/15 drop\nmeta nfproto ipv6 drop",
            ),
        )
    ),
    Seed(
        "firewall.admin-restricted",
        "the other half of the Internet reaches the port",
        make=_LIVE.format(policy="drop", rules="ip saddr 1.0.0.0/8 tcp dport 8443 accept"),
        undo=_RULES,
        fails="rules-let-strangers-in",
        on="web2",
    ),
    Seed(
        "firewall.admin-restricted",
        "an earlier table accepts what this one refuses",
        make="nft 'table inet early { chain input { type filter hook input priority -200; policy accept; tcp dport 8443 accept; }; }'",
        undo=_RULES,
        on="web2",
    ),
    Seed(
        "firewall.listeners",
        "the declared number, of UDP",
        make="systemd-run --unit=portal-udp socat UDP4-RECVFROM:22,fork SYSTEM:true; sleep 1",
        undo="systemctl stop portal-udp",
        fails="undeclared-listener",
    ),
    Seed(
        "firewall.listeners",
        "IPv6 alone",
        make="systemd-run --unit=portal-six socat TCP6-LISTEN:3306,ipv6only=1,fork SYSTEM:true; sleep 1",
        undo="systemctl stop portal-six",
        fails="undeclared-listener",
    ),
    Seed(
        "firewall.listeners",
        "UDP-Lite",
        make="systemd-run --unit=portal-lite python3 -c 'import socket, time; s = socket.socket(2, 2, 136); s.bind((\"0.0.0.0\", 5555)); time.sleep(999)'; sleep 1",
        undo="systemctl stop portal-lite",
        unknown="other-protocols",
    ),
    Seed(
        "firewall.listeners",
        "a raw socket for ICMP",
        make="systemd-run --unit=portal-raw python3 -c 'import socket, time; s = socket.socket(2, 3, 1); time.sleep(999)'; sleep 1",
        undo="systemctl stop portal-raw",
    ),
    Seed(
        "firewall.listeners",
        "loopback alone",
        make="systemd-run --unit=portal-lo socat TCP4-LISTEN:3306,bind=127.0.0.1,fork SYSTEM:true; sleep 1",
        undo="systemctl stop portal-lo",
    ),
)
