"""Tapes in a machine whose kernel takes its drive for a real one: the suite of media, whole runs, faults, a restore by mt and dd."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backups.media._tape_layout import Label, tape_guide
from portalops.errors import ExitCode
from tests.backups.kit import keys
from tests.vm import TAPE, Machine

pytestmark = [pytest.mark.vm, pytest.mark.heavy]

CONFIGURATION = """
[portal]
id = "demo"
name = {{ vi = "Cổng", en = "Portal" }}
timezone = "Asia/Ho_Chi_Minh"

[state]
folder = "state"

[backup]
pack_mib = 1
recipients = [{{ name = "operator", key = "{operator}" }}, {{ name = "escrow", key = "{escrow}" }}]

[backup.retention]
keep_last = 50

[backup.excused]
configuration = "in the content"
accounts = "in the content"
channels = "in the content"
documents = "in the content"
related = "in the content"

[[backup.source]]
id = "articles"
kind = "files"
class = "content"
include = ["articles"]

[[backup.medium]]
id = "disk-a"
kind = "disk"
folder = "disk-a"
create = true
allow_same_filesystem = true

[[backup.medium]]
id = "tape-1"
kind = "tape"
device = "{device}"
label = "KH0001"
block_kib = 64

[[job]]
id = "weekly-backup"
kind = "backup"
every = "week"
duty = "10.2"

[[job]]
id = "weekly-verify"
kind = "verify"
every = "week"
duty = "10.2"

[[job]]
id = "daily-copy"
kind = "copy"
every = "day"

[[job]]
id = "monthly-drill"
kind = "drill"
every = "month"
"""
TOO_LARGE = 60
"""MiB of articles that do not fit on a tape of 32 MiB."""


class Portal:
    """A small portal inside the machine, on a disk and a tape."""

    def __init__(self, vm: Machine, folder: str) -> None:
        self._vm = vm
        self.folder = folder
        operator, escrow = (key for _name, key in keys().public)
        vm.write(f"{folder}/portalops.toml", CONFIGURATION.format(operator=operator, escrow=escrow, device=TAPE))
        vm.write(f"{folder}/key", keys().operator)
        vm.shell(f"mkdir {folder}/articles; cd {folder}/articles; for n in 1 2 3; do head -c 1M /dev/urandom >$n; done")

    def call(self, *arguments: str, expected: ExitCode = ExitCode.OK) -> Any:
        """Call portalops and return its data, or its error."""
        done = self._vm.run(
            "portalops", "--config", f"{self.folder}/portalops.toml", "--json", *arguments, check=False, seconds=900
        )
        assert done.code == expected, done
        answer = json.loads(done.output)
        return answer.get("data") or answer.get("error")

    def back_up(self, expected: ExitCode = ExitCode.OK) -> tuple[str, dict[str, str], str]:
        """Back up and return the set, the state of each copy, and what is wrong with the one on the tape."""
        made = self.call("backup", "run", "--accept-shrink", "articles", expected=expected)
        states = {copy["medium"]: copy["state"] for copy in made["copies"]}
        problem = next(copy["problem"] for copy in made["copies"] if copy["medium"] == "tape-1")
        return made["set"], states, problem or ""


BOTH = {"disk-a": "verified", "tape-1": "verified"}
WITHOUT_TAPE = {"disk-a": "verified", "tape-1": "failed"}


@pytest.fixture(scope="module")
def machine(vm: Machine) -> Machine:
    vm.install_portalops(tests=True)
    return vm


def test_the_suite_of_media_passes_on_the_drive(machine: Machine) -> None:
    machine.load_tape(size_mib=128, name="suite")

    done = machine.shell(
        f"cd /opt/portalops && PORTALOPS_TEST_TAPE={TAPE} python3 -m pytest -q -p no:cacheprovider --tb=short"
        " tests/contract/test_media.py -k '[tape and not large'",
        check=False,
        seconds=1800,
    )

    assert done.code == 0, done.output[-5000:]
    assert "passed" in done.output and "failed" not in done.output


def test_a_run_goes_to_tape_is_read_back_restored_drilled_and_used_again(machine: Machine) -> None:
    machine.load_tape(size_mib=64, name="A")
    portal = Portal(machine, "/srv/whole")

    # a blank tape is no tape of ours until it is labelled
    _set, states, problem = portal.back_up(ExitCode.PARTIAL)
    assert states == WITHOUT_TAPE and "is blank" in problem
    labelled = portal.call("media", "label", "tape-1")
    assert (labelled["label"], labelled["before"]) == ("KH0001", "blank")

    # what was missed is copied, and the next run goes to both
    portal.call("backup", "replicate")
    made, states, _problem = portal.back_up()
    assert states == BOTH
    portal.call("backup", "verify", made)
    portal.call("media", "check", "tape-1")
    identity = ("--identity", "/srv/whole/key")
    portal.call("backup", "restore", made, "--medium", "tape-1", "--to", "/srv/whole/out", *identity)
    machine.shell('cd /srv/whole && diff -r articles "$(dirname "$(find out -path "*/articles/2")")"')
    portal.call("backup", "drill", "--medium", "tape-1", *identity)
    assert "holds 2 sets" in str(
        portal.call("media", "label", "tape-1", "--overwrite", "--confirm", "KH0001", expected=ExitCode.FAILED)
    )

    # an engineer with mt and dd, by the guide that is on the tape
    machine.shell(f"mt -f {TAPE} rewind; mt -f {TAPE} fsf 1; dd if={TAPE} of=/srv/guide bs=1M status=none")
    label = Label("KH0001", labelled["labelled"], 64 << 10)
    guide = machine.read("/srv/guide")
    assert guide.rstrip(b"\n") == tape_guide(label).rstrip(b"\n")
    english = guide[guide.index(b"# How to restore") :].decode()
    commands = "\n".join(line[4:] for line in english.splitlines() if line.startswith("    "))
    machine.shell(f"mkdir /srv/by-hand; cd /srv/by-hand; set -e\nTAPE={TAPE}\n{commands}")
    machine.run("diff", "-r", f"/srv/whole/disk-a/{made}", f"/srv/by-hand/{made}")


def test_wrong_and_missing_tapes_are_told_and_the_next_run_succeeds(machine: Machine) -> None:
    machine.load_tape(size_mib=32, name="first")
    portal = Portal(machine, "/srv/wrong")
    portal.call("media", "label", "tape-1")
    portal.back_up()

    machine.load_tape(size_mib=32, name="foreign")
    machine.shell(f"tar -cf {TAPE} /etc/passwd")
    _set, states, problem = portal.back_up(ExitCode.PARTIAL)
    assert states == WITHOUT_TAPE and "not from portalops" in problem and "KH0001" in problem

    machine.eject_tape()
    _set, states, problem = portal.back_up(ExitCode.PARTIAL)
    assert states == WITHOUT_TAPE and "there is no tape in" in problem

    machine.load_tape(name="first", blank=False)
    machine.run("python3", "-c", f"import os,time; f=os.open('{TAPE}',os.O_RDONLY); os.close(f)")
    _set, states, _problem = portal.back_up()
    assert states == BOTH


def test_a_tape_that_ends_amid_a_run_keeps_its_sets_and_a_run_that_is_killed_leaves_nothing(machine: Machine) -> None:
    machine.load_tape(size_mib=32, name="small")
    portal = Portal(machine, "/srv/full")
    portal.call("media", "label", "tape-1")
    first, states, _problem = portal.back_up()
    assert states == BOTH

    # it is full in mid-run
    machine.shell(f"head -c {TOO_LARGE}M /dev/urandom >/srv/full/articles/large")
    _set, states, problem = portal.back_up(ExitCode.PARTIAL)
    assert states == WITHOUT_TAPE and "is full" in problem
    machine.shell("rm /srv/full/articles/large")
    second, states, _problem = portal.back_up()
    assert states == BOTH
    portal.call("backup", "verify", first)

    # killed while it is written
    machine.shell("head -c 12M /dev/urandom >/srv/full/articles/large")
    machine.shell(
        "portalops --config /srv/full/portalops.toml backup run >/dev/null 2>&1 & pid=$!;"
        "until ls -d /srv/full/disk-a/.incoming-*/data/content/articles/*.0004.age >/dev/null 2>&1; do sleep 0.1; done;"
        "kill -9 $pid; wait $pid; true"
    )
    machine.shell("rm /srv/full/articles/large")
    third, states, _problem = portal.back_up()
    assert states == BOTH
    for made in (first, second, third):
        assert [copy["state"] for copy in portal.call("backup", "verify", made)] == ["verified", "verified"]
