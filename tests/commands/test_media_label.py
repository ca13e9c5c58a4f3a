"""Tapes labelled from the command line, in a folder that stands in for a drive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from commands.cli.calling import call
from portalops.errors import ExitCode, MediumUnavailable, UsageError
from portalops.reports.document import Notice
from tests.backups.test_prune import Portal
from tests.commands.test_media_burn import DISK_B
from tests.shapes import data_of, validate

TAPE = """id = "tape-1"
kind = "tape"
device = "tape"
label = "KH0001"
"""


class TapePortal(Portal):
    """A small portal on a disk and a tape."""

    def media(self, *arguments: str, expected: ExitCode = ExitCode.OK) -> Any:
        result = call(self.session("media", *arguments))
        assert result.exit_code is expected, result
        validate(f"media {arguments[0]}", data_of(result))
        return data_of(result)


@pytest.fixture
def portal(tmp_path: Path) -> TapePortal:
    portal = TapePortal(tmp_path)
    path = tmp_path / "portalops.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(DISK_B, TAPE), encoding="utf-8")
    (tmp_path / "tape").mkdir()
    return portal


def test_a_blank_tape_is_labelled_and_recorded(portal: TapePortal) -> None:
    shown = portal.media("label", "tape-1", "--dry-run")
    assert (shown["before"], shown["recorded"], list((portal.folder / "tape").iterdir())) == ("blank", False, [])

    done = portal.media("label", "tape-1")

    (body,) = portal.bodies("media.labelled")
    assert body["tape_label"]["label"] == "KH0001"
    assert body["tape_label"]["labelled"] == done["labelled"]
    checked = portal.media("check", "tape-1")[0]
    assert (checked["reached"], checked["writable"], checked["sets"]) == (True, True, 0)


def test_a_tape_that_is_not_blank_is_labelled_only_when_its_new_label_is_typed(portal: TapePortal) -> None:
    (portal.folder / "tape" / "000000").write_bytes(b"of another program")

    with pytest.raises(MediumUnavailable, match="not blank"):
        portal.media("label", "tape-1")
    with pytest.raises(UsageError, match=r"All that is on the tape in .* will be lost"):
        portal.media("label", "tape-1", "--overwrite")
    with pytest.raises(UsageError):
        portal.media("label", "tape-1", "--overwrite", "--confirm", "KH0002")
    done = portal.media("label", "tape-1", "--overwrite", "--confirm", "KH0001")

    assert done["before"] == "foreign"
    assert len(portal.bodies("media.labelled")) == 1, "what was refused is not recorded"


def test_a_tape_with_sets_is_not_labelled_and_a_disk_never(portal: TapePortal) -> None:
    portal.media("label", "tape-1")
    portal.back_up(1)

    with pytest.raises(MediumUnavailable, match="holds 1 sets"):
        portal.media("label", "tape-1", "--overwrite", "--confirm", "KH0001")
    with pytest.raises(UsageError, match="there is no tape disk-a"):
        portal.media("label", "disk-a")


@pytest.mark.parametrize("command", ["run", "replicate"])
def test_a_run_that_meets_a_blank_tape_says_how_it_is_labelled(portal: TapePortal, command: str) -> None:
    path = portal.folder / "portalops.toml"
    path.write_text(f'{path.read_text()}\n[[job]]\nid = "daily-copy"\nkind = "copy"\nevery = "day"\n', encoding="utf-8")
    result = call(portal.session("backup", "run"))
    if command == "replicate":
        result = call(portal.session("backup", "replicate"))

    assert result.exit_code is ExitCode.PARTIAL
    notices = [str(block.text) for block in result.view if isinstance(block, Notice)]
    assert any("is blank; the tape KH0001 is needed" in each for each in notices)
    hint = "tape-1: Insert the tape KH0001; or give this tape the label KH0001: 'portalops media label tape-1'."
    assert notices.index(hint) < notices.index(next(each for each in notices if "portalops media check tape-1" in each))
