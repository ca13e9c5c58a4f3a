"""The rules that the next start would load, as the kernel would hold them: loaded into an empty network namespace and listed there.

The host's own network is not touched: unshare(1) gives the loaders a network of their own, which is gone when they end. Devices of
the host are made there as dummies, since rules may name them. For that the kernel may load its module dummy or veth, which stays
loaded on the host. Needs root.

Sources: nft(8), the unit nftables.service of Debian and RHEL (its file stands in ExecStart), iptables-restore(8) with the files
of netfilter-persistent.

    nftables /etc/nftables.conf
    nftables rc=0
    rules
    {"nftables": [{"metainfo": {"version": "1.1.3", "release_name": "Commodore Bullmoose #4", "json_schema_version": 1}}]}
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.probes import nft
from checks.servers.redaction import JSON
from checks.servers.ruleset import Ruleset
from portalops.model.message import msg

_SCRIPT = r"""
command -v nft >/dev/null && command -v systemctl >/dev/null && command -v unshare >/dev/null || exit 127
unshare -n sh -c '
for I in /sys/class/net/*; do I=${I##*/}; [ "$I" = lo ] || { ip link add "$I" type dummy || ip link add "$I" type veth; } 2>/dev/null; done
if systemctl is-enabled -q nftables.service 2>/dev/null; then
  X=$(systemctl show -p ExecStartPre -p ExecStart -p ExecStartPost nftables.service 2>/dev/null)
  F=$(printf "%s\n" "$X" | sed -n "s/^ExecStart={ path=[^ ]*\/nft ;.* -f \([^ ;]*\) .*/\1/p" | head -n 1)
  [ -n "$X" ] || F=/etc/nftables.conf
  [ "$(printf "%s\n" "$X" | grep -c "argv")" -le 1 ] || echo "other commands"
  if [ -n "$F" ]; then echo "nftables $F"; nft -f "$F"; echo "nftables rc=$?"; else echo "other commands"; fi
fi
if systemctl is-enabled -q netfilter-persistent.service 2>/dev/null; then
  for V in 4 6; do
    echo "iptables /etc/iptables/rules.v$V"
    [ "$V" = 4 ] && R=iptables-restore || R=ip6tables-restore
    $R </etc/iptables/rules.v$V; echo "iptables rc=$?"
  done
fi
echo rules
nft -j list ruleset
'
"""
_LOADER = re.compile(r"(nftables|iptables) (/\S+)$")
_CODE = re.compile(r"(?:nftables|iptables) rc=(\d{1,3})$")


@dataclass(frozen=True, slots=True)
class SavedRules:
    """What the next start loads."""

    files: tuple[str, ...]
    """Of the services that are enabled."""
    refused: tuple[str, ...]
    """Those of them that do not load."""
    complaint: str
    """What the loaders said."""
    ruleset: Ruleset
    """All that loads, together."""
    has_other_commands: bool = False
    """The unit of nftables starts more than the one command that loads its file, or another one."""

    @property
    def lacks_device(self) -> bool:
        """Say whether a file may have been refused only since a device of the host is not in the empty network."""
        return "nterface does not exist" in self.complaint


def parse(output: Output) -> SavedRules:
    """Read what was loaded, and the rules as nft lists them."""
    head, found, rules = ("\n" + output.text.replace("\r\n", "\n")).partition("\nrules\n")
    if not found:
        raise Unparseable(msg("the rules that the next start loads could not be listed"))
    files, refused = [], []
    for line in head.splitlines():
        if match := _LOADER.match(line):
            files.append(match[2])
        elif (code := _CODE.match(line)) and code[1] != "0" and files:
            refused.append(files[-1])
    ruleset = nft.parse(Output(0, rules, ""))
    has_others = "other commands" in head.splitlines()
    return SavedRules(tuple(files), tuple(refused), shown(output.errors, 200), ruleset, has_others)


PROBE = Probe("firewall.saved", ("sh", "-c", _SCRIPT), parse, needs_root=True, limit_bytes=4 << 20, form=JSON)
