"""Reads the public records that a bundle is built of, a record at a time, and believes nothing that it was not shown.

The files may have been fetched by any means, and may be cut short, mixed up or made to do harm: each record is bounded, no
list of a file is held as a whole, and what is wrong ends the building with the file's and the record's name.

Sources: the OSV schema 1.7 (ossf.github.io/osv-schema); the JSON of Debian's security tracker as `bin/tracker_service.py` of
its repository writes it; CISA's Known Exploited Vulnerabilities catalogue; FIRST's EPSS scores.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any

from portalops.errors import VulnerabilityDataRefused
from portalops.json_text import read_json, read_json_at
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg
from portalops.model.text import show_text

RECORD_BYTES = 64 << 20
"""No record is larger: the largest known, of Ubuntu's kernels with their lists of versions, have a few MiB."""
RECORDS = 1_000_000
LIST_BYTES = 64 << 20
"""CISA's list has about 2 MiB."""
EXPORT_BYTES = 64 << 30
"""Unpacked. Ubuntu's export, the largest, has several GiB."""
PACKAGE_CHARACTERS = 256 << 20
"""What Debian's tracker says of one package; of the kernel, the largest, some 20 MiB."""

_ID = re.compile(r"[\x21-\x7e]{1,120}")
_CVE = re.compile(r"(?:[A-Z]+-)?(CVE-\d{4}-\d{4,19})")


_REPORTED_TOGETHER = 500


@dataclass(frozen=True, slots=True)
class BundleSource:
    """One file that a bundle was built of."""

    kind: str
    """`osv`, `debian-tracker`, `kev`, `epss` or `support`."""
    name: str
    """The file's name, without its folder."""
    sha256: str
    size: int
    """In bytes."""
    records: int
    """How many records were read in it, whatever they are about."""
    newest: str
    """The newest moment or day that it states of itself; empty where it states none."""


@dataclass(slots=True)
class Count:
    """What was seen of a file while it was read."""

    records: int = 0
    newest: str = ""
    tell: Callable[[int], None] | None = None
    """Is told of records as they are read, a few hundred at once."""

    def see(self, moment: str) -> None:
        """Count a record, and keep the newest moment."""
        self.records += 1
        self.newest = max(self.newest, moment)
        if self.tell is not None and self.records % _REPORTED_TOGETHER == 0:
            self.tell(_REPORTED_TOGETHER)


def described(kind: str, path: Path, count: Count) -> BundleSource:
    """Return a file's description, with its digest."""
    with _readable(path), path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
    return BundleSource(kind, show_text(path.name, 200), digest, size, count.records, count.newest)


def osv_records(path: Path, count: Count) -> Iterator[Mapping[str, Any]]:
    """Yield the records of an OSV export (`all.zip` of an ecosystem), one file each, in the order of their names.

    Raises:
        VulnerabilityDataRefused: it is no zip file, is cut short or damaged, or a record is none or too large.
    """
    with _readable(path), path.open("rb") as file:
        try:
            archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, RuntimeError, ValueError) as error:
            raise refused(path, "", msg("it is not a zip file, or is cut short")) from error
        with archive:
            held = [each for each in archive.infolist() if each.filename.endswith(".json")]
            names = sorted(each.filename for each in held)
            if len(set(names)) != len(names):
                raise refused(path, "", msg("it contains a record twice"))
            if sum(each.file_size for each in held) > EXPORT_BYTES:
                raise refused(path, "", msg("it is larger than {mib} MiB", mib=EXPORT_BYTES >> 20))
            if len(names) > RECORDS:
                raise refused(path, "", msg("it has {n} records, more than {most}", n=len(names), most=RECORDS))
            for name in names:
                record = _record(path, archive, name)
                count.see(moment_of(record.get("modified")))
                yield record


def tracker_packages(path: Path, count: Count) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each source package of Debian's security tracker and what is said of it, by CVE.

    Raises:
        VulnerabilityDataRefused: it is not of that form, or cut short.
    """
    with _readable(path), path.open(encoding="utf-8") as file:
        text = _Text(path, file)
        text.expect("{")
        if text.peek() == "}":
            return
        while True:
            package = text.value()
            text.expect(":")
            issues = text.value()
            if not isinstance(package, str) or not isinstance(issues, dict):
                raise refused(path, str(package), msg("it is not an export of Debian's security tracker"))
            count.see("")
            yield package, issues
            if text.expect(",}") == "}":
                break
        text.end()


def exploited(path: Path, count: Count) -> dict[str, tuple[str, bool]]:
    """Return the day on which each CVE of CISA's list is due, and whether ransomware is known to use it.

    Raises:
        VulnerabilityDataRefused: it is not of that form, names a day that is none, or another number of entries than it has.
    """
    with _readable(path), path.open("rb") as file:
        document = _parsed(path, "", _bounded(path, "", file, LIST_BYTES))
    entries = document.get("vulnerabilities")
    if not isinstance(entries, list):
        raise refused(path, "", msg("it has no list of vulnerabilities"))
    found: dict[str, tuple[str, bool]] = {}
    for entry in entries:
        name = entry.get("cveID") if isinstance(entry, dict) else None
        if not isinstance(name, str) or cve_of(name) != name:
            raise refused(path, str(name), msg("an entry has no CVE"))
        found[name] = (_day(path, name, entry.get("dueDate")), entry.get("knownRansomwareCampaignUse") == "Known")
        count.see("")
    stated = document.get("count", len(entries))
    if stated != len(entries):
        raise refused(
            path,
            "",
            msg("it states {stated} entries but has {n}", stated=show_text(str(stated)), n=len(entries)),
        )
    count.newest = moment_of(document.get("dateReleased"))
    return found


def epss_scores(path: Path, wanted: Callable[[str], bool], count: Count) -> dict[str, int]:
    """Return the EPSS probabilities of wanted CVEs, in ten thousandths.

    Raises:
        VulnerabilityDataRefused: it is no gzip file of that form, or is cut short.
    """
    found: dict[str, int] = {}
    line = 0
    try:
        with _readable(path), gzip.open(path, "rt", encoding="utf-8", newline="") as text:
            head = text.readline(1000)
            stated = re.search(r"score_date:(\d{4}-\d{2}-\d{2}[T0-9:+Z-]*)", head)
            columns = text.readline(1000) if head.startswith("#") else head
            if columns.strip() != "cve,epss,percentile":
                raise refused(path, "", msg("its columns are not cve, epss and percentile"))
            for line, row in enumerate(csv.reader(_lines(path, text)), start=3):
                name, score = row[0], float(row[1])
                if cve_of(name) != name or not 0 <= score <= 1:
                    raise refused(path, f"line {line}", msg("it is not a CVE with a probability"))
                count.see("")
                if count.records > RECORDS:
                    raise refused(path, "", msg("it has {n} records, more than {most}", n=count.records, most=RECORDS))
                if wanted(name):
                    found[name] = round(score * 10_000)
    except (EOFError, zlib.error, gzip.BadGzipFile, UnicodeDecodeError) as error:
        raise refused(path, f"line {line}", msg("it is not a gzip file, or is cut short")) from error
    except (ValueError, IndexError, csv.Error) as error:
        raise refused(path, f"line {line + 1}", msg("it is not a CVE with a probability")) from error
    count.newest = moment_of(stated.group(1)) if stated else ""
    return found


def cve_of(name: str) -> str:
    """Return the CVE that an id is or wraps (`DEBIAN-CVE-2024-3094`), or an empty text."""
    match = _CVE.fullmatch(name)
    return match.group(1) if match else ""


def refused(path: Path, record: str, what: Message) -> VulnerabilityDataRefused:
    """Return the error of a file, and of the record in it where one is known."""
    hint = msg("Fetch the file again, and compare its size with the size that the server states.")
    if not record:
        return VulnerabilityDataRefused(
            msg("{file} cannot be used: {what}", file=show_text(path.name), what=what), hint
        )
    return VulnerabilityDataRefused(
        msg(
            "{file} cannot be used, at {record}: {what}",
            file=show_text(path.name),
            record=show_text(record, 80),
            what=what,
        ),
        hint,
    )


def _record(path: Path, archive: zipfile.ZipFile, name: str) -> Mapping[str, Any]:
    try:
        with archive.open(name) as member:
            data = _bounded(path, name, member, RECORD_BYTES)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise refused(path, name, msg("the record is damaged or cut short")) from error
    record = _parsed(path, name, data)
    name_of = record.get("id")
    if not isinstance(name_of, str) or not _ID.fullmatch(name_of) or not isinstance(record.get("affected", []), list):
        raise refused(path, name, msg("it is not an OSV record"))
    return record


def _bounded(path: Path, name: str, file: IO[bytes], limit: int) -> bytes:
    data = file.read(limit + 1)
    if len(data) > limit:
        raise refused(path, name, msg("it is larger than {mib} MiB", mib=limit >> 20))
    return data


def _parsed(path: Path, name: str, data: bytes) -> Mapping[str, Any]:
    try:
        document = read_json(data)
    except ValueError as error:
        raise refused(path, name, msg("it is not JSON")) from error
    if not isinstance(document, dict):
        raise refused(path, name, msg("it is not a JSON object"))
    return document


def moment_of(value: object) -> str:
    """Return a moment in UTC to the second, so that moments sort as texts; empty for what is none."""
    try:
        moment = datetime.fromisoformat(str(value))
        in_utc = moment.astimezone(UTC) if moment.tzinfo else moment
    except (ValueError, OverflowError):  # such as the year 1, ahead of UTC
        return ""
    return f"{in_utc.replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def day_of(value: object) -> str:
    """Return the day (UTC) of a moment of a record, or an empty text."""
    return moment_of(value)[:10]


def _day(path: Path, record: str, value: object) -> str:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError as error:
        raise refused(path, record, msg("{value} is not a day", value=show_text(str(value), 40))) from error


def _lines(path: Path, text: IO[str]) -> Iterator[str]:
    while line := text.readline(1000):
        if not line.endswith("\n") and len(line) >= 1000:
            raise refused(path, line[:40], msg("a line is too long"))
        yield line


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except gzip.BadGzipFile:
        raise
    except OSError as error:
        raise refused(path, "", cause_of(error)) from error
    except UnicodeDecodeError as error:
        raise refused(path, "", msg("it is not text in UTF-8")) from error


class _Text:
    """Takes values out of a JSON text that is read in pieces, so that a large object is never held as a whole."""

    def __init__(self, path: Path, file: io.TextIOBase) -> None:
        self._path = path
        self._file = file
        self._held = ""
        self._at = 0

    def peek(self) -> str:
        """Return the next character that is no space; empty at the end."""
        while True:
            while self._at < len(self._held) and self._held[self._at].isspace():
                self._at += 1
            if self._at < len(self._held):
                return self._held[self._at]
            if not self._more(1 << 20):
                return ""

    def expect(self, wanted: str) -> str:
        """Take the next character, one of the wanted."""
        found = self.peek()
        if not found or found not in wanted:
            raise refused(self._path, f"character {self._at}", msg("it is not JSON, or is cut short"))
        self._at += 1
        return found

    def value(self) -> object:
        """Take a text or an object; both have an end of their own, so that a cut one is never taken for whole."""
        if self.peek() not in {'"', "{"}:
            raise refused(self._path, f"character {self._at}", msg("it is not JSON, or is cut short"))
        size = 1 << 20
        while True:
            try:
                found, self._at = read_json_at(self._held, self._at)
            except ValueError as error:
                # NOTE: most often the rest of the value was not read yet; each time as much again is, so that a large
                # value is tried a few times and not once for each piece.
                if len(self._held) - self._at > PACKAGE_CHARACTERS or not self._more(size):
                    raise refused(
                        self._path, self._held[self._at : self._at + 40], msg("it is not JSON, or is cut short")
                    ) from error
                size *= 2
            else:
                return found

    def end(self) -> None:
        """Make sure that nothing follows."""
        if self.peek():
            raise refused(self._path, "", msg("something follows its end"))

    def _more(self, size: int) -> bool:
        piece = self._file.read(size)
        self._held, self._at = self._held[self._at :] + piece, 0
        return bool(piece)
