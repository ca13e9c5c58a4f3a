"""Versions sort as dpkg and rpm sort them."""

from __future__ import annotations

import random
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.vulnerabilities.versions import LONGEST, Key, NotAVersion, deb_key, rpm_key

HARD_DEB = (
    *("0", "0~", "0~~", "0~0", "0~a", "00", "0-0", "0-1", "0.0", "0a", "0a0", "0a~", "0+", "0.", "0-a", "0-~"),
    *("1.0", "1.0-1", "1.0~rc1", "1.0~rc1-1", "1.0~rc1~1", "1.0+dfsg", "1.0+dfsg-1", "1.0-1~deb12u1", "1.0-1+deb12u1"),
    *(
        "1.0-1+b1",
        "1.0.1",
        "1.0a",
        "1.0z",
        "1.00",
        "1.010",
        "1.9",
        "1.10",
        "1.0-1.1",
        "1.0-01",
        "2.36-9",
        "2.36-9+deb12u4",
    ),
    *("0:1.0", "1:0.1", "2:0", "10:0", "1:1.0-1-1", "1.0-1-1", "1:1.0:1-1", "3.0.2-0ubuntu1.10", "3.0.2-0ubuntu1.9"),
    *(
        "8.1.0~rc4-1ubuntu2",
        "6.12.48+deb13-1",
        "6.12.48-1",
        "9e+20",
        "1.2.3a4b5",
        "1.2.3a4b",
        "1.2.3-x86",
        "20260101.1",
    ),
)
HARD_RPM = (
    *("0", "00", "0~", "0^", "0.", "0~~", "0^~", "0^0", "0~0", "1.0", "1.0~rc1", "1.0^git1", "1.0^", "1.0~rc1^git1"),
    *(
        "1.0.1",
        "1.0a",
        "1.0.a",
        "1.0.10",
        "1.0.9",
        "1.0.010",
        "1_0",
        "1+0",
        "a",
        "A",
        "b",
        "1a",
        "a1",
        "2.el9",
        "2.el9_4",
    ),
    *(
        "2.el9_4.1",
        "2.module_el8.6.0+2904+1",
        "3.12.9",
        "20060722git",
        "xyz10",
        "xyz.4",
        "xyz10.1",
        "5.6p1",
        "6.5p1",
        "10xyz",
    ),
)


def installed_versions() -> list[str]:
    """Return what this machine itself has, as material."""
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}\n"], check=False, capture_output=True, text=True)
    return sorted(set(done.stdout.split()))


def pairs(versions: list[str], count: int) -> list[tuple[str, str]]:
    """Return neighbours in our order, since those are hard to tell apart, and some at random."""
    chance = random.Random(37)
    every = list(pairwise(sorted(versions, key=deb_key)))
    return every + [(chance.choice(versions), chance.choice(versions)) for _ in range(count)]


def order(first: Key, second: Key) -> int:
    return (first > second) - (first < second)


@pytest.mark.heavy
@pytest.mark.skipif(not shutil.which("dpkg"), reason="needs dpkg")
def test_debian_versions_sort_as_dpkg_sorts_them() -> None:
    versions = installed_versions()
    versions = [*HARD_DEB, *random.Random(12).sample(versions, min(150, len(versions)))]
    script = (
        'while read -r a b; do if dpkg --compare-versions "$a" lt "$b"; then echo -1; '
        'elif dpkg --compare-versions "$a" eq "$b"; then echo 0; else echo 1; fi; done'
    )
    tried = pairs(versions, 1200)
    text = "".join(f"{a} {b}\n" for a, b in tried)

    done = subprocess.run(["sh", "-c", script], input=text, check=True, capture_output=True, text=True)

    said = [int(line) for line in done.stdout.split()]
    assert len(said) == len(tried)
    wrong = [(a, b, it) for (a, b), it in zip(tried, said, strict=True) if order(deb_key(a), deb_key(b)) != it]
    assert not wrong


@pytest.mark.needs("rpm")
def test_rpm_versions_sort_as_rpm_sorts_them(tmp_path: Path) -> None:
    chance = random.Random(9)
    made = ["".join(chance.choices("0019azA.~^_+", k=chance.randint(1, 8))) for _ in range(250)]
    versions = [*HARD_RPM, *made]
    tried = [(chance.choice(versions), chance.choice(versions)) for _ in range(20_000)]
    listing = tmp_path / "pairs"
    listing.write_text("".join(f"{a} {b}\n" for a, b in tried))
    lua = f"for l in io.lines('{listing}') do a, b = l:match('([^ ]+) ([^ ]+)') print(rpm.vercmp(a, b) .. ' ') end"

    done = subprocess.run(["rpm", "--eval", "%{lua:" + lua + "}"], check=True, capture_output=True, text=True)

    said = [int(line) for line in done.stdout.split()]
    assert len(said) == len(tried)
    wrong = [(a, b, it) for (a, b), it in zip(tried, said, strict=True) if order(rpm_key(a), rpm_key(b)) != it]
    assert not wrong


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.0-1.el9", "1:0.1-1.el9"),
        ("0:1.0-1.el9", "1.0-2.el9"),
        ("32:9.16.23-18.el9_4.6", "32:9.16.23-24.el9_5"),
        ("3.12.9-2.el10_0.1", "3.12.9-2.el10_0.2"),
        ("1.0~beta-1", "1.0-1"),
        ("1.0-1", "1.0^20260101-1"),
    ],
)
def test_epoch_and_release_count_in_rpm(older: str, newer: str) -> None:
    assert rpm_key(older) < rpm_key(newer)


def test_no_epoch_is_epoch_zero() -> None:
    assert rpm_key("1.0-1") == rpm_key("0:1.0-1")
    assert deb_key("1.0-1") == deb_key("0:1.0-1")
    assert deb_key("1.0") == deb_key("1.0-0")


@pytest.mark.parametrize(
    "text", ["", "1.0 ", "1.0\n", "a b", ":1", "1:", "1.0-1\x1b[31m", "1" * (LONGEST + 1), "١.٠", "é1"]
)
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(NotAVersion):
        deb_key(text)


@pytest.mark.parametrize("text", ["", "1.0 2", "1.0\n", "1:2:3", "1-2-3", "1" * (LONGEST + 1)])
def test_what_is_no_version_of_rpm_is_refused(text: str) -> None:
    with pytest.raises(NotAVersion):
        rpm_key(text)


DEB_TEXTS = st.text("0123456789abzAZ.+~", min_size=1, max_size=12).map(lambda text: f"0{text}")
RPM_TEXTS = st.text("0123456789abzAZ._+~^", min_size=1, max_size=12).map(lambda text: f"0{text}")


@given(DEB_TEXTS, DEB_TEXTS)
def test_a_tilde_is_before_and_anything_else_after(version: str, more: str) -> None:
    assert deb_key(f"{version}~{more}") < deb_key(version) < deb_key(f"{version}+{more}")
    assert deb_key(f"1:{version}") > deb_key(f"{more}")


@given(RPM_TEXTS, RPM_TEXTS)
def test_a_tilde_is_before_and_a_caret_after_in_rpm(version: str, more: str) -> None:
    assert rpm_key(f"{version}~{more}") < rpm_key(version) < rpm_key(f"{version}^{more}")
    assert rpm_key(version) < rpm_key(f"{version}.0{more}")


@given(st.integers(0, 10**30), st.integers(0, 10**30))
def test_numbers_sort_by_their_value(first: int, second: int) -> None:
    for key_of in (deb_key, rpm_key):
        assert order(key_of(f"1.{first:09}"), key_of(f"1.{second}")) == order((first,), (second,))
