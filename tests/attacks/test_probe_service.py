"""Who takes over what parses the answers of servers has the walls of its service, and of this machine a fixed list of probes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from checks.servers.probe_service import REQUEST_BYTES, program_text, request_text
from commands.jobs.servers import all_probes
from tests.schedule.plans import WHOLE
from tests.schedule.test_units import texts_of

NONCE = "0123456789abcdef" * 2


def asked(folder: Path, request: bytes) -> str:
    """Return what the program answers, run as systemd runs it, for an account that every probe may run as."""
    program = folder / "portalops-probe.sh"
    program.write_text(program_text(all_probes().values()))
    done = subprocess.run(["sh", str(program), "root"], input=request, capture_output=True, timeout=60, check=False)
    return done.stdout.decode("utf-8", "replace")


def test_an_answer_that_breaks_the_parser_gains_no_root_and_no_command_of_its_own(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    check = texts_of(WHOLE)["portalops-check.service"]

    for wall in ("CapabilityBoundingSet=", "NoNewPrivileges=yes", "ProtectSystem=strict"):
        assert f"\n{wall}\n" in check
    for word in (
        f"$(touch {marker})",
        f"`touch {marker}`",
        f"x;touch {marker}",
        "*",
        "-e",
        "../../bin/sh@000000000000",
    ):
        said = asked(tmp_path, request_text(NONCE, [word]))
        assert "rc=0" not in said and not marker.exists(), (word, said)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (b"", "it is no request"),
        (b"\0\xff" * 100, "has characters"),
        (b"GET / http/1.1\n", "has characters"),
        (request_text(NONCE[:8], []), "has not 32 characters"),
        (request_text("g" * 32, []), "is not hexadecimal"),
        (request_text(NONCE, [])[:-4], "was cut"),
        (request_text(NONCE, ["a@000000000000"] * (REQUEST_BYTES // 10)), "was cut"),
    ],
)
def test_a_request_of_another_form_is_refused_and_runs_nothing(tmp_path: Path, request_: bytes, said: str) -> None:
    answer = asked(tmp_path, request_)

    assert answer.startswith("portalops-probe: ") and said in answer and "<<<" not in answer


def test_a_probe_that_does_anything_else_than_the_listed_one_is_not_run(tmp_path: Path) -> None:
    answer = asked(tmp_path, request_text(NONCE, ["clock@000000000000", "nothing@0123456789ab"]))

    assert answer.count(" rc=64 s=0 ms=0>>>") == 2 and answer.count("of another version") == 2
    assert answer.endswith(f"<<<{NONCE} done>>>\n")
