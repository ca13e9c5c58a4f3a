"""From the makers' records to bundles, on a machine that has them: what is of the releases asked for, and no more.

Only an affected entry of exactly the release counts, and only its ranges: the lists of versions beside them are incomplete,
and an entry of the bare system speaks for no release. The CVEs of a record stand in `aliases`, `upstream` or `related`,
each maker as it likes (AlmaLinux in `related`), so all three are joined, and the id itself. Withdrawn records are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from checks.vulnerabilities import severity, sources
from checks.vulnerabilities.bundle import Header, contents_of
from checks.vulnerabilities.releases import Release
from checks.vulnerabilities.rows import Row, VersionSpan
from checks.vulnerabilities.sources import BundleSource, Count, cve_of, day_of, refused
from checks.vulnerabilities.support import read_support
from checks.vulnerabilities.versions import Key, KeyOf, NotAVersion
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.ports import Progress

_STREAM = re.compile(r"(?<![\w.+-])([a-z0-9][a-z0-9_.+-]*:[A-Za-z0-9][\w.+-]*)(?=[\s,]|$)")
_RATED = re.compile(r"(Critical|Important|Moderate|Low)\s*:")
_NAME_LENGTH = 200
"""No package has a longer name."""
_NOT_SECURITY = ("ALBA-", "ALEA-", "RHBA-", "RHEA-")
"""AlmaLinux and Red Hat publish bug fixes and enhancements in the same form; without a CVE they are none of ours."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The files that bundles are built of."""

    osv: tuple[Path, ...]
    """`all.zip` of ecosystems; at least one."""
    tracker: Path | None = None
    """JSON of Debian's security tracker."""
    exploited: Path | None = None
    """CISA's list of exploited vulnerabilities."""
    epss: Path | None = None
    """FIRST's EPSS scores, csv.gz."""
    support: Path | None = None
    """A table of the ends of runtimes and of the least versions of content management systems."""


@dataclass(slots=True)
class _Known:
    """What is gathered of one vulnerability of one package in one span of versions."""

    records: set[str] = field(default_factory=set)
    severity: str = severity.UNRATED
    since: str = ""
    is_from_advisory: bool = False
    note: str = ""


@dataclass(slots=True)
class _Gathered:
    """What is gathered for one release."""

    release: Release
    packages: dict[str, dict[tuple[str, VersionSpan], _Known]] = field(default_factory=dict)
    records: int = 0
    newest: str = ""

    def known(self, package: str, vulnerability: str, span: VersionSpan) -> _Known:
        return self.packages.setdefault(package, {}).setdefault((vulnerability, span), _Known())


def built(
    inputs: Inputs, releases: Sequence[Release], as_of: datetime, *, progress: Progress | None = None
) -> dict[Release, tuple[Header, bytes]]:
    """Return the bundle of each release.

    Args:
        inputs: the files.
        releases: at least one.
        as_of: when the files were fetched, UTC.
        progress: gets a step for each record that is read; none by default.

    Raises:
        VulnerabilityDataRefused: a file is damaged, of another form, newer than `as_of`, or none has a record of a release.
    """
    gathered = [_Gathered(release) for release in releases]
    used: list[tuple[Path, BundleSource]] = []
    for path in sorted(inputs.osv):
        with _counting(progress, path) as count:
            used.append((path, _take_osv(path, gathered, count)))
    if inputs.tracker is not None:
        with _counting(progress, inputs.tracker) as count:
            used.append((inputs.tracker, _take_tracker(inputs.tracker, gathered, count)))
    due: Mapping[str, tuple[str, bool]] = {}
    if inputs.exploited is not None:
        count = Count()
        due = sources.exploited(inputs.exploited, count)
        used.append((inputs.exploited, sources.described("kev", inputs.exploited, count)))
    epss: Mapping[str, int] = {}
    if inputs.epss is not None:
        wanted = {name for one in gathered for known in one.packages.values() for name, _ in known}
        with _counting(progress, inputs.epss) as count:
            epss = sources.epss_scores(inputs.epss, wanted.__contains__, count)
        used.append((inputs.epss, sources.described("epss", inputs.epss, count)))
    support: Mapping[str, Any] = {}
    if inputs.support is not None:
        support = read_support(inputs.support)
        count = Count(sum(len(support[kind]) for kind in ("runtime", "cms")), support["read_on"])
        used.append((inputs.support, sources.described("support", inputs.support, count)))
    _require_sound(used, as_of)
    for one in gathered:
        if one.records == 0:
            raise refused(inputs.osv[0], one.release.name, msg("no file has a record of this release"))
    described = tuple(source for _, source in used)
    return {one.release: _bundle(one, described, due, epss, support=support, as_of=as_of) for one in gathered}


@contextmanager
def _counting(progress: Progress | None, path: Path) -> Iterator[Count]:
    """Show the records of a file while they are read; how many it has is not known before its end."""
    if progress is None:
        yield Count()
        return
    with progress.task(msg("Reading {file}", file=show_text(path.name, 80)), total=None, unit="items") as task:
        yield Count(tell=task.advance)


def _require_sound(used: Sequence[tuple[Path, BundleSource]], as_of: datetime) -> None:
    for path, source in used:
        if source.records == 0:
            raise refused(path, "", msg("it has no record"))
        if source.newest[:10] > as_of.date().isoformat():
            what = msg("its newest record is of {newest}, after {as_of}", newest=source.newest, as_of=as_of)
            raise refused(path, "", what)


def _take_osv(path: Path, gathered: Sequence[_Gathered], count: Count) -> BundleSource:
    for record in sources.osv_records(path, count):
        if record.get("withdrawn"):
            continue
        try:
            names = _vulnerabilities(record)
        except TypeError as error:
            raise refused(path, record["id"], msg("it is not an OSV record")) from error
        if not names:
            continue
        for one in gathered:
            is_about = False
            for affected in record.get("affected") or ():
                try:
                    is_about |= _take_affected(one, record, names, affected)
                except (AttributeError, TypeError, KeyError, NotAVersion) as error:
                    raise refused(path, record["id"], msg("it is not an OSV record")) from error
            if is_about:
                one.records += 1
                one.newest = max(one.newest, sources.moment_of(record.get("modified")))
    return sources.described("osv", path, count)


def _vulnerabilities(record: Mapping[str, Any]) -> tuple[str, ...]:
    named = [record["id"]]
    for key in ("aliases", "upstream", "related"):
        others = record.get(key) or []
        if not isinstance(others, list) or not all(isinstance(name, str) for name in others):
            raise TypeError(key)
        named += others
    cves = sorted({cve_of(name) for name in named} - {""})
    if cves:
        return tuple(cves)
    return () if record["id"].startswith(_NOT_SECURITY) else (record["id"],)


def _take_affected(
    one: _Gathered, record: Mapping[str, Any], names: Sequence[str], affected: Mapping[str, Any]
) -> bool:
    package = affected["package"]
    package_name, ecosystem = package["name"], package["ecosystem"]
    if not one.release.has(ecosystem):
        return False
    if not isinstance(package_name, str) or not 0 < len(package_name) <= _NAME_LENGTH:
        raise TypeError(package_name)
    rating, note = _rating(record, affected)
    published = day_of(record.get("published"))
    is_advisory = not cve_of(record["id"])
    module = _module(record, affected)
    for span in _spans(affected, module, one.release.key_of):
        for key in (span.introduced, span.fixed, span.last):
            if key:
                one.release.key_of(key)
        for name in names:
            known = one.known(package_name, name, span)
            known.records.add(record["id"])
            known.severity = severity.worse(known.severity, rating)
            known.note = note if len(known.records) == 1 or note == known.note else ""
            is_earlier = not known.since or "" < published < known.since
            if is_advisory > known.is_from_advisory or (is_advisory == known.is_from_advisory and is_earlier):
                known.since, known.is_from_advisory = published, is_advisory
    return True


def _spans(affected: Mapping[str, Any], module: str, key_of: KeyOf) -> Iterator[VersionSpan]:
    """Yield from where to where versions are affected; the events come in any order and mean what they do by version."""

    def by_version(event: Mapping[str, Any]) -> tuple[bool, Key, int]:
        for rank, kind in enumerate(("fixed", "introduced", "last_affected")):
            if kind in event:
                is_start = event[kind] == "0" and kind == "introduced"
                return not is_start, () if is_start else key_of(event[kind]), rank
        return True, (), -1

    for span in affected.get("ranges") or ():
        if span["type"] != "ECOSYSTEM":
            continue
        introduced: str | None = None
        # NOTE: "fixed in 0" stands beside "introduced in 0" and ends it, so it is no version to sort by.
        events = span["events"]
        if not any(event.get("fixed") == "0" for event in events):
            events = sorted(events, key=by_version)
        for event in events:
            if "introduced" in event:
                if introduced is None:
                    introduced = "" if event["introduced"] == "0" else event["introduced"]
            elif introduced is not None and ("fixed" in event or "last_affected" in event):
                fixed = event.get("fixed", "")
                if fixed != "0":  # "fixed in 0" is how makers say that it never was vulnerable
                    yield VersionSpan(introduced, fixed, event.get("last_affected", ""), module)
                introduced = None
        if introduced is not None:
            yield VersionSpan(introduced, "", "", module)


def _rating(record: Mapping[str, Any], affected: Mapping[str, Any]) -> tuple[str, str]:
    """Return the severity, by the maker's word where it rates, and the note.

    Debian's `urgency` only says what is unimportant: it is mostly not assigned, and was never meant as a severity.
    """
    specific = affected.get("ecosystem_specific") or {}
    note = "unimportant" if specific.get("urgency") == "unimportant" else ""
    stated = [*(affected.get("severity") or ()), *(record.get("severity") or ())]
    for one in stated:
        if one["type"] == "Ubuntu":
            return severity.word_of(one["score"]), note
    headline = _RATED.match(record.get("summary") or "")
    if headline:
        return severity.word_of(headline.group(1)), note
    scores = [score for one in stated if (score := severity.base_score(one["score"])) is not None]
    return (severity.word_of_score(max(scores)), note) if scores else (severity.UNRATED, note)


def _module(record: Mapping[str, Any], affected: Mapping[str, Any]) -> str:
    """Return the module stream that a record is about, by its headline (`Important: nodejs:20 security update`)."""
    events = [event for span in affected.get("ranges") or () for event in span["events"]]
    if not any(".module" in event.get("fixed", "") for event in events):
        return ""
    headline = (record.get("summary") or "").partition(":")[2]
    streams = sorted(set(_STREAM.findall(headline)))
    return streams[0] if len(streams) == 1 else "*"


def _take_tracker(path: Path, gathered: Sequence[_Gathered], count: Count) -> BundleSource:
    """Let Debian's tracker refine Debian's rows: it knows what OSV's export lacks, and why a fix does not come."""
    debian = [one for one in gathered if one.release.codename]
    for package, issues in sources.tracker_packages(path, count):
        for name, issue in issues.items():
            for one in debian:
                try:
                    state = (issue.get("releases") or {}).get(one.release.codename)
                    if state is not None:
                        _refine(one, package, name, state)
                except (AttributeError, TypeError, NotAVersion) as error:
                    raise refused(
                        path, f"{package}, {name}", msg("it is not an export of Debian's security tracker")
                    ) from error
    return sources.described("debian-tracker", path, count)


def _refine(one: _Gathered, package: str, name: str, state: Mapping[str, Any]) -> None:
    held = one.packages.get(package, {})
    mine = [key for key in held if key[0] == (cve_of(name) or name)]
    status, fixed = state.get("status"), state.get("fixed_version") or ""
    if status == "resolved" and fixed == "0":  # it never was vulnerable in this release
        for key in mine:
            del held[key]
        if not held:
            one.packages.pop(package, None)
        return
    note = "unimportant" if state.get("urgency") == "unimportant" else "no-dsa" if "nodsa" in state else ""
    if fixed:
        one.release.key_of(fixed)
    span = VersionSpan("", fixed if status == "resolved" else "", "", "")
    old = [held.pop(key) for key in mine if not key[1].fixed or not span.fixed or key[1] == span]
    known = one.known(package, cve_of(name) or name, span)
    for each in old:
        known.records |= each.records
        known.severity = severity.worse(known.severity, each.severity)
        known.since = known.since or each.since
    known.records.add(name)
    known.note = note


def _bundle(
    one: _Gathered,
    used: tuple[BundleSource, ...],
    due: Mapping[str, tuple[str, bool]],
    epss: Mapping[str, int],
    *,
    support: Mapping[str, Any],
    as_of: datetime,
) -> tuple[Header, bytes]:
    packages = {package: tuple(_rows(held, due, epss)) for package, held in one.packages.items()}
    header = Header(
        one.release,
        as_of,
        used,
        one.records,
        one.newest,
        sum(len(rows) for rows in packages.values()),
        len(packages),
        len(due),
        support,
    )
    return header, contents_of(header, packages)


def _rows(
    held: Mapping[tuple[str, VersionSpan], _Known], due: Mapping[str, tuple[str, bool]], epss: Mapping[str, int]
) -> Iterable[Row]:
    for (name, span), known in sorted(held.items(), key=lambda item: item[0]):
        day, is_ransom = due.get(name, ("", False))
        yield Row(
            name,
            span,
            tuple(sorted(known.records)),
            known.severity,
            known.since,
            day,
            is_ransom,
            epss.get(name, 0),
            known.note,
        )
