"""`portalops init` asks little, overwrites nothing, and what it writes is a configuration that works."""

from __future__ import annotations

import io
import json
import os
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from backups.media import build_medium
from commands.cli.entry import run
from commands.cli.invocation import parse_invocation
from commands.cli.prompt import TerminalPrompt
from commands.cli.session import Session
from portalops.config import load
from portalops.errors import ExitCode, MediumUnavailable, UsageError
from portalops.model.message import msg
from tests.accounts import as_ordinary_user

ANSWERS = ("--portal-id", "kh", "--name-vi", ' Cổng "Khánh Hòa" \\ ', "--language", "vi")


def called(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any], str]:
    code = run(["--json", "--lang", "en", "--no-input", *arguments, "--folder", str(folder)], os.environ)
    output = capsys.readouterr()
    return code, json.loads(output.out), output.err


def test_what_init_writes_passes_config_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said, _ = called(
        tmp_path, capsys, "init", *ANSWERS, "--medium", str(tmp_path / "disk a"), "--medium", "/mnt/b"
    )
    assert code == ExitCode.OK
    assert [key["id"] for key in said["data"]["keys"]] == ["operator", "escrow", "signing"]

    check = ["--json", "--lang", "en", "config", "check", "--config", str(tmp_path / "portalops.toml")]
    run(check, os.environ)
    before = json.loads(capsys.readouterr().out)["data"]
    (tmp_path / "disk a").mkdir()
    written = (tmp_path / "portalops.toml").read_text().replace('"disk a"', '"disk a"\nallow_same_filesystem = true', 1)
    (tmp_path / "portalops.toml").write_text(written)
    code = run(check, os.environ)

    assert [each["message"].partition(":")[0] for each in before] == ["no backup medium is there"]
    assert (code, json.loads(capsys.readouterr().out)["data"]) == (ExitCode.OK, [])


def test_what_init_writes_backs_up_something_real(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    called(tmp_path, capsys, "init", *ANSWERS, "--medium", str(tmp_path / "disk a"))

    settings = load(tmp_path / "portalops.toml", {})

    assert settings.portal.name.vi == 'Cổng "Khánh Hòa" \\'
    assert [source.kind for source in settings.backup_sources] == ["files", "accounts", "ledger"]
    assert settings.backup_sources[0].values["include"] == ["/etc"]
    assert settings.backup_media[0].values["folder"] == "disk a"
    assert len({recipient.public_key for recipient in settings.backup.recipients}) == 2
    assert {"backup", "copy", "check", "report", "verify"} <= {job.kind for job in settings.jobs}


def test_a_disk_that_is_mounted_must_be_mounted_later_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    called(tmp_path, capsys, "init", *ANSWERS, "--medium", "/proc/backup", "--medium", str(tmp_path / "disk"))

    mounted, here = load(tmp_path / "portalops.toml", {}).backup_media

    assert (mounted.values["mount_point"], "allow_same_filesystem" in mounted.values) == ("/proc", False)
    assert "mount_point" not in here.values or here.values["mount_point"] != "/"


@pytest.mark.parametrize(
    ("folder", "mount_point"),
    [
        ("/mnt/not-there/portal", "/mnt/not-there"),
        ("/media/not-there", "/media/not-there"),
        ("/run/media/an/KH-01/sets", "/run/media/an/KH-01"),
    ],
)
def test_a_disk_that_is_not_attached_yet_is_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], folder: str, mount_point: str
) -> None:
    _code, said, _ = called(tmp_path, capsys, "init", *ANSWERS, "--medium", folder)

    (medium,) = load(tmp_path / "portalops.toml", {}).backup_media
    assert (medium.values["mount_point"], "allow_same_filesystem" in medium.values) == (mount_point, False)
    assert said["warnings"] == [f"no disk is mounted on {mount_point}: until one is, nothing is written to disk-a"]
    with pytest.raises(MediumUnavailable, match=f"nothing is mounted on {mount_point}"):
        build_medium(medium).prepare([Path("/etc")])


def test_a_folder_that_is_not_there_is_not_taken_for_this_machine_s_own_disk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _code, said, _ = called(tmp_path, capsys, "init", *ANSWERS, "--medium", "/srv/not-there/disk")

    (medium,) = load(tmp_path / "portalops.toml", {}).backup_media
    assert not {"mount_point", "allow_same_filesystem"} & set(medium.values)
    assert "there is no folder /srv/not-there/disk" in said["warnings"][0]


def test_a_folder_that_is_there_on_this_machine_s_own_disk_is_used_and_said_to_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = Path("/etc")  # the one folder that lies beside what is copied on every machine

    _code, said, _ = called(tmp_path, capsys, "init", *ANSWERS, "--medium", str(there))

    (medium,) = load(tmp_path / "portalops.toml", {}).backup_media
    assert (medium.values.get("allow_same_filesystem"), said["warnings"]) == (True, [])


def test_the_comments_are_in_the_chosen_language_and_the_text_is_toml(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    called(tmp_path, capsys, "init", *ANSWERS[:-1], "en", "--medium", "/mnt/b")

    text = (tmp_path / "portalops.toml").read_text(encoding="utf-8")

    assert "# After" not in text and "After a change run: portalops config check" in text
    assert tomllib.loads(text)["portal"]["language"] == "en"


def test_a_missing_answer_names_its_option_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said, _ = called(tmp_path, capsys, "init", "--portal-id", "kh")

    assert code == ExitCode.USAGE
    assert said["error"]["message"].startswith("--name-vi is needed")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "wrong",
    [("--portal-id", "Khánh Hòa"), ("--name-vi", "a\nb"), ("--language", "fr"), ("--medium", " "), ("--name-en", " ")],
)
def test_a_wrong_answer_is_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: Sequence[str]
) -> None:
    code, said, _ = called(tmp_path, capsys, "init", *ANSWERS, "--medium", "/mnt/b", *wrong)

    assert code == ExitCode.USAGE
    assert wrong[0] in said["error"]["message"]
    assert list(tmp_path.iterdir()) == []


def test_a_second_init_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    called(tmp_path, capsys, "init", *ANSWERS, "--medium", "/mnt/b")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    code, said, _ = called(tmp_path, capsys, "init", *ANSWERS, "--medium", "/mnt/c")

    assert code == ExitCode.OK
    assert said["data"]["written"] is False
    assert {key["state"] for key in said["data"]["keys"]} == {"present"}
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_keys_alone_are_made_for_a_configuration_that_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "portalops.toml").write_text(
        '[portal]\nid = "kh"\nname = { vi = "C" }\n[backup]\n'
        'recipients = [{ name = "operator", file = "var/k/o.age.pub" }, { name = "escrow", file = "var/k/e.age.pub" }]\n',
        encoding="utf-8",
    )

    code, said, _ = called(tmp_path, capsys, "init", "--keys")

    assert code == ExitCode.OK
    assert sorted(path.name for path in (tmp_path / "var/k").iterdir()) == ["e.age", "e.age.pub", "o.age", "o.age.pub"]
    assert all(key["private_is_here"] for key in said["data"]["keys"])


def test_private_keys_on_this_machine_are_told_plainly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--lang", "en", "init", "--no-input", *ANSWERS, "--medium", "/mnt/b", "--folder", str(tmp_path)]
    run(arguments, os.environ)

    said = capsys.readouterr().out

    assert "Move the private keys off this machine now" in said
    assert "escrow.age" in said and "shred -u" in said
    assert "AGE-SECRET-KEY" not in said


def test_a_wrong_configuration_is_left_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "portalops.toml").write_text("[portal]\nid = 1\n", encoding="utf-8")

    code, _said, _ = called(tmp_path, capsys, "init", "--keys")

    assert code == ExitCode.CONFIGURATION
    assert [path.name for path in tmp_path.iterdir()] == ["portalops.toml"]


def test_the_prompt_asks_again_until_the_answer_is_accepted() -> None:
    shown = io.StringIO()
    prompt = TerminalPrompt(io.StringIO("bad\n\nvi\n"), shown)

    answer = prompt.ask(
        msg("Language"), option="--language", default="", accept=lambda text: None if text == "vi" else msg("no")
    )

    assert answer == "vi"
    assert shown.getvalue().count("Language: ") == 3


def test_an_empty_answer_takes_the_default_and_the_end_of_input_is_wrong_usage() -> None:
    prompt = TerminalPrompt(io.StringIO("\n"), io.StringIO())

    assert prompt.ask(msg("Language"), option="--language", default="vi", accept=lambda text: None) == "vi"
    with pytest.raises(UsageError, match="--language"):
        prompt.ask(msg("Language"), option="--language", default="vi", accept=lambda text: None)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    called(tmp_path, capsys, "init", *ANSWERS, "--medium", "/mnt/b")
    with as_ordinary_user() as folder:
        closed = folder / "closed"
        closed.mkdir(mode=0o500)

        code, said, _ = called(closed, capsys, "init", *ANSWERS, "--medium", "/mnt/b")

        assert code == ExitCode.FAILED
        assert said["error"]["code"] == "PO1603"
        assert list(closed.iterdir()) == []


def test_a_ledger_that_init_begins_is_claimed_from_its_first_record_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    called(tmp_path, capsys, "init", *ANSWERS, "--medium", str(tmp_path / "disk a"))
    config = ["--json", "--lang", "en", "--config", str(tmp_path / "portalops.toml")]
    session = Session(parse_invocation(config, {}), {})
    session.recorder.record("note", "note", {"said": "before the first head"})
    session.claim()
    run([*config, "ledger", "head"], os.environ)
    capsys.readouterr()

    run([*config, "ledger", "verify"], os.environ)
    found = json.loads(capsys.readouterr().out)["data"]["integrity"]

    assert (found["holds"], len(found["writers"])) == (True, 1)
    assert found["unclaimed"] == found["awaited"] == []
    assert found["claimed"][0]["first"] == 2
    assert (tmp_path / "state/keys/writer").stat().st_mode & 0o777 == 0o600
    assert not list((tmp_path / "state/unclaimed").glob("*.journal"))
