"""How reachable the host's pages were in the last 30 days, counted from the samples that the ledger holds.

No command runs for it: the counts join the host's answer when it is received, with the numbers of the records behind them.

    {"days":30,"minutes":5,"pages":{"https%3A//portal.example.vn/":[8640,8633,7]},"records":[12,1790],"state":"seen"}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from checks.servers.outside.section import LIMIT_BYTES, opened, out_of_form
from checks.servers.probe import Output, Probe

DAYS = 30


@dataclass(frozen=True, slots=True)
class PageReached:
    """One page: spans of the period, and in how many it was up and down."""

    spans: int
    up: int
    down: int

    @property
    def observed(self) -> int:
        """Return in how many spans it was looked at."""
        return self.up + self.down


def parse(output: Output) -> Mapping[str, PageReached]:
    """Read the counts by page."""
    held = opened(output)
    try:
        found = {unquote(url): PageReached(*(int(each) for each in counts)) for url, counts in held["pages"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise out_of_form() from error
    if any(
        min(each.spans, each.up, each.down) < 0 or each.observed > each.spans + 1 or not each.spans
        for each in found.values()
    ):
        raise out_of_form()
    return found


PROBE = Probe("availability", (), parse, limit_bytes=LIMIT_BYTES)
