"""Which machine it is, where it stands, and who steers it."""

from tests.checks.servers.matrix import Fault, Seed

FAULTS = (
    Fault(
        "inventory.identity",
        "other-machine",
        good="[ ! -e /root/machine-id ] || cp /root/machine-id /etc/machine-id",
        bad="cp /etc/machine-id /root/machine-id; echo 0123456789abcdef0123456789abcdef >/etc/machine-id",
        gone="echo uninitialized >/etc/machine-id",
        unknown="unparseable",
        on="web2",
    ),
    Fault(
        "inventory.addresses",
        "address-outside",
        good="ip address del 203.0.113.9/24 dev host0 || true",
        bad="ip address add 203.0.113.9/24 dev host0",
        gone="rm -f $(command -v ip) /bin/ip",
        unknown="command-missing",
        declared={"address_ranges": ["$NETWORK"]},
    ),
    Fault(
        "inventory.hosting",
        "other-ground",
        gone="rm -f $(command -v systemd-detect-virt)",
        unknown="command-missing",
        declared_bad={"hosting": {"vendor": "Dell Inc.", "virtualization": "none"}},
    ),
    Fault(
        "inventory.remote-control",
        "remote-control",
        good="systemctl stop portal-tunnel || true; rm -f /opt/frpc",
        bad="cp /bin/sleep /opt/frpc; systemd-run --unit=portal-tunnel /opt/frpc 1d",
        gone="mount -o remount,hidepid=2 /proc",
        unknown="processes-hidden",
    ),
)
SEEDS = (
    Seed(
        "inventory.addresses",
        "a route makes a whole network the host's own",
        make="ip route add local 203.0.113.128/25 dev lo",
        undo="ip route del local 203.0.113.128/25 dev lo",
        fails="address-outside",
    ),
    Seed(
        "inventory.addresses",
        "an address of the declared network more",
        make="ip address add $ADDRESS/32 dev lo",
        undo="ip address del $ADDRESS/32 dev lo",
    ),
)
