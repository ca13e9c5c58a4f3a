"""What the tests of the stranger's program share: bundles that are made once, and copied before anything is done to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ledger.bundle.bundles import key_of
from tests.verifier.caught import Scene, whole_scene
from tests.verifier.scene import Tampered, full


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle in which nothing is amiss."""
    folder = tmp_path_factory.mktemp("original")
    full(folder / "state").export(folder / "bundle")
    return folder / "bundle"


@pytest.fixture
def bundle(original: Path, tmp_path: Path) -> Tampered:
    """A copy of it, to be changed."""
    return Tampered(original, tmp_path / "bundle", key_of(2))


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Such a bundle, and what an auditor has kept of its ledger."""
    return whole_scene(tmp_path_factory.mktemp("whole"))
