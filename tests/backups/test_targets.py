"""Where a restore may write."""

from __future__ import annotations

from pathlib import Path

import pytest

from backups.targets import SERVERS, require_apart, require_no_server
from portalops.errors import UnsafeTarget
from portalops.model.message import msg


@pytest.mark.parametrize("name", SERVERS)
def test_no_place_inside_the_data_of_a_server_is_taken(tmp_path: Path, name: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / name).touch()
    (tmp_path / "way-in").symlink_to(data)

    for inside in (data, data / "base", data / "base" / "16384" / "restored", tmp_path / "way-in" / "restored"):
        with pytest.raises(UnsafeTarget, match="holds the data of"):
            require_no_server(inside)
    require_no_server(tmp_path / "beside")
    require_no_server(tmp_path)


def test_a_machine_that_is_backed_up_whole_can_be_restored_somewhere(tmp_path: Path) -> None:
    require_apart(tmp_path / "restored", [(msg("all of it"), Path("/"))])


def test_links_that_lead_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")

    with pytest.raises(UnsafeTarget, match="cannot read"):
        require_no_server(tmp_path / "a" / "restored")
