"""Files as a connected machine fetches them, small, and in the form of the real ones.

No download is possible where tests run. The records are written by the OSV schema 1.7 after the published ones of the same
ids, with their packages, versions and CVEs: DSA-5514-1 and DSA-5724-1 of Debian, UBUNTU-CVE-2024-6387 and USN-6859-1 of
Ubuntu, ALSA-2025:10140 of AlmaLinux; texts are left out. What is made up has an id with `MADE`. The tracker's form is that
of `bin/tracker_service.py` in Debian's security tracker; that of CISA's list and of EPSS is of their published files.
"""

from __future__ import annotations

import gzip
import json
import os
import zipfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from checks.vulnerabilities.build import Inputs, built
from checks.vulnerabilities.bundle import SUFFIX, Bundle, read_bundle, signature_of
from checks.vulnerabilities.releases import Release
from portalops.signatures.sshsig import SigningKey

AS_OF = datetime(2026, 11, 24, 6, 0, 0, tzinfo=UTC)
KEY = SigningKey.of(Ed25519PrivateKey.from_private_bytes(b"k" * 32))
OTHER_KEY = SigningKey.of(Ed25519PrivateKey.from_private_bytes(b"o" * 32))

CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
HIGH = "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H"
MEDIUM = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L"

Record = dict[str, Any]


def affected(
    ecosystem: str, package: str, *events: Mapping[str, str], urgency: str = "", versions: Iterable[str] = ()
) -> Record:
    """Return one entry; without events it is vulnerable from the first version on."""
    span = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, *events]}
    entry: Record = {"package": {"ecosystem": ecosystem, "name": package}, "ranges": [span], "versions": [*versions]}
    if urgency:
        entry["ecosystem_specific"] = {"urgency": urgency}
    return entry


def record(
    name: str, *entries: Record, cves: Iterable[str] = (), by: str = "upstream", day: str = "2026-09-01", **more: Any
) -> Record:
    """Return one record; its CVEs stand in the field `by`."""
    return {
        "schema_version": "1.7.3",
        "id": name,
        "published": f"{day}T00:00:00Z",
        "modified": f"{day}T10:20:30.123456789Z",
        by: [*cves],
        "affected": [*entries],
        **more,
    }


def rated(vector: str) -> list[Record]:
    return [{"type": "CVSS_V3", "score": vector}]


DEBIAN: tuple[Record, ...] = (
    record(
        "DSA-5514-1",
        affected("Debian:11", "glibc", {"fixed": "2.31-13+deb11u7"}),
        affected("Debian:12", "glibc", {"fixed": "2.36-9+deb12u3"}, versions=("2.36-9",)),
        cves=("CVE-2023-4911", "DEBIAN-CVE-2023-4911"),
        day="2023-10-03",
    ),
    record(
        "DEBIAN-CVE-2023-4911",
        affected("Debian:12", "glibc", {"fixed": "2.36-9+deb12u3"}, urgency="not yet assigned"),
        affected("Debian:13", "glibc", {"fixed": "2.37-12"}, urgency="not yet assigned"),
        cves=("CVE-2023-4911",),
        day="2023-10-02",
        severity=rated(HIGH),
    ),
    record(
        "DSA-5724-1",
        affected("Debian:12", "openssh", {"fixed": "1:9.2p1-2+deb12u3"}),
        cves=("CVE-2024-6387",),
        day="2024-07-01",
        severity=rated(HIGH),
    ),
    record(
        "DEBIAN-CVE-2019-1010022",
        affected("Debian:12", "glibc", urgency="unimportant"),
        cves=("CVE-2019-1010022",),
        day="2019-07-15",
        severity=rated(CRITICAL),
    ),
    record("DEBIAN-CVE-2026-MADE", affected("Debian:12", "openssl"), cves=("CVE-2026-90001",), severity=rated(MEDIUM)),
    record(
        "DSA-6100-1-MADE",
        affected("Debian:12", "openssl", {"fixed": "3.0.18-1~deb12u1"}),
        cves=("CVE-2026-90002",),
        day="2026-11-20",
        severity=rated(CRITICAL),
    ),
    record(
        "DEBIAN-CVE-WITHDRAWN-MADE",
        affected("Debian:12", "openssl"),
        cves=("CVE-2026-90003",),
        withdrawn="2026-09-02T00:00:00Z",
    ),
    record("DEBIAN-CVE-BARE-MADE", affected("Debian", "openssl", versions=("3.0.17-1",)), cves=("CVE-2026-90004",)),
    record("DEBIAN-CVE-NEVER-MADE", affected("Debian:12", "openssl", {"fixed": "0"}), cves=("CVE-2026-90005",)),
    record("DEBIAN-CVE-FRESH-MADE", affected("Debian:12", "zlib"), cves=("CVE-2026-90006",), day="2026-11-23"),
)
FILLING = tuple(
    record(
        f"FILLING-MADE-{number}",
        *(
            affected(ecosystem, "filling", {"fixed": "1"})
            for ecosystem in ("Debian:12", "Debian:13", "Ubuntu:22.04:LTS", "Ubuntu:24.04:LTS", "AlmaLinux:9")
        ),
        cves=(f"CVE-2025-{number}",),
        day="2026-11-10",
    )
    for number in range(10_000, 10_100)
)
"""A real release has thousands; one of a few is not believed."""
UBUNTU: tuple[Record, ...] = (
    record(
        "UBUNTU-CVE-2024-6387",
        affected("Ubuntu:24.04:LTS", "openssh", {"fixed": "1:9.6p1-3ubuntu13.3"}),
        cves=("CVE-2024-6387",),
        day="2024-07-01",
        severity=[{"type": "CVSS_V3", "score": HIGH}, {"type": "Ubuntu", "score": "high"}],
    ),
    record(
        "USN-MADE-1",
        affected("Ubuntu:22.04:LTS", "imagemagick"),
        affected("Ubuntu:Pro:22.04:LTS", "imagemagick", {"fixed": "8:6.9.11.60+dfsg-1.3ubuntu0.22.04.5+esm2"}),
        affected("Ubuntu:Pro:FIPS-updates:22.04:LTS", "imagemagick", {"fixed": "9:1"}),
        cves=("CVE-2026-90010",),
        day="2026-11-01",
    ),
)
ALMALINUX: tuple[Record, ...] = (
    record(
        "ALSA-2025:10140",
        affected("AlmaLinux:10", "python-unversioned-command", {"fixed": "3.12.9-2.el10_0.2"}),
        cves=("CVE-2025-4435", "CVE-2024-12718", "CVE-2025-4330", "CVE-2025-4517", "CVE-2025-4138"),
        by="related",
        day="2025-07-01",
        summary="Important: python3.12 security update",
    ),
    record(
        "ALSA-2026:MADE1",
        affected("AlmaLinux:9", "nodejs", {"fixed": "1:20.19.6-1.module_el9.6.0+181+aa0b1c2d"}),
        cves=("CVE-2026-90020",),
        by="related",
        summary="Important: nodejs:20 security update",
    ),
    record(
        "ALSA-2026:MADE2",
        affected("AlmaLinux:9", "kernel-core", {"fixed": "5.14.0-570.60.1.el9_6"}),
        cves=("CVE-2026-90021",),
        by="related",
        summary="Moderate: kernel security update",
        day="2026-11-20",
    ),
    record("ALBA-2026:MADE3", affected("AlmaLinux:9", "bash", {"fixed": "5.1.8-9.el9"}), summary="bash bug fix update"),
)
TRACKER: Mapping[str, Any] = {
    "glibc": {
        "CVE-2023-4911": {
            "scope": "local",
            "releases": {
                "bookworm": {"status": "resolved", "fixed_version": "2.36-9+deb12u3", "urgency": "not yet assigned"},
                "trixie": {"status": "resolved", "fixed_version": "2.37-12", "urgency": "not yet assigned"},
            },
        },
        "CVE-2019-1010022": {"releases": {"bookworm": {"status": "open", "urgency": "unimportant"}}},
    },
    "openssl": {
        "CVE-2026-90001": {
            "releases": {
                "bookworm": {
                    "status": "open",
                    "urgency": "not yet assigned",
                    "nodsa": "Minor issue",
                    "nodsa_reason": "postponed",
                }
            }
        },
        "CVE-2026-90007": {
            "releases": {"bookworm": {"status": "resolved", "fixed_version": "3.0.17-1~deb12u2", "urgency": "low"}}
        },
        "CVE-2026-90002": {
            "releases": {"bookworm": {"status": "resolved", "fixed_version": "3.0.18-1~deb12u1", "urgency": "high"}}
        },
    },
    "zlib": {"CVE-2026-90006": {"releases": {"bookworm": {"status": "resolved", "fixed_version": "0"}}}},
}
EXPLOITED: Mapping[str, Any] = {
    "title": "CISA Catalog of Known Exploited Vulnerabilities",
    "catalogVersion": "2026.11.23",
    "dateReleased": "2026-11-23T17:00:00.0000Z",
    "count": 2,
    "vulnerabilities": [
        {
            "cveID": "CVE-2023-4911",
            "dateAdded": "2023-11-21",
            "dueDate": "2023-12-12",
            "knownRansomwareCampaignUse": "Unknown",
        },
        {
            "cveID": "CVE-2021-44228",
            "dateAdded": "2021-12-10",
            "dueDate": "2021-12-24",
            "knownRansomwareCampaignUse": "Known",
        },
    ],
}
EPSS = "#model_version:v2026.03.14,score_date:2026-11-23T00:00:00+0000\ncve,epss,percentile\nCVE-2023-4911,0.79231,0.98998\nCVE-2024-6387,0.43210,0.97\nCVE-1999-0001,0.01141,0.78\n"
SUPPORT = """\
read_on = 2026-11-20

[runtime.php]
"8.1" = 2025-12-31
"8.4" = 2028-12-31

[cms.wordpress]
"6.8" = "6.8.3"
"""


def write_zip(path: Path, records: Iterable[Record]) -> Path:
    """Write an export as OSV has it: a file a record, named by its id."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in records:
            # NOTE: without a time of its own, a zip file of the same records has other bytes each time
            name = zipfile.ZipInfo(f"{each['id']}.json", (2026, 11, 24, 6, 0, 0))
            archive.writestr(name, json.dumps(each), zipfile.ZIP_DEFLATED)
    return path


def write_inputs(folder: Path) -> Inputs:
    """Write every file, as fetched at `AS_OF`."""
    osv = (
        write_zip(folder / "AlmaLinux.zip", ALMALINUX),
        write_zip(folder / "Debian.zip", (*DEBIAN, *FILLING)),
        write_zip(folder / "Ubuntu.zip", UBUNTU),
    )
    tracker, kev, epss, support = (
        folder / name for name in ("tracker.json", "kev.json", "epss.csv.gz", "support.toml")
    )
    tracker.write_text(json.dumps(TRACKER, indent=1))
    kev.write_text(json.dumps(EXPLOITED))
    epss.write_bytes(gzip.compress(EPSS.encode(), mtime=0))
    support.write_text(SUPPORT)
    for path in (*osv, tracker, kev, epss, support):
        os.utime(path, (AS_OF.timestamp(), AS_OF.timestamp()))
    return Inputs(osv, tracker, kev, epss, support)


def write_bundle(folder: Path, data: bytes, name: str = "bundle.jsonl", *, key: SigningKey = KEY) -> Path:
    """Write a bundle and its signature."""
    path = folder / name
    path.write_bytes(data)
    path.with_name(path.name + SUFFIX).write_text(signature_of(data, key))
    return path


def bundle_of(folder: Path, release: str, inputs: Inputs | None = None) -> Bundle:
    """Build, write, verify and read the bundle of a release."""
    one = Release(release)
    ((_header, data),) = built(inputs or write_inputs(folder), [one], AS_OF).values()
    return read_bundle(write_bundle(folder, data, one.file_name), [KEY.public_key])
