"""Where drafts of official papers go."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from commands.jobs.papers import write_papers
from portalops.errors import UsageError
from portalops.official.paper import OfficialPaper

PAPER = cast(OfficialPaper, object())
"""In no format, nothing of it is asked for."""


def test_the_name_of_a_file_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"thu\.md"):
        write_papers(PAPER, "thu", (), tmp_path / "thu.md", languages=("vi",))

    assert [*tmp_path.iterdir()] == []


def test_a_folder_that_is_called_like_a_file_is_taken(tmp_path: Path) -> None:
    (tmp_path / "thu.md").mkdir()

    assert write_papers(PAPER, "thu", (), tmp_path / "thu.md", languages=("vi",)) == ()
