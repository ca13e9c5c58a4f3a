"""Which characters there are, for texts of records: the assigned code points of one version of Unicode, whatever this Python's is.

A code point that this version does not have might be composed with others by a later one (UAX #15): then some readers
would find a text to be in the form NFC and others not. So no record is written with one. What is assigned keeps its composition for good
(Unicode, Normalization Stability Policy). The version is that of the oldest Python that `verify.py` runs on, 3.8; PostgreSQL 13
and newer have it too.
"""

from __future__ import annotations

import re
from functools import cache

UNICODE_VERSION = "12.1"
"""The version that docs/ledger-format.md names."""


def find_unassigned(text: str) -> str | None:
    """Return the first character of a text that the version does not have; None if it has all of them."""
    found = _unassigned().search(text)
    return found.group() if found else None


@cache
def _unassigned() -> re.Pattern[str]:
    ranges: list[str] = []
    end = 0
    for step in _UNASSIGNED.split():
        gap, _comma, more = step.partition(",")
        first = end + int(gap, 16)
        end = first + int(more or "0", 16)
        ranges.append(f"\\U{first:08x}-\\U{end:08x}")
    return re.compile(f"[{''.join(ranges)}]")


_UNASSIGNED = """
378,1 7,3 8 2 15 18e 27,1 33,1 4 38,7 1c,3 7,a 1e f1 3d,1 66,d 3c,1 32,1 10 1d,1 2 c,34 16 9,14 b2 9,1 3,1 17 8
2,2 5,1 a,1 3,1 5,7 2,3 3 6,1 1a,1 4 7,3 3,1 17 8 3 3 3,1 2 6,3 3,1 4,2 2,6 5 2,6 12,9 4 a 4 17 8 3 6,1 b 4 4,1
2,e 5,1 d,6 8 4 9,1 3,1 17 8 3 6,1 a,1 3,1 4,7 3,3 3 6,1 13,9 3 7,2 4 5,2 3 2 3,2 3,2 4,2 d,3 6,2 4 5,1 2,5 2,d
16,4 e 4 18 11,2 9 4 5,6 3 4,4 5,1 b,6 17 4 18 b 6,1 a 4 5,6 3,6 2 5,1 b 3,c 5 9 4 34 4 7,3 11,1 1b,1 3 13,2 19
a 2,1 8,2 2,3 7 2 9,5 b,1 4,b 3b,3 1e,24 3 2 6 19 2 18,1 6 2 7,1 b,1 5,1f 49 25,3 28 25 10 e,24 c7 2,4 2,1 17a
5,1 8 2 5,1 2a 5,1 22 5,1 8 2 5,1 10 3a 5,1 44,1 21,2 1b,5 57,1 7,1 29e,2 5a,6 e 8,a 18,8 15,b e 4 3,b 5f,1 b,5
b,5 10 b,5 5a,6 2c,4 47,9 20 d,3 d,3 2,2 2b,1 6,a 2d,3 1b,5 c,2 3f,1 42 1e,1 c,5 b,5 f,1 10,40 4d,3 2e,2 75,7
3d,2 10,2 3d,6 2c,1 c,7 2c,4 fb 11c,1 7,1 27,1 7,1 9 2 2 2 20,1 36 10 f,1 7 14,1 4 a 66 d,1 1c e,2 21,f 22,e
8d,3 298,18 c,14 715,1 21,1 98 30 95,4 2e 2,4 2,1 39,6 3,d 19,8 8 8 8 8 8 8 8 8 71,2f 1b 5a,b d7,19 d,3 41 57,1
68,4 2c 5f 2c,4 25,b 30 1b97,9 5231,f 48e,2 38,8 15d,13 b9,7 c1,1 6,2f 36,3 b,5 39,7 47,7 d,5 75,a 1f,2 4f c,3
22 38,8 f,1 b,1 68,17 1d,9 7,1 7,1 7,8 8 8 39,7 7f,1 b,5 2ba5,b 18,3 32,3 226f,1 6b,25 8,b 6,4 1b 6 2 3 3 7d,10
16e,f 41,1 37,27 f,1 1b,5 34 14 5,3 6 88,1 2 bf,2 7,1 7,1 7,1 4,2 8 8,9 6,1 d 1b 14 3 10,1 f,21 7c,4 4,3 2e,2 59
d,3 2,2e 2f,81 1e,2 32,e 1d,3 25,8 1f,4 2c,4 1f 26,3 f,29 9f,1 b,5 25,3 25,3 29,7 35,a 2,8f 138,8 17,9 9,97 7,1
2 2d 3,2 2,1 18 49,7 a,2f 14 3,4 22,2 1c,4 2,3f 39,3 15,1 33 3,4 9 4 1e,1 4,3 b,6 a,6 41,1f 28,3 d,8 37,2 1e,1
1c,4 1b,6 5,b 8,4f 4a,36 34,c 34,6 2f,7 b,125 20,80 29,7 2b,85 18,8 4f,3 1f,e 44,a 2,1 1a,6 b,5 36 12,8 28,8
4f,1 11 15,a 13 2d,40 8 2 5 10 c,5 3c,4 b,5 5 9,1 3,1 17 8 3 6 b,1 3,1 4,1 2,5 2,4 8,1 8,2 6,8a 5b 2 4,1f 49,7
b,a5 37,1 27,21 46,a b,5 e,12 3a,6 b,35 1c,1 10,3 11,bf 3d,63 54,b 2,9f 9,1 2f,1 c,1a 49,7 54,1c 3a,106 a 2e f,9
1e,2 21,1 17 f,48 8 3 2d,2 2 3 a,7 b,5 7 3 26 3 7,6 b,135 1a,c6 33,c 39c,65 70 6,a c5,abb 430 a,fc6 248,21b8
23a,6 20 b,3 3,5f 1f,1 7,9 47,9 b 8 16,4 14,2af 5c,64 4c,3 3a,6 12,3f 5,1b 17f9,7 2f4,250c 120,30 4,10 5,7
18d,903 6c,4 e,2 a,6 b,1 9,135b f7,9 28,1 c1,16 47,99 15,b 58,8 1a,86 56 48 3,1 2,1 3,1 5 d 2 8 42 5,1 9 8 1d 5
6 2,2 8 155,1 125,1 2bf,e 6 10,54f 8 12,1 8 3 6,d4 2e,2 f,1 b,3 3,16f 3b,4 2,4ff c6,1 11,28 4d,3 b,3 3,310 45,4b
3e,c1 5 1c 3 2,1 2 b 5 2 2,5 2,3 2 2 2 4 3 2,1 2 2 2 2 2 3 2,1 5 8 5 5 2 b 12,4 4 6 12,33 3,10d 2d,3 65,b 10,1
10 10 26,9 e,2 5e,2 3e,38 1e,c 2d,3 a,6 3,d 7,99 3d7,9 e,2 c,4 75,b 5a,6 d,13 d,3 39,7 b,5 29,7 1f,51 d 66 5,2
2a,1 7,2 1e,1 88,b f,1 5,3 4,4 4,c 7,569 a6d8,28 1036,a df,1 1683,d 1d32,c1e 21f,b05e2 2,1d 61,7f f1,fe0f ffff,1
ffff,1
"""
"""Ranges of code points of general category Cn (DerivedGeneralCategory.txt 12.1.0), in hexadecimal: how far each begins behind the end
of the one before, and how many more code points follow its first."""
