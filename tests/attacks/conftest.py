from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.scene import Auditor, Portal, build
from tests.attacks.update_scene import Province
from tests.web import web_server


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> tuple[Portal, Auditor]:
    """The portal after its two weeks, and what the auditor took along; nobody changes this one."""
    return build(tmp_path_factory.mktemp("scene") / "portal")


@pytest.fixture
def auditor(scene: tuple[Portal, Auditor]) -> Auditor:
    return scene[1]


@pytest.fixture
def portal(scene: tuple[Portal, Auditor], tmp_path: Path) -> Portal:
    """A copy to be attacked."""
    return scene[0].copied(tmp_path)


@pytest.fixture
def province(tmp_path: Path) -> Iterator[Province]:
    with web_server() as server:
        yield Province(tmp_path, server)
