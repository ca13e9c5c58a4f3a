"""What keepalived is told to do: its configuration, with passwords masked on the host. Needs root.

Source: keepalived.conf(5). The lines of keepalived's own JSON dump would be written to a file, so it isn't asked for.

    vrrp_instance PORTAL {
        virtual_router_id 51
        priority 150
        track_script { nginx }
    }
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v keepalived >/dev/null || exit 127
for f in /etc/keepalived/keepalived.conf /etc/keepalived/conf.d/*.conf; do
  [ -e "$f" ] || continue
  sed -e 's/\(auth_pass\|password\|md5_auth\).*/\1 "****"/' "$f" || exit $?
  echo
done
echo '# end'
"""
_WORD = re.compile(r'"[^"\n]*"|[{}]|[^\s{}"]+')
_READ = "/etc/keepalived/conf.d/*.conf"


@dataclass(frozen=True, slots=True)
class VrrpInstance:
    """One `vrrp_instance`."""

    name: str
    router_id: int
    priority: int
    addresses: tuple[str, ...]
    """Virtual addresses, without prefix length."""
    is_tracking: bool
    """A script, process or file lets it give up the address; a device alone says nothing of the service."""
    gives_way_by: int | None = None
    """By how much what it tracks lowers its priority at most; None where a fault lets it give up at once."""


def parse(output: Output) -> tuple[VrrpInstance, ...]:
    """Read every instance; other blocks are passed over."""
    lines = output.lines()
    if not lines or lines[-1].strip() != "# end":
        raise Unparseable(msg("keepalived's configuration is cut short"))
    words = [word for line in lines for word in _WORD.findall(re.sub(r"(^|\s)[#!].*$", "", line))]
    for word, following in pairwise(words):
        if word == "include" and following != _READ:
            raise Unparseable(msg("keepalived's configuration includes files that are not read"), reason="includes")
    if odd := next((word for word in words if word.startswith(("@", "$", "~"))), ""):
        said = msg("keepalived's configuration depends on what is not read: {word}", word=shown(odd, 40))
        raise Unparseable(said, reason="includes")
    weights = _weights(words)
    blocks = iter(words)
    found = []
    try:
        for word in blocks:
            if word == "vrrp_instance":
                name = next(blocks)
                if next(blocks) != "{":
                    raise Unparseable(msg("keepalived's configuration cannot be parsed"))
                found.append(_instance(name, _block(blocks), weights))
    except (StopIteration, ValueError, IndexError, RuntimeError) as error:
        raise Unparseable(msg("keepalived's configuration cannot be parsed")) from error
    return tuple(found)


def _block(words: Iterator[str]) -> list[str]:
    """Return the words up to the bracket that closes."""
    depth = 1
    found: list[str] = []
    while True:
        word = next(words)
        depth += {"{": 1, "}": -1}.get(word, 0)
        if depth == 0:
            return found
        found.append(word)


def _weights(words: list[str]) -> dict[str, int]:
    """Return the weight of each script, process and file that can be tracked; zero is a fault at once."""
    found = {}
    for at, word in enumerate(words):
        if word in {"vrrp_script", "vrrp_track_process", "vrrp_track_file", "track_file"} and words[
            at + 2 : at + 3
        ] == ["{"]:
            inner = _block(iter(words[at + 3 :]))
            found[words[at + 1]] = int(inner[inner.index("weight") + 1]) if "weight" in inner else 0
    return found


def _instance(name: str, words: list[str], weights: dict[str, int]) -> VrrpInstance:
    addresses: list[str] = []
    for block in ("virtual_ipaddress", "virtual_ipaddress_excluded"):
        if block in words:
            inner = _block(iter(words[words.index(block) + 2 :]))
            addresses += [word.partition("/")[0] for word in inner if word[0].isdigit() or ":" in word]
    priority = int(words[words.index("priority") + 1]) if "priority" in words else 100
    router_id = int(words[words.index("virtual_router_id") + 1])
    tracking = any(word in words for word in ("track_script", "track_process", "track_file", "track_bfd"))
    tracked: list[int] = []
    for kind in ("track_script", "track_process", "track_file"):
        inner = _block(iter(words[words.index(kind) + 2 :])) if kind in words else []
        for at, word in enumerate(inner):
            if word in weights:
                tracked.append(int(inner[at + 2]) if inner[at + 1 : at + 2] == ["weight"] else weights[word])
    lowers = None if not tracked or 0 in tracked else max(map(abs, tracked))
    return VrrpInstance(name, router_id, priority, tuple(addresses), tracking, lowers)


PROBE = Probe("ha.keepalived", ("sh", "-c", _SCRIPT), parse, needs_root=True)
