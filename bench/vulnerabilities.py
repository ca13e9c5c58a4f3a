"""Building a bundle of 60,000 records beside only unzipping and parsing them, and looking 900 packages up in 20,000 rows and more.

The records are made in the form of OSV's export of Debian, with lists of versions that are read past, as there. A build runs
in a process of its own, so that its memory is its own. The lookup is shown beside reading and verifying the bundle,
which a round of checks does once.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench._ledgers import seconds
from checks.vulnerabilities.build import Inputs, built
from checks.vulnerabilities.bundle import SUFFIX, read_bundle, signature_of
from checks.vulnerabilities.matching import MatchedPackage, match
from checks.vulnerabilities.releases import Release
from portalops.signatures.sshsig import SigningKey

RECORDS = 60_000
SOURCES = 3_000
PACKAGES = 900
ROUNDS = 3
RELEASE = Release("debian:12")
AS_OF = datetime(2026, 11, 25, tzinfo=UTC)

PROMISED = 2.5
"""How many times the parsing alone a build may take."""
PROMISED_MIB = 256
"""How much memory a build may take in all."""
PROMISED_LOOKUP = 10.0
"""How many times the reading and verifying of the bundle the lookup of one host may take."""


def main() -> int:
    """Print speeds, ratios and memory; return 1 if a promise is broken."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        export = folder / "all.zip"
        _write_export(export)
        parsing, building, peaks = [], [], []
        for _round in range(ROUNDS):  # in turns: a busy machine is busy for all of them
            parsing.append(seconds(lambda: _parse(export)))
            spent, peak = _built_apart(export, folder / "bundle")
            building.append(spent)
            peaks.append(peak)
        key = SigningKey.of(Ed25519PrivateKey.generate())
        data = (folder / "bundle").read_bytes()
        (folder / f"bundle{SUFFIX}").write_text(signature_of(data, key))
        reading = min(seconds(lambda: read_bundle(folder / "bundle", [key.public_key])) for _round in range(ROUNDS))
        bundle = read_bundle(folder / "bundle", [key.public_key])
        installed = _host()
        first = seconds(lambda: match(bundle, installed))
        again = min(seconds(lambda: match(bundle, installed)) for _round in range(ROUNDS))
        done = match(bundle, installed)
    rows = bundle.header.rows
    ratio, lookup = min(building) / min(parsing), first / reading
    print(f"unzip and parse       {RECORDS / min(parsing):12,.0f} records/s   {min(parsing):6.2f} s")
    print(
        f"build a bundle        {RECORDS / min(building):12,.0f} records/s   {min(building):6.2f} s   ratio {ratio:.2f}"
    )
    print(f"memory of a build     {max(peaks):12.0f} MiB   (promised: at most {PROMISED_MIB})")
    print(f"the bundle            {len(data) / 2**20:12.1f} MiB   {rows:,} rows of {bundle.header.packages:,} packages")
    print(f"read and verify it    {rows / reading:12,.0f} rows/s   {reading * 1000:6.0f} ms")
    print(
        f"look {PACKAGES} packages up {done.compared / first:13,.0f} rows/s   {first * 1000:6.0f} ms   ratio {lookup:.2f} to reading it"
    )
    print(
        f"the next such host    {done.compared / again:12,.0f} rows/s   {again * 1000:6.0f} ms   {len(done.found):,} found of {done.compared:,} rows compared"
    )
    print(f"promised: build {PROMISED} of parsing, lookup {PROMISED_LOOKUP} of reading")
    kept = ratio <= PROMISED and max(peaks) <= PROMISED_MIB and lookup <= PROMISED_LOOKUP and done.compared >= 20_000
    return 0 if kept else 1


def _name(number: int) -> str:
    return f"source-{number}"


def _write_export(path: Path) -> None:
    chance = random.Random(37)
    versions = [f"1.{number}.0-{number % 7}+deb12u{number % 5}" for number in range(40)]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(RECORDS):
            source = _name(int(chance.triangular(0, SOURCES, 0)))
            events = [{"introduced": "0"}, *([{"fixed": chance.choice(versions)}] if number % 3 else [])]
            entries = [
                {
                    "package": {"ecosystem": f"Debian:{release}", "name": source, "purl": f"pkg:deb/debian/{source}"},
                    "ranges": [{"type": "ECOSYSTEM", "events": events}],
                    "versions": versions,
                    "ecosystem_specific": {"urgency": "not yet assigned"},
                }
                for release in ((11, 12, 13, 14) if number % 4 else (13, 14))
            ]
            cve = f"CVE-20{10 + number % 17}-{10_000 + number}"
            record = {
                "id": f"DEBIAN-{cve}",
                "published": "2026-05-01T00:00:00Z",
                "modified": "2026-11-20T00:00:00Z",
                "upstream": [cve],
                "details": "What happens when somebody sends what nobody expects. " * 12,
                "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
                "affected": entries,
            }
            archive.writestr(f"DEBIAN-{cve}.json", json.dumps(record))


def _parse(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            json.loads(archive.read(name))


def _built_apart(export: Path, target: Path) -> tuple[float, float]:
    program = f"from bench.vulnerabilities import build_into; build_into({str(export)!r}, {str(target)!r})"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    spent, peak = done.stdout.split()
    return float(spent), float(peak)


def build_into(export: str, target: str) -> None:
    """Build in this process, and print the seconds and the peak of its memory in MiB."""
    started = time.perf_counter()
    ((_header, data),) = built(Inputs((Path(export),)), [RELEASE], AS_OF).values()
    spent = time.perf_counter() - started
    Path(target).write_bytes(data)
    print(spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _host() -> list[MatchedPackage]:
    """Return the packages that most is recorded of."""
    chance = random.Random(12)
    return [MatchedPackage(_name(number), f"1.{chance.randint(0, 39)}.0-1") for number in range(PACKAGES)]


if __name__ == "__main__":
    sys.exit(main())
