"""Whom to tell is known also when the configuration can no longer be read, however it says where the state folder is."""

from __future__ import annotations

from pathlib import Path

import pytest

from portalops.config import load
from portalops.notify.settings import keep, kept_for, settings_of

PORTAL = """
[portal]
id = "kh"
name = { vi = "Cổng thông tin điện tử tỉnh Khánh Hòa" }

[[notify.channel]]
id = "on-duty"
kind = "mail"
host = "mail.example"
security = "none"
sender = "portalops@khanhhoa.example"
recipients = ["truc@khanhhoa.example"]
"""


@pytest.mark.parametrize(
    "written",
    [
        'state = {{ folder = "{folder}" }}\n',
        "state   = {{ folder='{folder}' }}  # there\n",
        'state.folder = "{folder}"\n',
        '[state]\n# where\nfolder = "{folder}"\n',
    ],
)
def test_a_broken_file_still_says_where_the_copy_is(tmp_path: Path, written: str) -> None:
    config = tmp_path / "portalops.toml"
    config.write_text(written.format(folder=tmp_path / "state") + PORTAL, encoding="utf-8")
    keep(settings_of(load(config, {})), config)
    config.write_text(config.read_text(encoding="utf-8") + "every = \n", encoding="utf-8")

    kept = kept_for(config, {})

    assert kept is not None and [each.id for each in kept.channels] == ["on-duty"]


def test_a_unit_says_it_where_the_file_is_gone(tmp_path: Path) -> None:
    config = tmp_path / "portalops.toml"
    config.write_text(f'state = {{ folder = "{tmp_path}/state" }}\n{PORTAL}', encoding="utf-8")
    keep(settings_of(load(config, {})), config)
    config.unlink()

    assert kept_for(config, {}) is None
    assert kept_for(config, {"STATE_DIRECTORY": str(tmp_path / "state")}) is not None
