"""Which vulnerabilities the packages of a host have, by a bundle of its release; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from checks.vulnerabilities.bundle import Bundle
from checks.vulnerabilities.rows import Row, VersionSpan
from checks.vulnerabilities.severity import WORDS
from checks.vulnerabilities.versions import Key, KeyOf


@dataclass(frozen=True, slots=True, order=True)
class MatchedPackage:
    """What is matched: a source package of Debian or Ubuntu with the source's version, or a package of RHEL or AlmaLinux."""

    name: str
    version: str
    module: str = ""
    """The module stream that it came from, `nodejs:20`; else empty."""


@dataclass(frozen=True, slots=True)
class Match:
    """A vulnerability that an installed package has."""

    package: str
    installed: str
    row: Row


@dataclass(frozen=True, slots=True)
class Matches:
    """What was found for one host."""

    packages: int
    """How many different packages were looked up."""
    compared: int
    """How many rows were held against a version."""
    found: tuple[Match, ...]
    """The worst first: exploited, then with a fix and by severity, then by EPSS. Unimportant ones only if exploited."""


def match(bundle: Bundle, installed: Iterable[MatchedPackage]) -> Matches:
    """Hold every package against the bundle.

    Raises:
        NotAVersion: a package has a version that is none.
        ValueError: a line of the bundle is not of this version's form.
    """
    key_of = bundle.header.release.key_of
    every = sorted(set(installed))
    compared = 0
    found: dict[tuple[str, str, str], Match] = {}
    for package in every:
        rows = bundle.rows(package.name)
        key = key_of(package.version)
        compared += len(rows)
        for row in rows:
            if _is_of(package, row.span) and _is_in(key, row.span, key_of) and (row.note != "unimportant" or row.due):
                # NOTE: several records may speak of one vulnerability; the one that asks for most wins.
                same = (package.name, package.version, row.vulnerability)
                held = found.get(same)
                if held is None or _order(row) < _order(held.row):
                    found[same] = Match(package.name, package.version, row)
    ordered = sorted(
        found.values(), key=lambda one: (_order(one.row), one.package, one.installed, one.row.vulnerability)
    )
    return Matches(len(every), compared, tuple(ordered))


def _is_of(package: MatchedPackage, span: VersionSpan) -> bool:
    if span.module == "*":
        return package.module != ""
    return span.module == package.module


def _is_in(key: Key, span: VersionSpan, key_of: KeyOf) -> bool:
    if span.introduced and key < key_of(span.introduced):
        return False
    if span.fixed:
        return key < key_of(span.fixed)
    return not span.last or key <= key_of(span.last)


def _order(row: Row) -> tuple[object, ...]:
    rank = WORDS.index(row.severity) if row.severity in WORDS else 1.5  # unrated comes after high, before medium
    return not row.due, row.due, not row.span.fixed, rank, -row.epss, row.since
