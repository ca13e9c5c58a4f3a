"""Real repositories of restic, borg and pgBackRest are read as what these tools claim of them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from backups.adopters import Adopter, AdopterContext, build_adopter
from backups.adopting import ask_tool
from portalops.model.adopted import AdoptedPoll
from tests.backups.kit import table
from tests.backups.postgresql.parts import prefix, short_folder, versions
from tests.doubles import MemoryKeeper
from tests.programs import need

PASSWORD = "mật khẩu"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    need("restic", "borg")
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")
    secret.chmod(0o600)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "bài viết.txt").write_text("nội dung" * 100)
    return tmp_path


def call(*argv: str | Path, variables: Mapping[str, str]) -> None:
    subprocess.run(argv, check=True, capture_output=True, env={"PATH": os.environ["PATH"], **variables})


def adopter(kind: str, folder: Path, **values: Any) -> Adopter:
    settings = {"class": "content", "password": {"file": "password"}, **values}
    return build_adopter(table(kind, settings, folder), AdopterContext(ZoneInfo("Asia/Ho_Chi_Minh")))


def ask(kind: str, folder: Path, **values: Any) -> AdoptedPoll:
    return ask_tool(adopter(kind, folder, **values), MemoryKeeper())


def version_of(program: str) -> tuple[int, ...]:
    """Return the first two numbers of a program's version: Debian 12 has restic 0.14 and borg 1.2, Debian 13 0.18 and 1.4."""
    said = subprocess.run([program, "version" if program == "restic" else "--version"], check=True, capture_output=True)
    return tuple(int(each) for each in re.findall(r"\d+", said.stdout.decode())[:2])


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.heavy
def test_snapshots_of_a_real_restic_repository_are_claimed(folder: Path) -> None:
    variables = {"RESTIC_PASSWORD": PASSWORD, "HOME": str(folder)}
    repository = folder / "restic"
    call("restic", "init", "-r", repository, variables=variables)
    for host in ("web1", "web2"):
        call("restic", "backup", "-r", repository, "--host", host, folder / "data", variables=variables)
    before = files_of(repository)

    look = ask("restic", folder, repository=str(repository))
    one = ask("restic", folder, repository=str(repository), host="web2")

    assert look.problem == ""
    assert [each.host for each in look.backups] == ["web1", "web2"]
    size = len("nội dung".encode()) * 100 if version_of("restic") >= (0, 17) else None  # before, none is told
    assert [each.size_bytes for each in look.backups] == [size] * 2
    assert [each.host for each in one.backups] == ["web2"]
    assert files_of(repository) == before


@pytest.mark.heavy
def test_a_restic_repository_without_snapshots_and_one_that_is_not_there_differ(folder: Path) -> None:
    call("restic", "init", "-r", folder / "restic", variables={"RESTIC_PASSWORD": PASSWORD, "HOME": str(folder)})

    empty = ask("restic", folder, repository=str(folder / "restic"))
    absent = ask("restic", folder, repository=str(folder / "absent"))

    assert (empty.problem, empty.backups) == ("", ())
    code = "exit code 10:" if version_of("restic") >= (0, 17) else "exit code 1:"
    assert code in absent.problem and "unable to open config file" in absent.problem


@pytest.mark.heavy
def test_a_wrong_password_is_said_and_not_repeated(folder: Path) -> None:
    call("restic", "init", "-r", folder / "restic", variables={"RESTIC_PASSWORD": "other", "HOME": str(folder)})

    look = ask("restic", folder, repository=str(folder / "restic"))

    assert "wrong password" in look.problem and PASSWORD not in look.problem


@pytest.mark.heavy
def test_archives_of_a_real_borg_repository_are_claimed(folder: Path) -> None:
    variables = {"BORG_PASSPHRASE": PASSWORD, "BORG_BASE_DIR": str(folder / "base")}
    repository = folder / "borg"
    call("borg", "init", "-e", "repokey", repository, variables=variables)
    for name in ("web1-1", "web1-2", "other"):
        call("borg", "create", f"{repository}::{name}", folder / "data", variables=variables)
    before = files_of(repository)

    look = ask("borg", folder, repository=str(repository), base_folder=str(folder / "base"), archives="web1-*")
    elsewhere = ask("borg", folder, repository=str(repository), base_folder=str(folder / "fresh"))

    assert look.problem == ""
    assert sorted(each.about for each in look.backups) == ["web1-1", "web1-2"]
    assert all(each.made_at is not None and each.host for each in look.backups)
    assert len(elsewhere.backups) == 3
    assert files_of(repository) == before


def test_a_borg_repository_with_another_passphrase_did_not_answer(folder: Path) -> None:
    variables = {"BORG_PASSPHRASE": "other", "BORG_BASE_DIR": str(folder / "base")}
    call("borg", "init", "-e", "repokey", folder / "borg", variables=variables)

    look = ask("borg", folder, repository=str(folder / "borg"), base_folder=str(folder / "base"))

    code = "exit code 52:" if version_of("borg") >= (1, 4) else "exit code 2:"
    assert code in look.problem and "incorrect" in look.problem


@pytest.fixture(scope="module")
def pgbackrest() -> Iterator[Path]:
    """A configuration with a stanza of a stopped cluster that was backed up, and one that never was."""
    need("pgbackrest")
    initdb = Path(versions()[0].folder) / "initdb"
    with short_folder() as folder:

        def run(*argv: str | Path) -> None:
            subprocess.run([*prefix(), *argv], check=True, capture_output=True, cwd="/")

        run(initdb, "-D", folder / "data", "-A", "trust", "-U", "postgres", "--no-sync")
        config = folder / "pgbackrest.conf"
        paths = "\n".join(f"{name}-path={folder}/{name}" for name in ("repo1", "log", "lock", "spool"))
        config.write_text(f"[global]\n{paths}\n[portal]\npg1-path={folder}/data\n[other]\npg1-path={folder}/other\n")
        for verb in ("stanza-create", "backup"):
            run("pgbackrest", f"--config={config}", "--stanza=portal", "--no-online", verb)
        yield config


@pytest.mark.heavy
def test_backups_of_a_real_pgbackrest_repository_are_claimed(pgbackrest: Path, tmp_path: Path) -> None:
    settings = {"class": "content", "config": str(pgbackrest)}
    context = AdopterContext(ZoneInfo("UTC"))

    look = ask_tool(
        build_adopter(table("pgbackrest", {**settings, "stanza": "portal"}, tmp_path), context), MemoryKeeper()
    )
    other = ask_tool(
        build_adopter(table("pgbackrest", {**settings, "stanza": "other"}, tmp_path), context), MemoryKeeper()
    )

    (made,) = look.backups
    assert look.problem == ""
    assert (made.about, made.problem) == ("stanza portal, full", "")
    assert made.made_at is not None and (made.size_bytes or 0) > 10 << 20
    assert (other.backups, other.notes) == ((), ("stanza other: missing stanza path",))
