"""Who sent a mail by all that it says of itself: its address, the name before that, and where answers go. Pure.

A clerk writes from another address than the unit's own, and a mailing list puts its own address in front of the unit's name. Anybody can
write such a name. So it makes a mail nobody's for certain, and says only whose it may be. One clerk may send for two offices: another unit's name beside
a known address leaves it open between both. What a mail of an unknown address says in passing, in its subject or as a signature, makes it nobody's either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from checks.updates.authors import BESIDE
from checks.updates.text import clean_line, fold

MAX_BESIDE = 120
"""Characters of a name beside an address that are kept."""
_SENDER = re.compile(r"(\S+@\S+)((?: ‹[^‹›]*›)*)((?: «[^«»]*»)*)")
_SET_APART = re.compile(f"[‹›«»↑{BESIDE.strip()}]")
"""What joins names into one."""


def named_sender(address: str, beside: Iterable[str], mentioned: Iterable[str] = ()) -> str:
    """Return an address with the names beside it and what the mail mentions, as all are kept; the address alone where they say nothing more.

    >>> named_sender("hoa.nt@gmail.com", ["UBND xã Diên An", "", "hoa.nt@gmail.com"], ["Sở Y tế"])
    'hoa.nt@gmail.com ‹UBND xã Diên An› «Sở Y tế»'
    """
    own, said = (
        dict.fromkeys(name for name in map(_cleaned, names) if name and fold(name) != fold(address))
        for names in (beside, mentioned)
    )
    return "".join((address, *(f" ‹{name}›" for name in own), *(f" «{name}»" for name in said))) if address else ""


def _cleaned(name: str) -> str:
    return clean_line(_SET_APART.sub(" ", name), limit=MAX_BESIDE).strip()


def sender_address(name: str) -> str:
    """Return the address alone of a mail's sender; any other name as it stands.

    >>> sender_address("hoa.nt@gmail.com ‹UBND xã Diên An›"), sender_address("Sở Y tế")
    ('hoa.nt@gmail.com', 'Sở Y tế')
    """
    found = _SENDER.fullmatch(name)
    return found[1] if found else name


def names_beside(name: str) -> tuple[str, ...]:
    """Return the names beside the address of a mail's sender; none for any other name.

    >>> names_beside("bbt@tinh.example ‹UBND xã Diên An qua Ban biên tập› ‹vanthu@dienan.example›")
    ('UBND xã Diên An qua Ban biên tập', 'vanthu@dienan.example')
    """
    found = _SENDER.fullmatch(name)
    return tuple(found[2][2:-1].split("› ‹")) if found and found[2] else ()


def names_mentioned(name: str) -> tuple[str, ...]:
    """Return what a mail mentions that may be an agency's name, by the name of its sender; none for any other name.

    >>> names_mentioned("hoa.nt@gmail.com ‹Hoa› «UBND xã Diên An» «vanthu@dienan.example»")
    ('UBND xã Diên An', 'vanthu@dienan.example')
    """
    found = _SENDER.fullmatch(name)
    return tuple(found[3][2:-1].split("» «")) if found and found[3] else ()


def without_mentions(name: str) -> str:
    """Return the name of a mail's sender without what the mail mentions, as people read it; any other name as it stands.

    >>> without_mentions("hoa.nt@gmail.com ‹Hoa› «UBND xã Diên An»"), without_mentions("Sở Y tế")
    ('hoa.nt@gmail.com ‹Hoa›', 'Sở Y tế')
    """
    found = _SENDER.fullmatch(name)
    return f"{found[1]}{found[2]}" if found else name
