"""What becomes of the makers' records, and what is refused of files that are not what they should be."""

from __future__ import annotations

import gzip
import json
import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from checks.vulnerabilities import sources
from checks.vulnerabilities.build import Inputs, built
from checks.vulnerabilities.releases import Release, release_named, release_of
from checks.vulnerabilities.rows import Row, VersionSpan
from checks.vulnerabilities.severity import base_score, word_of, word_of_score, worse
from checks.vulnerabilities.sources import RECORD_BYTES
from portalops.errors import VulnerabilityDataRefused
from portalops.model.message import Message
from tests.checks.vulnerabilities.records import (
    AS_OF,
    DEBIAN,
    EPSS,
    EXPLOITED,
    TRACKER,
    Record,
    affected,
    bundle_of,
    record,
    write_inputs,
    write_zip,
)
from tests.doubles import SilentTask

DEBIAN_12 = Release("debian:12")


def rows(folder: Path, release: str, package: str, inputs: Inputs | None = None) -> dict[str, Row]:
    return {row.vulnerability: row for row in bundle_of(folder, release, inputs).rows(package)}


def only(folder: Path, *records: Record, release: str = "debian:12", package: str = "a") -> dict[str, Row]:
    return rows(folder, release, package, Inputs((write_zip(folder / "only.zip", records),)))


def test_a_row_joins_advisory_cve_exploitation_and_probability(tmp_path: Path) -> None:
    assert rows(tmp_path, "debian:12", "glibc")["CVE-2023-4911"] == Row(
        vulnerability="CVE-2023-4911",
        span=VersionSpan("", "2.36-9+deb12u3", "", ""),
        records=("CVE-2023-4911", "DEBIAN-CVE-2023-4911", "DSA-5514-1"),
        severity="high",
        since="2023-10-03",  # the advisory's day, though the CVE is older
        due="2023-12-12",
        is_ransom=False,
        epss=7923,
        note="",
    )


def test_only_entries_of_exactly_the_release_count(tmp_path: Path) -> None:
    assert set(rows(tmp_path, "debian:12", "openssl")) == {"CVE-2026-90001", "CVE-2026-90002", "CVE-2026-90007"}
    assert rows(tmp_path, "debian:13", "glibc")["CVE-2023-4911"].span.fixed == "2.37-12"


def test_withdrawn_never_affected_and_plain_bug_fixes_are_left_out(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path, "debian:12", replace(write_inputs(tmp_path), tracker=None))

    assert {row.vulnerability for row in bundle.rows("openssl")} == {"CVE-2026-90001", "CVE-2026-90002"}
    assert bundle_of(tmp_path, "almalinux:9").rows("bash") == ()


@pytest.mark.parametrize("field", ["aliases", "upstream", "related"])
def test_cves_are_found_in_every_field_that_makers_use(tmp_path: Path, field: str) -> None:
    made = record("X-1", affected("Debian:12", "a"), cves=("CVE-2026-1234", "X-2"), by=field)

    assert set(only(tmp_path, made)) == {"CVE-2026-1234"}


def test_a_record_without_a_cve_keeps_its_own_id(tmp_path: Path) -> None:
    assert set(only(tmp_path, record("DSA-7000-1", affected("Debian:12", "a")))) == {"DSA-7000-1"}


def test_several_spans_are_several_rows(tmp_path: Path) -> None:
    entry = affected("Debian:12", "a", {"fixed": "2"}, {"introduced": "3"}, {"last_affected": "4"}, {"introduced": "6"})
    bundle = bundle_of(
        tmp_path, "debian:12", Inputs((write_zip(tmp_path / "o.zip", [record("X", entry, cves=["CVE-2026-1111"])]),))
    )

    assert [row.span for row in bundle.rows("a")] == [
        VersionSpan("", "2", "", ""),
        VersionSpan("3", "", "4", ""),
        VersionSpan("6", "", "", ""),
    ]


def test_events_in_any_order_are_the_same_spans(tmp_path: Path) -> None:
    events = [{"introduced": "0"}, {"introduced": "5"}, {"fixed": "7"}, {"fixed": "3"}]
    entry = affected("Debian:12", "a")
    for number, order in enumerate(permutations(events)):
        entry["ranges"][0]["events"] = list(order)
        made = write_zip(tmp_path / f"{number}.zip", [record("X", entry, cves=["CVE-2026-1111"])])

        spans = [row.span for row in bundle_of(tmp_path, "debian:12", Inputs((made,))).rows("a")]

        assert spans == [VersionSpan("", "3", "", ""), VersionSpan("5", "7", "", "")]


def test_record_that_stands_twice_in_an_export_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "Debian.zip"
    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _number in range(2):
            archive.writestr("X.json", json.dumps(record("X", affected("Debian:12", "a"))))

    assert "it contains a record twice" in refusal(Inputs((path,)))


def test_export_that_says_to_unpack_to_too_much_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "Debian.zip", [record(f"X{n}", affected("Debian:12", "a")) for n in range(17)])
    data = bytearray(path.read_bytes())
    for entry in re.finditer(b"PK\x01\x02", bytes(data)):  # of the directory; its size stands 24 bytes behind
        data[entry.start() + 24 : entry.start() + 28] = b"\xf0\xff\xff\xff"
    path.write_bytes(data)

    assert "it is larger than 65536 MiB" in refusal(Inputs((path,)))


def test_moment_that_no_clock_reaches_is_none() -> None:
    assert sources.moment_of("0001-01-01T00:00:00+14:00") == ""
    assert sources.moment_of("0900-01-02") == "0900-01-02T00:00:00Z"


class Told:
    """Progress that keeps what it was told."""

    def __init__(self) -> None:
        self.steps: dict[str, int] = {}

    @contextmanager
    def task(self, title: Message, *, total: int | None, unit: str) -> Iterator[Told.Line]:
        assert (total, unit) == (None, "items")
        self.steps[str(title)] = 0
        yield Told.Line(self.steps, str(title))

    class Line(SilentTask):
        def __init__(self, steps: dict[str, int], title: str) -> None:
            self.steps, self.title = steps, title

        def advance(self, amount: int) -> None:
            self.steps[self.title] += amount


def test_long_building_tells_how_far_it_is(tmp_path: Path) -> None:
    told = Told()
    many = [record(f"DSA-{number}-1", affected("Debian:12", "a")) for number in range(1200)]

    built(Inputs((write_zip(tmp_path / "Debian.zip", many),)), [DEBIAN_12], AS_OF, progress=told)

    assert told.steps == {"Reading Debian.zip": 1000}


def test_ranges_of_commits_say_nothing_of_packages(tmp_path: Path) -> None:
    entry = affected("Debian:12", "a", {"fixed": "2"})
    entry["ranges"].append({"type": "GIT", "repo": "x", "events": [{"introduced": "0"}, {"fixed": "0a1b2c"}]})

    (row,) = only(tmp_path, record("X", entry, cves=["CVE-2026-1111"])).values()
    assert row.span.fixed == "2"


def test_the_tracker_knows_better_than_the_export(tmp_path: Path) -> None:
    openssl = rows(tmp_path, "debian:12", "openssl")

    assert openssl["CVE-2026-90001"].note == "no-dsa"
    assert openssl["CVE-2026-90007"].span.fixed == "3.0.17-1~deb12u2"  # the export lacks it
    assert openssl["CVE-2026-90002"].severity == "critical"  # and not the tracker's urgency
    assert rows(tmp_path, "debian:12", "glibc")["CVE-2019-1010022"].note == "unimportant"
    assert rows(tmp_path, "debian:12", "zlib") == {}  # never vulnerable in this release


def test_fixes_of_ubuntu_pro_count_for_pro_alone(tmp_path: Path) -> None:
    plain = bundle_of(tmp_path, "ubuntu:22.04").rows("imagemagick")
    pro = bundle_of(tmp_path, "ubuntu-pro:22.04").rows("imagemagick")

    assert [row.span.fixed for row in plain] == [""]
    assert [row.span.fixed for row in pro] == ["", "8:6.9.11.60+dfsg-1.3ubuntu0.22.04.5+esm2"]


def test_a_module_stream_is_read_from_the_headline(tmp_path: Path) -> None:
    assert rows(tmp_path, "almalinux:9", "nodejs")["CVE-2026-90020"].span.module == "nodejs:20"
    entry = affected("AlmaLinux:9", "a", {"fixed": "1-1.module_el9.6.0+1+a"})
    (row,) = only(tmp_path, record("ALSA-1", entry, summary="Low: a update"), release="almalinux:9").values()
    assert (row.span.module, row.severity) == ("*", "low")


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    first = built(write_inputs(tmp_path), [DEBIAN_12], AS_OF)
    shuffled = Inputs(*vars_of(write_inputs(tmp_path / "again")))

    assert first == built(write_inputs(tmp_path), [DEBIAN_12], AS_OF)
    assert first[DEBIAN_12][1] == built(shuffled, [Release("debian:13"), DEBIAN_12], AS_OF)[DEBIAN_12][1]


def vars_of(inputs: Inputs) -> tuple[Any, ...]:
    """Return the same files, the exports the other way round."""
    return (inputs.osv[::-1], inputs.tracker, inputs.exploited, inputs.epss, inputs.support)


def test_the_head_says_what_it_was_built_of(tmp_path: Path) -> None:
    header = bundle_of(tmp_path, "debian:12").header
    told = {source.kind: source for source in header.sources}

    assert (header.records, header.packages, header.rows, header.exploited) == (108, 4, 106, 2)
    assert [source.name for source in header.sources if source.kind == "osv"] == [
        "AlmaLinux.zip",
        "Debian.zip",
        "Ubuntu.zip",
    ]
    assert header.newest == "2026-11-23T10:20:30Z"
    assert bundle_of(tmp_path, "almalinux:9").header.newest == "2026-11-20T10:20:30Z"  # its own, not Debian's
    assert told["kev"].newest == "2026-11-23T17:00:00Z"
    assert told["epss"].newest == "2026-11-23T00:00:00Z"
    assert told["debian-tracker"].records == 3
    assert told["support"].newest == "2026-11-20"
    assert all(len(source.sha256) == 64 and source.size > 0 for source in header.sources)


def refusal(inputs: Inputs, release: str = "debian:12") -> str:
    with pytest.raises(VulnerabilityDataRefused) as caught:
        built(inputs, [Release(release)], AS_OF)
    return str(caught.value)


@pytest.mark.parametrize("cut", [0, 10, 100, 2000])
def test_an_export_that_is_cut_short_is_refused(tmp_path: Path, cut: int) -> None:
    inputs = write_inputs(tmp_path)
    path = inputs.osv[1]
    path.write_bytes(path.read_bytes()[:cut])

    assert refusal(inputs).startswith("Debian.zip cannot be used")


def test_a_record_that_is_damaged_is_named(tmp_path: Path) -> None:
    inputs = write_inputs(tmp_path)
    path = inputs.osv[1]
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo("DSA-5724-1.json").header_offset
    data[at + 60] ^= 0xFF
    path.write_bytes(data)

    assert "at DSA-5724-1.json: the record is damaged" in refusal(inputs)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"{", "it is not JSON"),
        (b"[]", "it is not a JSON object"),
        (b'{"id": 1}', "it is not an OSV record"),
        (b'{"id": "X", "affected": {}}', "it is not an OSV record"),
        (b'{"id": "X", "affected": [1]}', "it is not an OSV record"),
        (b'{"id": "X", "aliases": "CVE-2026-1111"}', "it is not an OSV record"),
        (b'{"id": "X", "related": 7}', "it is not an OSV record"),
        (b'{"id": "X Y"}', "it is not an OSV record"),
        (
            b'{"id": "X", "affected": [{"package": {"ecosystem": "Debian:12", "name": "' + b"a" * 201 + b'"}}]}',
            "it is not an OSV record",
        ),
        (b'{"id": "X", "affected": [{"package": {"ecosystem": "Debian:12"}}]}', "it is not an OSV record"),
        (
            b'{"id": "X", "affected": [{"package": {"ecosystem": "Debian:12", "name": "a"}, "ranges": [{"type": "ECOSYSTEM",'
            b'"events": [{"introduced": "0"}, {"fixed": "1 2"}]}]}]}',
            "it is not an OSV record",
        ),
        (b"[" * 100_000, "it is not JSON"),
        (b"\xff\xfe", "it is not JSON"),
    ],
)
def test_a_record_of_another_form_is_refused_by_name(tmp_path: Path, text: bytes, what: str) -> None:
    path = tmp_path / "Debian.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X.json", text)

    assert refusal(Inputs((path,))) in {f"Debian.zip cannot be used, at {name}: {what}" for name in ("X.json", "X")}


def test_a_record_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "Debian.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("X.json", b'{"id": "' + b"a" * RECORD_BYTES)

    assert "at X.json: it is larger than 64 MiB" in refusal(Inputs((path,)))


def test_a_release_that_no_file_knows_is_refused(tmp_path: Path) -> None:
    assert "at debian:14: no file has a record of this release" in refusal(write_inputs(tmp_path), "debian:14")


def test_files_newer_than_they_are_said_to_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(VulnerabilityDataRefused, match="its newest record is of 2026-11-23"):
        built(write_inputs(tmp_path), [DEBIAN_12], AS_OF - timedelta(days=3))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"glibc": {}',
        '{"glibc": []}',
        '{"glibc": {"CVE-1": 1}}',
        '{"glibc": {"CVE-1": {"releases": {"bookworm": 1}}}}',
        '{"glibc": {"CVE-1": {"releases": {"bookworm": {"status": "resolved", "fixed_version": "1 2"}}}}}',
        json.dumps(TRACKER)[:-1],
        json.dumps(TRACKER)[:300],
        json.dumps(TRACKER) + "{}",
        "{}",
        "\x00",
    ],
)
def test_a_tracker_file_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    inputs = write_inputs(tmp_path)
    assert inputs.tracker
    inputs.tracker.write_text(text)

    assert refusal(inputs).startswith("tracker.json cannot be used")


def test_a_tracker_file_is_read_in_pieces(tmp_path: Path) -> None:
    inputs = write_inputs(tmp_path)
    assert inputs.tracker
    filling = {"CVE-2020-0001": {"description": "á" * 3_000_000, "releases": {}}}
    inputs.tracker.write_text(json.dumps({"aaa": filling, **TRACKER, "zzz": filling}, ensure_ascii=False))

    assert rows(tmp_path, "debian:12", "openssl", inputs)["CVE-2026-90001"].note == "no-dsa"


@pytest.mark.parametrize(
    "change",
    [
        {"vulnerabilities": None},
        {"count": 3},
        {"vulnerabilities": [{"cveID": "CVE-2023-4911"}], "count": 1},
        {"vulnerabilities": [{"cveID": "x", "dueDate": "2026-01-01"}], "count": 1},
        {"vulnerabilities": [1], "count": 1},
        {"vulnerabilities": [], "count": 0},
    ],
)
def test_a_list_of_exploited_ones_of_another_form_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    inputs = write_inputs(tmp_path)
    assert inputs.exploited
    inputs.exploited.write_text(json.dumps({**EXPLOITED, **change}))

    assert refusal(inputs).startswith("kev.json cannot be used")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        EPSS.encode(),
        gzip.compress(EPSS.encode())[:-12],
        gzip.compress(b"cve,percentile\n"),
        gzip.compress(EPSS.encode() + b"CVE-2026-1,x,0\n"),
        gzip.compress(EPSS.encode() + b"CVE-2026-1234,2,0\n"),
        gzip.compress(EPSS.encode() + b"CVE-2026-1234\n"),
        gzip.compress(EPSS.encode() + b"a" * 5000),
        gzip.compress(EPSS.encode() + b"\xff\xff\n"),
    ],
    ids=[
        "empty",
        "not packed",
        "cut",
        "a column less",
        "a score less",
        "a score of 2",
        "a field less",
        "a long line",
        "no text",
    ],
)
def test_scores_of_another_form_are_refused(tmp_path: Path, data: bytes) -> None:
    inputs = write_inputs(tmp_path)
    assert inputs.epss
    inputs.epss.write_bytes(data)

    assert refusal(inputs).startswith("epss.csv.gz cannot be used")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "read_on = 1",
        "read_on = 2026-11-20\n[other]",
        'read_on = 2026-11-20\nruntime = "x"',
        'read_on = 2026-11-20\n[runtime.php]\n"8.1" = "soon"',
        'read_on = 2026-11-20\n[cms.wordpress]\n"6.8" = "x y"',
        "read_on = 2026-11-20\n[cms.wordpress]\n'6.8' = 6.8",
        "read_on = 2026-11-20",
    ],
)
def test_a_table_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    inputs = write_inputs(tmp_path)
    assert inputs.support
    inputs.support.write_text(text)

    assert refusal(inputs).startswith("support.toml cannot be used")


@pytest.mark.parametrize("name", ["tracker", "exploited", "epss", "support"])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    inputs = write_inputs(tmp_path)
    path: Path = getattr(inputs, name)
    path.rename(tmp_path / "moved")

    assert refusal(inputs) == f"{path.name} cannot be used: No such file or directory"


def test_a_file_name_is_no_way_to_a_terminal(tmp_path: Path) -> None:
    assert "\x1b" not in refusal(Inputs((tmp_path / "a\x1b[31m.zip",)))


@pytest.mark.parametrize(
    ("release", "ecosystem", "is_it"),
    [
        ("debian:12", "Debian:12", True),
        ("debian:12", "Debian", False),
        ("debian:12", "Debian:11", False),
        ("ubuntu:24.04", "Ubuntu:24.04:LTS", True),
        ("ubuntu:25.10", "Ubuntu:25.10", True),
        ("ubuntu:24.04", "Ubuntu:Pro:24.04:LTS", False),
        ("ubuntu-pro:24.04", "Ubuntu:Pro:24.04:LTS", True),
        ("ubuntu-pro:24.04", "Ubuntu:24.04:LTS", True),
        ("ubuntu-pro:24.04", "Ubuntu:Pro:FIPS-updates:24.04:LTS", False),
        ("almalinux:9", "AlmaLinux:9", True),
        ("almalinux:9", "AlmaLinux", False),
        ("rocky:9", "Rocky Linux:9", True),
        ("rhel:9", "Red Hat:enterprise_linux:9::appstream", True),
        ("rhel:10", "Red Hat:enterprise_linux:10.0", True),
        ("rhel:9", "Red Hat:enterprise_linux", False),
        ("rhel:9", "Red Hat:rhel_eus:9.4::appstream", False),
    ],
)
def test_an_ecosystem_is_of_one_release(release: str, ecosystem: str, is_it: bool) -> None:
    assert Release(release).has(ecosystem) is is_it


def test_a_host_is_of_the_release_that_its_os_release_names() -> None:
    assert release_of("debian", "13") == Release("debian:13")
    assert release_of("almalinux", "9.6") == Release("almalinux:9")
    assert release_of("ubuntu", "22.04", is_pro=True) == Release("ubuntu-pro:22.04")
    assert release_of("debian", "") is None
    assert release_of("arch", "1") is None
    assert [release_named(name) for name in ("debian:12.1", "ubuntu:24", "Debian:12", "x", "debian:../../x")] == [
        None
    ] * 5


@pytest.mark.parametrize(
    ("vector", "score"),
    [  # CVSS v3.1 examples of FIRST: CVE-2014-0160, CVE-2014-6271, CVE-2013-1937, CVE-2012-1516, CVE-2009-0783
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 7.5),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1),
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", 9.9),
        ("CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L", 4.2),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", None),
        ("CVSS:3.1/AV:X", None),
        ("", None),
    ],
)
def test_base_scores_are_those_of_the_specification(vector: str, score: float | None) -> None:
    assert base_score(vector) == score


def test_ratings_become_one_scale() -> None:
    assert [word_of(text) for text in ("Important", "moderate", "negligible", "HIGH", "untriaged")] == [
        *("high", "medium", "low", "high", ""),
    ]
    assert [word_of_score(score) for score in (10.0, 9.0, 8.9, 7.0, 4.0, 3.9, 0.0)] == [
        *("critical", "critical", "high", "high", "medium", "low", ""),
    ]
    assert worse("low", "high") == worse("high", "") == "high"


def test_every_made_record_is_used_somewhere() -> None:
    assert len({one["id"] for one in DEBIAN}) == len(DEBIAN)
