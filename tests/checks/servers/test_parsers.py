"""What a hostile host prints makes a fact missing; it stops no parser, and takes no memory that it was not given."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest

from checks.servers.catalogue import checks, probes_of
from checks.servers.probe import MissingFact, Output, Probe, ProbeResult, fact_of
from checks.servers.probes import containers, haproxy, os_release, web_files
from checks.servers.probes.os_release import OsRelease

HOSTILE = {
    "deep": b"[" * 200_000,
    "deep-objects": b'{"a":' * 40_000,
    "long-number": b"9" * 20_000,
    "long-field": b"# pxname,svname,status,check_status,type\n" + b"x" * 200_000 + b",a,UP,L4OK,2\n",
    "huge-times": b"log 99999999999 /var/log/auth.log\nborn 99999999999\nend\n",
    "brackets": b"vrrp_instance {" * 10_000 + b"\n# end\n",
    "words": b"included " * 25_000,
    "nul": b"\x00" * 1000,
    "infinity": b'{"version":Infinity,"recovery":true,"system":"1","timeline":1,"lsn":"0/0","replayed":"0/0","receivers":null,'
    b'"replicas":null,"switched":[Infinity]}',
}


@pytest.mark.parametrize("probe", probes_of(checks()).values(), ids=lambda probe: probe.id)
@pytest.mark.parametrize("said", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_parser_crashes(probe: Probe[Any], said: bytes) -> None:
    fact = fact_of(probe, ProbeResult(probe.id, 0, said, b"", 0))

    assert not isinstance(fact, MissingFact) or fact.reason != "parser-crashed", str(fact.seen)


@pytest.mark.parametrize(
    ("broken", "is_read"), [('PRETTY_NAME="Debian', True), ('VERSION_ID="13', False), ("ID='debian", False)]
)
def test_an_os_release_that_is_broken_off_is_no_fault_of_portalops(*, broken: str, is_read: bool) -> None:
    said = f"ID=debian\nVERSION_ID=13\n{broken}\n".encode()

    fact = fact_of(os_release.PROBE, ProbeResult("os.release", 0, said, b"", 0))

    assert isinstance(fact, OsRelease) is is_read
    assert is_read or (isinstance(fact, MissingFact) and fact.reason == "unparseable")


def test_a_parser_that_crashes_makes_its_own_fact_missing_and_no_other() -> None:
    def parse(output: Output) -> int:
        return int(output.text) // 0

    fact = fact_of(Probe("test.crash", ("true",), parse), ProbeResult("test.crash", 0, b"1", b"", 0))

    assert isinstance(fact, MissingFact)
    assert fact.reason == "parser-crashed"


def test_ranges_of_ports_are_bounded() -> None:
    line = json.dumps({"Names": "a", "Ports": "0.0.0.0:1-65535->1-65535/tcp"})
    said = "docker\n" + f"{line}\n" * 3000 + "end\n"
    tracemalloc.start()

    fact = fact_of(containers.PROBE, ProbeResult(containers.PROBE.id, 0, said.encode(), b"", 0))

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(fact, MissingFact)
    assert peak < 64 << 20


def test_a_line_of_haproxy_that_is_too_long_is_no_fact() -> None:
    fact = fact_of(haproxy.PROBE, ProbeResult(haproxy.PROBE.id, 0, HOSTILE["long-field"] + b"\nend\n", b"", 0))

    assert isinstance(fact, MissingFact)


@pytest.mark.parametrize("line", ["f 644 www-data /var/www/" + "a" * 980, "failed", "f 644 www-data /var/www/a\nb"])
def test_a_cut_name_or_a_search_that_failed_says_nothing_of_web_files(line: str) -> None:
    said = f"root /var/www\n{line}\nend\n".encode()

    fact = fact_of(web_files.PROBE, ProbeResult(web_files.PROBE.id, 0, said, b"", 0))

    assert isinstance(fact, MissingFact)
