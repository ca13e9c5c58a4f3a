"""A credential that systemd hands over is taken from there; without systemd, only from a file that is its owner's alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from portalops.config.secrets import Reference
from portalops.errors import SecretUnavailable

REFERENCE = Reference(credential="smtp")


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "smtp").write_text("kept\n")
    (folder / "smtp").chmod(0o600)
    return folder


def test_under_cron_a_private_file_is_read(kept: Path) -> None:
    assert REFERENCE.reveal({}, credentials=kept) == "kept"


def test_what_systemd_hands_over_goes_first(kept: Path, tmp_path: Path) -> None:
    (tmp_path / "smtp").write_text("handed over")
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path)}

    assert REFERENCE.reveal(environment, credentials=kept) == "handed over"
    (tmp_path / "smtp").unlink()
    with pytest.raises(SecretUnavailable, match="No such file"):
        REFERENCE.reveal(environment, credentials=kept)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_can_read_is_refused(kept: Path, mode: int) -> None:
    (kept / "smtp").chmod(mode)

    with pytest.raises(SecretUnavailable, match="can be read or changed by others"):
        REFERENCE.reveal({}, credentials=kept)


def test_where_none_is_the_place_for_it_is_named(kept: Path) -> None:
    (kept / "smtp").unlink()

    with pytest.raises(SecretUnavailable, match="there is no credential smtp") as caught:
        REFERENCE.reveal({}, credentials=kept)

    assert f"Put it into {kept}/smtp, mode 600" in str(caught.value.hint)


def test_a_folder_in_its_place_is_no_secret(kept: Path) -> None:
    (kept / "smtp").unlink()
    (kept / "smtp").mkdir(mode=0o700)

    with pytest.raises(SecretUnavailable, match="not a regular file"):
        REFERENCE.reveal({}, credentials=kept)
