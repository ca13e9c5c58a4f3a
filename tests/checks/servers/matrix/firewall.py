"""nftables in the host's own network, and what listens there."""

from tests.checks.servers.matrix import Fault, Seed

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
systemctl restart nftables
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
        good="systemctl enable nftables",
        bad="systemctl disable nftables",
        gone="rm -f $(command -v systemctl)",
        unknown="command-missing",
    ),
    Fault(
        "firewall.listeners",
        "undeclared-listener",
        good="systemctl stop portal-extra || true",
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

_SAVED = "\nsystemctl enable nftables" + _RULES
_FILE = "cat >/etc/nftables.conf <<END\n{rules}\nEND\n"
_FOUR_AT_START = _FOUR_ONLY.replace("nft -f - <<END", "cat >/etc/nftables.conf <<END")
SEEDS = (
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
)
