"""Memory in pieces of a megabyte, given back and taken again all the time."""

from __future__ import annotations

_REUSED_BYTES = 31 << 20
"""Just below what glibc takes for the largest block that is worth keeping (mallopt(3), M_MMAP_THRESHOLD)."""


def keep_freed_memory() -> None:
    """Have the C library keep freed blocks of a megabyte, instead of asking the kernel for zeroed pages for each one.

    glibc learns from the largest block that was given back; other C libraries are left as they are. Nothing is touched.
    Without it decompressing takes 40 % longer.
    """
    bytes(_REUSED_BYTES)
