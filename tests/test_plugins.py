"""The doors of plug-ins: what is registered is whole, and strict mypy refuses a plug-in of each kind that is not."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from backups.media import MEDIA
from commands.cli.kinds import DOORS
from portalops.config.kinds import TableKind
from portalops.errors import UnknownKind
from portalops.model.message import msg
from portalops.plugins import Door, NotRegistered

ROOT = Path(__file__).parents[1]
ROOTS = ("portalops", "commands", "checks", "backups")


@dataclass(frozen=True)
class Broken:
    """One plug-in, and how it is broken."""

    kind: str
    path: str
    good: str
    bad: str

    @property
    def name(self) -> str:
        return self.kind.replace("-", "_")


BROKEN = (
    Broken("source", "backups/sources/sqlite.py", "def places(", "def place("),
    Broken("medium", "backups/media/disk.py", "def remove(", "def remove_set("),
    Broken("format", "backups/formats/tar.py", ", try_out=try_out", ""),
    Broken("adopter", "backups/adopters/restic.py", "def question(", "def questions("),
    Broken("collection", "backups/collections/folder.py", "def entries(", "def entry("),
    Broken("record-store", "portalops/ledger/record_stores/postgresql.py", ", *, writable: bool", ", *, write: bool"),
    Broken("blob-store", "portalops/ledger/blob_stores/s3.py", ") -> S3Blobs:", ") -> bytes:"),
    Broken("anchor", "portalops/anchors/folder.py", "def publish(", "def publishes("),
    Broken("witness-source", "portalops/witness/sources/folder.py", "def hand_over(", "def hands_over("),
    Broken("site", "portalops/federation/sites/folder.py", "def bundles(", "def bundle("),
    Broken("monitor", "portalops/notify/monitors/textfile.py", "def hear(", "def hears("),
    Broken("channel", "portalops/notify/channels/mail.py", "def send(", "def sends("),
    Broken("import", "checks/imports/lynis.py", "def parse(data: bytes)", "def parse(data: str)"),
    Broken("update-source", "checks/updates/sources/sql.py", "def fetch(", "def fetches("),
    Broken("product", "checks/updates/products/joomla.py", "def accounts(self)", "def account(self)"),
    Broken("report-format", "portalops/reports/formats/markdown.py", "language: str)", "tongue: str)"),
    Broken("paper-format", "portalops/official/formats/markdown.py", "language: str)", "tongue: str)"),
    Broken("report", "portalops/reports/build_yearly.py", "needs=", "need="),
    Broken("check", "checks/servers/ssh/root_login_refused.py", "def judge(facts: Facts)", "def judge(facts: str)"),
    Broken("probe", "checks/servers/probes/mounts.py", "def parse(output: Output)", "def parse(output: bytes)"),
    Broken("own-records", "checks/servers/probes/own_places.py", "def sections(own: Own)", "def sections(own: str)"),
    Broken("drift", "checks/servers/drift/units.py", "compare_states(", "tuple("),
    Broken("record-check", "portalops/compliance/ledger_checks/vuln_cadence.py", "Severity.HIGH", '"high"'),
    Broken("parts", "commands/jobs/parts/verify.py", "work=work, ", ""),
    Broken(
        "diagnostic",
        "commands/doctor/diagnostics/terminal.py",
        "def diagnose(look: DoctorContext)",
        "def diagnose(look: str)",
    ),
)


def doors() -> Iterator[Door[Any]]:
    """Yield every door, found by what it is: a constant of a module that makes one."""
    for root in ROOTS:
        for path in sorted((ROOT / root).rglob("*.py")):
            if re.search(r"^\w+: Final.* = Door\(", path.read_text("utf-8"), re.MULTILINE):
                module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
                yield from (each for each in vars(module).values() if isinstance(each, Door))


EVERY = tuple(dict.fromkeys(doors()))
FAMILIES = tuple(path.name for path in sorted((ROOT / "checks/servers").iterdir()) if (path / "__init__.py").is_file())


@pytest.mark.parametrize("door", EVERY, ids=lambda door: f"{door.package}:{door.constant}")
def test_every_module_of_a_folder_registers_at_its_door(door: Door[Any]) -> None:
    found = dict(door.all())

    assert found
    assert all(isinstance(each, door.kind) for each in found.values())


def test_the_door_of_each_section_is_that_of_its_package() -> None:
    own = {(door.package, door.constant) for door in EVERY if door.kind is not TableKind}

    assert {(door.package, door.constant) for door in DOORS.values()} <= own


def test_to_find_one_imports_its_module_alone_and_to_list_them_none() -> None:
    script = (
        "import sys\n"
        "from portalops.plugins import Door\n"
        "from portalops.config.kinds import TableKind\n"
        "door = Door('backups.media', 'MEDIUM', TableKind)\n"
        "assert 'disk' in door.names() and 'backups.media' not in sys.modules\n"
        "door.load('disk')\n"
        "print(*(name for name in sys.modules if name.startswith('backups.media.') and '._' not in name))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True)

    assert done.stdout.split() == ["backups.media.disk"]


def test_a_module_that_does_not_register_is_told() -> None:
    with pytest.raises(NotRegistered, match=r"backups\.media\.disk has no TAPE"):
        Door("backups.media", "TAPE", TableKind).load("disk")


def test_an_unknown_name_is_told_with_the_nearest_and_all() -> None:
    with pytest.raises(UnknownKind) as caught:
        DOORS["backup.medium"].find("disc", msg("no medium"))

    assert str(caught.value.hint) == f"Did you mean disk? Choose one of: {', '.join(MEDIA.names())}."


def registration(text: str) -> range:
    """Return the lines by which a plug-in registers: a constant of a door's class or of a probe, or a decorated rule."""
    classes = {door.kind.__name__ for door in EVERY} | {"Probe"}
    for node in reversed(ast.parse(text).body):
        match node:
            case ast.Assign(value=ast.Call(func=ast.Name(id=name))) if name in classes:
                return range(node.lineno, (node.end_lineno or node.lineno) + 1)
            case ast.FunctionDef(decorator_list=[ast.Call() as made]):
                return range(made.lineno, node.lineno + 1)
    raise AssertionError("it does not register")


def refused(folder: Path, some: tuple[Broken, ...]) -> tuple[list[str], list[str]]:
    """Copy some plug-ins as they are, and broken; return which of the first strict mypy refuses, and which of the others it passes.

    A broken one is refused if an error is where it registers.
    """
    for each in some:
        text = (ROOT / each.path).read_text("utf-8")
        assert each.good in text, f"{each.kind}: nothing is broken"
        (folder / f"whole_{each.name}.py").write_text(text, "utf-8")
        (folder / f"broken_{each.name}.py").write_text(text.replace(each.good, each.bad), "utf-8")
    call = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), "--no-error-summary"]
    files = [str(path) for path in sorted(folder.glob("*.py"))]
    done = subprocess.run([*call, *files], cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    errors = re.findall(r"(?m)^\S*?(whole|broken)_(\w+)\.py:(\d+): error:", done.stdout)

    def is_refused(each: Broken) -> bool:
        lines = registration((folder / f"broken_{each.name}.py").read_text("utf-8"))
        return any((kind, name) == ("broken", each.name) and int(line) in lines for kind, name, line in errors)

    return [name for kind, name, _line in errors if kind == "whole"], [
        each.name for each in some if not is_refused(each)
    ]


@pytest.mark.heavy
def test_strict_mypy_refuses_a_broken_plug_in_of_each_kind_and_passes_it_whole(tmp_path: Path) -> None:
    assert refused(tmp_path, BROKEN) == ([], [])


def test_each_door_has_a_plug_in_that_is_broken() -> None:
    folders = {str(Path(each.path).parent).replace("/", ".") for each in BROKEN}

    assert {door.package for door in EVERY} <= folders
