from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.scene import Auditor, Portal, build


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
