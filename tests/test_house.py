"""What holds for the house as a whole: whose packages these are, which way arrows run, what no file may say."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("portalops", "commands", "checks", "backups")


def tracked_files() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=False, capture_output=True)
    if done.returncode != 0:
        pytest.skip("this is no git work tree, so nobody knows which files belong to it")
    names = done.stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("package", PACKAGES)
def test_the_import_packages_belong_to_portalops_alone(package: str) -> None:
    assert set(packages_distributions()[package]) == {"portalops"}


def test_arrows_run_one_way() -> None:
    # In a process of its own: it sets up logging anew, and shuts every logger that other tests here read.
    asked = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as main; main()", "--no-cache"]
    done = subprocess.run(asked, cwd=ROOT, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_is_typed_for_its_users(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_every_folder_with_code_is_a_package() -> None:
    folders = {path.parent for top in (*PACKAGES, "tests") for path in (ROOT / top).rglob("*.py")}

    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


FORBIDDEN = {
    "a path of one machine": re.compile(rb"/work/|/root/|/tmp/[A-Za-z]|/home/[a-z]+/|\.pyenv"),
    "a package index": re.compile(
        rb"pypi\.org|pythonhosted|--index-url|--extra-index-url|artifact-?registry", re.IGNORECASE
    ),
    "work that is not done": re.compile(rb"\bTODO\b|\bFIXME\b|\bXXX\b|\bFILL IN\b|NotImplementedError"),
}
NAMES_THEM_ON_PURPOSE = {"tests/test_house.py"}
CAPTURED = (
    "tests/samples/",
    "tests/checks/servers/matrix/",
    "tests/checks/servers/test_matrix.py",
    "tests/checks/servers/test_drift_on_hosts.py",
    "tests/packaging/test_on_hosts.py",
)
"""Real output of real systems, and commands that run on whole hosts of their own, may name any path."""


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_file_holds(what: str) -> None:
    found = []
    for path in tracked_files():
        name = str(path.relative_to(ROOT))
        if name in NAMES_THEM_ON_PURPOSE or name.startswith(CAPTURED):
            continue
        match = FORBIDDEN[what].search(path.read_bytes())
        if match:
            found.append(f"{name}: {match.group().decode(errors='replace')}")

    assert found == []


def test_the_lock_has_a_digest_for_every_requirement() -> None:
    for name in ("run.txt", "dev.txt", "portal.txt"):
        text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
        blocks = re.split(r"(?m)^(?=[a-zA-Z0-9])", text)[1:]
        assert blocks
        assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_the_lock_covers_every_dependency_and_what_installing_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    locked = set(re.findall(r"(?m)^([a-z0-9-]+)==", (ROOT / "requirements/run.txt").read_text(encoding="utf-8")))
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    names = {re.split(r"[^A-Za-z0-9.-]", each)[0].lower().replace(".", "-") for each in wanted}

    assert names - locked == set()


def test_the_readmes_say_the_commands_that_are_checked() -> None:
    check = (ROOT / ".ci/run").read_text(encoding="utf-8")

    assert "make check" in check
    for name in ("README.md", "README.vi.md"):
        commands = re.findall(r"(?m)^(?:\$ )?(make [a-z-]+)", (ROOT / name).read_text(encoding="utf-8"))
        assert {"make run", "make test"} <= set(commands), name
    assert "make test" in check


def test_make_lists_its_targets_by_default() -> None:
    done = subprocess.run(["make"], cwd=ROOT, check=True, capture_output=True, text=True)

    for target in ("run", "test", "test-all", "check", "bench", "wheelhouse", "deb", "lock"):
        assert f"make {target} " in done.stdout


def test_the_configuration_at_the_root_is_whole() -> None:
    from portalops.config import load

    settings = load(ROOT / "portalops.toml", {})

    assert {job.kind.value for job in settings.jobs} == {
        "backup",
        "verify",
        "check",
        "updates",
        "report",
        "anchor",
    }
    assert {str(source.values["class"]) for source in settings.backup_sources} >= {
        "configuration", "accounts", "channels", "content", "related",
    }  # fmt: skip
    assert len(settings.backup_media) == 2
