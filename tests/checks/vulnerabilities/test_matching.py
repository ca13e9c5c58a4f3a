"""Which vulnerabilities a package has, by its version."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.vulnerabilities.build import Inputs
from checks.vulnerabilities.bundle import Bundle
from checks.vulnerabilities.matching import MatchedPackage, match
from checks.vulnerabilities.versions import NotAVersion, deb_key
from tests.checks.vulnerabilities.records import affected, bundle_of, record, write_zip


@pytest.fixture(name="debian", scope="module")
def debian_(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return bundle_of(tmp_path_factory.mktemp("debian"), "debian:12")


def found(bundle: Bundle, *installed: MatchedPackage) -> list[tuple[str, str]]:
    return [(one.package, one.row.vulnerability) for one in match(bundle, installed).found]


@pytest.mark.parametrize(
    ("version", "is_vulnerable"),
    [
        ("2.36-9", True),
        ("2.36-9+deb12u2", True),
        ("2.36-9+deb12u3~bpo1", True),
        ("2.36-9+deb12u3", False),
        ("2.36-9+deb12u10", False),
        ("2.41-12", False),
        ("1:0", False),
    ],
)
def test_a_version_before_the_fix_is_vulnerable(debian: Bundle, version: str, is_vulnerable: bool) -> None:
    assert (("glibc", "CVE-2023-4911") in found(debian, MatchedPackage("glibc", version))) is is_vulnerable


def test_the_worst_comes_first_and_unimportant_ones_do_not_come(debian: Bundle) -> None:
    installed = [
        MatchedPackage("openssl", "3.0.15-1~deb12u1"),
        MatchedPackage("openssh", "1:9.2p1-2"),
        MatchedPackage("glibc", "2.36-9"),
    ]

    assert found(debian, *installed) == [
        ("glibc", "CVE-2023-4911"),  # exploited
        ("openssl", "CVE-2026-90002"),  # critical
        ("openssh", "CVE-2024-6387"),  # high
        ("openssl", "CVE-2026-90007"),  # unrated
        ("openssl", "CVE-2026-90001"),  # without a fix
    ]


def test_each_version_is_looked_up_once(debian: Bundle) -> None:
    glibc = [
        MatchedPackage("glibc", "2.36-9"),
        MatchedPackage("glibc", "2.36-9+deb12u9"),
        MatchedPackage("glibc", "2.36-9"),
    ]
    done = match(debian, glibc)

    assert (done.packages, done.compared, len(done.found)) == (2, 4, 1)


def test_an_unimportant_one_that_is_exploited_comes_all_the_same(tmp_path: Path) -> None:
    entry = affected("Debian:12", "a", urgency="unimportant")
    osv = write_zip(tmp_path / "o.zip", [record("DEBIAN-CVE-2023-4911", entry)])
    kev = tmp_path / "kev.json"
    kev.write_text('{"vulnerabilities": [{"cveID": "CVE-2023-4911", "dueDate": "2023-12-12"}]}')

    assert found(bundle_of(tmp_path, "debian:12", Inputs((osv,), exploited=kev)), MatchedPackage("a", "1")) == [
        ("a", "CVE-2023-4911")
    ]


def test_modules_are_held_against_their_own_stream(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path, "almalinux:9")
    old = "1:18.20.8-1.module_el9.6.0+1+a"

    assert found(bundle, MatchedPackage("nodejs", old, "nodejs:20")) == [("nodejs", "CVE-2026-90020")]
    assert found(bundle, MatchedPackage("nodejs", old, "nodejs:18")) == []
    assert found(bundle, MatchedPackage("nodejs", "1:16.20.2-8.el9_4")) == []
    assert found(bundle, MatchedPackage("kernel-core", "0:5.14.0-570.58.1.el9_6")) == [
        ("kernel-core", "CVE-2026-90021")
    ]
    assert found(bundle, MatchedPackage("kernel-core", "0:5.14.0-570.60.1.el9_6")) == []


def test_a_module_that_a_record_does_not_name_may_be_any(tmp_path: Path) -> None:
    entry = affected("AlmaLinux:9", "a", {"fixed": "2-1.module_el9+1+a"})
    bundle = bundle_of(
        tmp_path, "almalinux:9", Inputs((write_zip(tmp_path / "o.zip", [record("ALSA-1", entry, summary="Low: a")]),))
    )

    assert found(bundle, MatchedPackage("a", "1-1", "a:1")) == [("a", "ALSA-1")]
    assert found(bundle, MatchedPackage("a", "1-1")) == []


def test_a_version_that_is_none_is_no_silent_pass(debian: Bundle) -> None:
    with pytest.raises(NotAVersion):
        match(debian, [MatchedPackage("glibc", "2.36 9")])


VERSIONS = st.from_regex(r"[1-9][0-9a-z.+~]{0,8}(-[0-9a-z.+~]{1,4})?", fullmatch=True)


@settings(max_examples=30, deadline=None)
@given(VERSIONS, st.lists(VERSIONS, min_size=2, max_size=5, unique_by=deb_key))
def test_a_version_is_vulnerable_exactly_within_a_span(
    tmp_path_factory: pytest.TempPathFactory, version: str, bounds: list[str]
) -> None:
    ordered = sorted(bounds, key=deb_key)
    events = [{"fixed" if number % 2 == 0 else "introduced": bound} for number, bound in enumerate(ordered)]
    folder = tmp_path_factory.mktemp("spans")
    entry = affected("Debian:12", "a", *events)
    bundle = bundle_of(folder, "debian:12", Inputs((write_zip(folder / "o.zip", [record("DSA-1-1", entry)]),)))

    passed = sum(deb_key(bound) <= deb_key(version) for bound in ordered)

    assert bool(found(bundle, MatchedPackage("a", version))) is (passed % 2 == 0)
