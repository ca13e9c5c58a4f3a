"""One row of a bundle: one vulnerability of one package, in one span of its versions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class VersionSpan:
    """Which versions are vulnerable: from `introduced` on, before `fixed`, up to `last`."""

    introduced: str
    """Empty: from the first one on."""
    fixed: str
    """The first version with the fix; empty where there is none."""
    last: str
    """The last vulnerable version, where only that is known; else empty."""
    module: str
    """The module stream of RHEL or AlmaLinux that it is about, `nodejs:20`; `*` for one that is not named; else empty."""


@dataclass(frozen=True, slots=True)
class Row:
    """One vulnerability of one package."""

    vulnerability: str
    """The CVE, or the record's own id where it has none."""
    span: VersionSpan
    records: tuple[str, ...]
    """Ids of the makers' records that say so, sorted."""
    severity: str
    """`critical`, `high`, `medium`, `low`, or empty where nobody rated it."""
    since: str
    """The day on which the advisory with the fix came out, or else on which it became known; `2026-11-25` or empty."""
    due: str
    """The day on which CISA wants it fixed, since it is exploited; empty where it is not in that list."""
    is_ransom: bool
    """CISA knows of ransomware that uses it."""
    epss: int
    """Probability of exploitation within 30 days, in ten thousandths; 0 where it is not known. It orders, and decides nothing."""
    note: str
    """`no-dsa` where Debian makes no security update of its own for it; `unimportant` where it deems it harmless; else empty."""

    def as_list(self) -> list[object]:
        """Return it as it stands in a bundle."""
        span = self.span
        return [
            self.vulnerability,
            span.introduced,
            span.fixed,
            span.last,
            span.module,
            list(self.records),
            self.severity,
            self.since,
            self.due,
            int(self.is_ransom),
            self.epss,
            self.note,
        ]

    @classmethod
    def from_list(cls, held: object) -> Row:
        """Read one as it stands in a bundle or in a kept answer.

        Raises:
            ValueError: it is not of the form of this version.
        """
        require_rows((held,))
        assert isinstance(held, list)
        vulnerability, introduced, fixed, last, module, records, severity, since, due, ransom, epss, note = held
        span = VersionSpan(introduced, fixed, last, module)
        names = tuple([str(record) for record in records])
        return cls(vulnerability, span, names, severity, since, due, bool(ransom), epss, note)


def require_rows(held: Iterable[object]) -> None:
    """Make sure that each is a row as it stands in a bundle.

    Raises:
        ValueError: one is not of the form of this version.
    """
    for each in held:
        if not isinstance(each, list) or [type(value) for value in each] != _TYPES:
            raise ValueError(f"not a row: {str(each)[:80]}")


_TYPES = [str, str, str, str, str, list, str, str, str, int, int, str]
