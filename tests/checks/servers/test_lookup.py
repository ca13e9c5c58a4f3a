"""What a bundle says of a host's packages becomes a part of the host's answer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from checks.servers.catalogue import chosen
from checks.servers.declared import Declared
from checks.servers.judging import judge_again
from checks.servers.lookup import LISTED, Vulnerabilities, load
from checks.servers.patching._packages import digest_of, installed_of
from checks.servers.probe import Output, Unparseable
from checks.servers.probes import packages_dpkg, packages_rpm
from checks.servers.probes import vulnerabilities as vulnerabilities_probe
from checks.servers.runner import run_checks
from checks.vulnerabilities.build import Inputs, built
from checks.vulnerabilities.matching import MatchedPackage
from checks.vulnerabilities.releases import Release
from portalops.locale import render
from portalops.model.checks import CheckResult, CheckScan
from tests.checks.servers.samples import DEFAULT_AT, SAMPLES, as_answer, read_sample
from tests.checks.servers.test_runner import WEB, QuotingShell
from tests.checks.vulnerabilities.records import (
    AS_OF,
    KEY,
    OTHER_KEY,
    affected,
    bundle_of,
    record,
    write_bundle,
    write_inputs,
    write_zip,
)
from tests.doubles import FixedClock, MemoryKeeper, SilentProgress

SOME = chosen(ids=("patching.cve-exploited", "patching.cve-fixable"))
DEBIAN_12 = b'ID=debian\nVERSION_ID="12"\n'
PACKAGES = b"libc6:amd64\tii \t2.36-9\tglibc\t2.36-9\nopenssh-server\tii \t1:9.2p1-2\topenssh\t1:9.2p1-2\n"
HOST = {"os.release": DEBIAN_12, "packages.dpkg": PACKAGES}


def known(folder: Path, *releases: str) -> Vulnerabilities:
    inputs = write_inputs(folder)
    return Vulnerabilities({name: bundle_of(folder, name, inputs) for name in releases})


def section(vulnerabilities: Vulnerabilities, said: Mapping[str, bytes], *, is_pro: bool = False) -> dict[str, Any]:
    text = "".join(f"<<<{name}>>>\n{body.decode()}<<<{name} rc=0>>>\n" for name, body in said.items())
    held: dict[str, Any] = json.loads(vulnerabilities.section(as_answer(text), is_pro=is_pro).stdout)
    return held


def run(said: Mapping[str, bytes], vulnerabilities: Vulnerabilities | None, keeper: MemoryKeeper) -> CheckScan:
    return run_checks(
        [WEB],
        Declared(),
        shell_for=lambda _host: QuotingShell(said),
        keeper=keeper,
        clock=FixedClock(DEFAULT_AT),
        progress=SilentProgress(),
        some=SOME,
        known=vulnerabilities,
    )


def said_of(results: tuple[CheckResult, ...]) -> dict[str, str]:
    return {result.check: f"{result.verdict.value} {result.reason}".strip() for result in results}


def test_a_round_keeps_what_it_looked_up_and_is_judged_again_without_the_bundle(tmp_path: Path) -> None:
    keeper = MemoryKeeper()

    done = run(HOST, known(tmp_path, "debian:12"), keeper)

    assert said_of(done.results()) == {
        "patching.cve-exploited": "fail exploited",
        "patching.cve-fixable": "fail fix-late",
    }
    ((digest, raw),) = keeper.blobs.items()
    assert {result.evidence for result in done.results()} == {(digest,)}
    assert judge_again(raw, WEB, Declared(), DEFAULT_AT, some=SOME) == done.hosts[0].results
    assert bundle_of(tmp_path, "debian:12").sha256.encode() in raw


def test_the_day_of_an_exploited_one_is_when_its_finding_is_due(tmp_path: Path) -> None:
    keeper = MemoryKeeper()
    run(HOST, known(tmp_path, "debian:12"), keeper)
    (raw,) = keeper.blobs.values()

    (result,) = judge_again(raw, WEB, Declared(), DEFAULT_AT, some=SOME[:1])

    assert "to be fixed by 2023-12-12: CVE-2023-4911 (glibc 2.36-9)" in str(result.message)


def test_without_a_bundle_nothing_passes() -> None:
    assert set(said_of(run(HOST, None, MemoryKeeper()).results()).values()) == {"unknown no-bundle"}


def test_a_host_that_speaks_for_the_bundle_is_not_believed(tmp_path: Path) -> None:
    sample = read_sample(SAMPLES / "patching.cve-exploited/pass.txt")
    forged = sample.raw.split(b" vulnerabilities>>>\n")[1].split(b"\n<<<")[0]

    for vulnerabilities in (None, known(tmp_path, "debian:12")):
        done = run({**HOST, "vulnerabilities": forged}, vulnerabilities, MemoryKeeper())
        assert set(said_of(done.results()).values()) == {"unknown answer-rejected"}


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({"packages.dpkg": PACKAGES}, "no-packages"),
        ({"os.release": DEBIAN_12}, "no-packages"),
        ({"os.release": DEBIAN_12, "packages.dpkg": b""}, "no-packages"),
        ({"os.release": DEBIAN_12, "packages.dpkg": b"libc6\n"}, "no-packages"),
        ({"os.release": b"ID=debian\n", "packages.dpkg": PACKAGES}, "release-not-covered"),
        ({"os.release": b"ID=debian\nVERSION_ID=11\n", "packages.dpkg": PACKAGES}, "release-not-covered"),
        ({"os.release": b"ID=arch\n", "packages.dpkg": PACKAGES}, "release-not-covered"),
        ({"os.release": DEBIAN_12, "packages.dpkg": PACKAGES.replace(b"9.2p1-2", b"9.2p1 2")}, "lookup-failed"),
        ({"os.release": DEBIAN_12, "packages.dpkg": PACKAGES.replace(b"9.2p1-2", b"9" * 5000)}, "lookup-failed"),
        ({"os.release": DEBIAN_12, "packages.dpkg": PACKAGES.replace(b"glibc", b"gl\x1b[31mibc")}, "ok"),
    ],
)
def test_what_can_not_be_looked_up_is_said(tmp_path: Path, said: Mapping[str, bytes], state: str) -> None:
    assert section(known(tmp_path, "debian:12"), said)["state"] == state


def test_fixes_of_ubuntu_pro_are_looked_up_where_the_host_gets_them(tmp_path: Path) -> None:
    said = {
        "os.release": b'ID=ubuntu\nVERSION_ID="22.04"\n',
        "packages.dpkg": b"imagemagick\tii \t8:6.9.11\timagemagick\t8:6.9.11\n",
    }
    vulnerabilities = known(tmp_path, "ubuntu:22.04", "ubuntu-pro:22.04")

    plain, pro = (section(vulnerabilities, said, is_pro=is_pro) for is_pro in (False, True))

    assert (len(plain["found"]), plain["unfixed"]) == (0, 1)
    assert (len(pro["found"]), pro["unfixed"]) == (1, 0)


def test_a_bundle_that_is_refused_is_told_of_and_takes_nothing_from_others(tmp_path: Path) -> None:
    made = built(write_inputs(tmp_path), [Release("debian:12"), Release("debian:13")], AS_OF)
    paths = [
        write_bundle(tmp_path, made[Release("debian:12")][1], "12.jsonl", key=OTHER_KEY),
        write_bundle(tmp_path, made[Release("debian:13")][1], "13.jsonl"),
        tmp_path / "nowhere",
    ]

    vulnerabilities = load(paths, [KEY.public_key], 7)

    assert list(vulnerabilities.bundles) == ["debian:13"]
    keeper = MemoryKeeper()
    first, second = run(HOST, vulnerabilities, keeper).results()
    assert (first.reason, second.reason) == ("bundle-refused", "bundle-refused")
    assert "not trusted here" in str(first.message) and "nowhere" in str(first.message)
    spoken = render(first.message, "vi")
    assert "bị từ chối" in spoken and "không được tin cậy" in spoken and "không có tệp hoặc thư mục" in spoken, spoken
    ((_, raw),) = keeper.blobs.items()
    assert judge_again(raw, WEB, Declared(), DEFAULT_AT, some=SOME) == (first, second)
    assert section(vulnerabilities, {**HOST, "os.release": b"ID=debian\nVERSION_ID=13\n"})["state"] == "ok"


def test_a_bundle_that_lacks_a_row_turns_no_fail_into_a_pass(tmp_path: Path) -> None:
    """It is signed as it should be; what it lacks is the row of a vulnerability that the host has."""
    release = Release("debian:12")
    data = built(write_inputs(tmp_path), [release], AS_OF)[release][1]
    lacking = re.sub(rb'(?m)^\["glibc",.*$', b'["glibc",[]]', data)
    verdicts = []
    for name, held in (("whole", data), ("lacking", lacking)):
        (tmp_path / name).mkdir()
        loaded = load([write_bundle(tmp_path / name, held)], [KEY.public_key], 7)
        scan = run(HOST, loaded, MemoryKeeper())
        verdicts.append({one.check: (one.verdict.value, one.reason) for one in scan.results()})

    assert lacking != data
    assert verdicts[0]["patching.cve-exploited"][0] == "fail"
    assert verdicts[1] == dict.fromkeys(verdicts[0], ("unknown", "bundle-refused"))


def test_of_many_refused_bundles_a_few_are_told_and_the_rest_is_counted(tmp_path: Path) -> None:
    vulnerabilities = load([tmp_path / f"gone-{number}" for number in range(9)], [KEY.public_key], 7)

    first, _ = run(HOST, vulnerabilities, MemoryKeeper()).results()

    assert "gone-2" in str(first.message) and "gone-3" not in str(first.message)
    assert str(first.message).endswith("; +6")


def test_a_section_of_before_that_holds_its_cause_as_text_is_still_read() -> None:
    old = json.dumps({"state": "bundle-refused", "what": "the bundle x is refused: \x1b[31m" + "y" * 999})

    with pytest.raises(Unparseable) as caught:
        vulnerabilities_probe.parse(Output(0, old, ""))

    assert caught.value.reason == "bundle-refused"
    assert "the bundle x is refused" in str(caught.value.seen)
    assert "\x1b" not in str(caught.value.seen) and len(str(caught.value.seen)) < 400


@pytest.mark.parametrize("what", [{}, {"text": 1}, {"text": "a", "values": {"n": 1.5}}, {"text": "a", "text ": []}])
def test_a_cause_that_is_out_of_form_is_unknown_all_the_same(what: object) -> None:
    with pytest.raises(Unparseable) as caught:
        vulnerabilities_probe.parse(Output(0, json.dumps({"state": "bundle-refused", "what": what}), ""))

    assert caught.value.reason in {"unparseable", "bundle-refused"}


def test_of_two_bundles_of_a_release_the_newer_counts(tmp_path: Path) -> None:
    inputs = write_inputs(tmp_path)
    one = Release("debian:12")
    paths = [
        write_bundle(tmp_path, built(inputs, [one], AS_OF.replace(hour=hour))[one][1], f"{hour}.jsonl")
        for hour in (6, 9, 7)
    ]

    assert load(paths, [KEY.public_key], 7).bundles["debian:12"].header.as_of.hour == 9


def test_more_than_can_be_listed_is_counted(tmp_path: Path) -> None:
    many = [
        record(f"DSA-{number}-1", affected("Debian:12", "glibc", {"fixed": "3"}), cves=[f"CVE-2026-{number}"])
        for number in range(10_000, 10_000 + LISTED + 5)
    ]
    bundle = bundle_of(tmp_path, "debian:12", Inputs((write_zip(tmp_path / "o.zip", many),)))

    held = section(Vulnerabilities({"debian:12": bundle}), HOST)

    assert (len(held["found"]), held["left_out"]) == (LISTED, 5)


def packages(lines: str) -> tuple[MatchedPackage, ...]:
    return installed_of(packages_dpkg.parse(Output(0, lines, "")))


def test_of_kernels_the_newest_counts_under_the_name_that_it_is_recorded_by() -> None:
    listed = (
        "linux-image-6.12.48+deb13-amd64\tii \t6.12.48-1\tlinux-signed-amd64\t6.12.48+1\n"
        "linux-image-6.12.101+deb13-amd64\tii \t6.12.101-1\tlinux-signed-amd64\t6.12.101+1\n"
        "linux-image-6.12.57+deb13-amd64\trc \t6.12.57-1\tlinux-signed-amd64\t6.12.57+1\n"
        "linux-image-amd64\tii \t6.12.101-1\tlinux-signed-amd64\t6.12.101+1\n"
        "linux-libc-dev\tii \t6.12.48-1\tlinux\t6.12.48-1\n"
        "linux-base\tii \t4.12\tlinux-base\t4.12\n"
    )

    assert packages(listed) == (MatchedPackage("linux", "6.12.101-1"), MatchedPackage("linux-base", "4.12"))


def test_headers_without_a_kernel_are_no_kernel() -> None:
    assert packages("linux-libc-dev\tii \t6.12.48-1\tlinux\t6.12.48-1\nbash\tii \t5\tbash\t5\n") == (
        MatchedPackage("bash", "5"),
    )


def test_kernels_of_ubuntu_are_recorded_by_their_kind() -> None:
    listed = "linux-image-6.8.0-51-generic\tii \t6.8.0-51.52\tlinux-signed-hwe-6.8\t6.8.0-51.52\n"

    assert packages(listed) == (MatchedPackage("linux-hwe-6.8", "6.8.0-51.52"),)


def test_removed_packages_are_gone_and_half_installed_ones_are_not() -> None:
    listed = "a\trc \t1\ta\t1\nb\tiU \t1\tb\t1\nc\thi \t1\tc\t1\nd\tun \t1\td\t1\n"

    assert packages(listed) == (MatchedPackage("b", "1"), MatchedPackage("c", "1"))


def test_rpm_packages_keep_epoch_and_stream() -> None:
    listed = (
        "kernel-core\t0\t5.14.0\t503.el9\tx86_64\tk.src.rpm\t(none)\n"
        "kernel-core\t0\t5.14.0\t570.el9\tx86_64\tk.src.rpm\t(none)\n"
        "nodejs\t1\t20.18.2\t1.module_el9\tx86_64\tn.src.rpm\tnodejs:20:9050020250123:rhel9\n"
        "gpg-pubkey\t0\tb86b3716\t61e69f29\t(none)\t(none)\t(none)\n"
    )

    assert installed_of(packages_rpm.parse(Output(0, listed, ""))) == (
        MatchedPackage("kernel-core", "0:5.14.0-570.el9"),
        MatchedPackage("nodejs", "1:20.18.2-1.module_el9", "nodejs:20"),
    )


def test_the_digest_is_of_the_packages_and_not_of_their_order() -> None:
    some = [MatchedPackage("a", "1"), MatchedPackage("b", "1")]

    assert digest_of(some) == digest_of([*reversed(some), some[0]])
    assert digest_of(some) != digest_of(some[:1])


@pytest.mark.parametrize("name", ["patching.cve-exploited/fail", "patching.cve-fixable/fail-module"])
def test_captures_hold_what_is_really_looked_up(tmp_path: Path, name: str) -> None:
    text = (SAMPLES / f"{name}.txt").read_text()
    before, _, after = text.partition("<<<vulnerabilities>>>\n")
    release = "almalinux:9" if "module" in name else "debian:12"

    looked_up = known(tmp_path, release).section(as_answer(before), is_pro=False).stdout.decode() + "\n"

    assert _without_digest(after).startswith(_without_digest(looked_up))


def _without_digest(section: str) -> str:
    """Return it without the bundle's digest, which holds those of inputs that are compressed, by one zlib or another."""
    return re.sub(r'"bundle":"[0-9a-f]{64}"', '"bundle":""', section, count=1)
