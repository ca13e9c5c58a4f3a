"""One PostgreSQL server and one set of hosts a session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench._hosts import Served, served
from tests.backups.postgresql.parts import versions
from tests.cluster.parts import ClusterServer, Portal, answer_at_once, make_accounts, new_portal


@pytest.fixture(scope="session")
def server() -> Iterator[ClusterServer]:
    with ClusterServer.new(versions()[-1]) as started:
        assert isinstance(started, ClusterServer)
        make_accounts(started)
        yield started


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key that the hosts let in."""
    return tmp_path_factory.mktemp("served") / "client"


@pytest.fixture(scope="session")
def hosts(identity: Path) -> Iterator[tuple[Served, ...]]:
    with served(identity.parent, 4, each=4) as some:
        answer_at_once(identity.parent)
        yield some


@pytest.fixture
def portal(server: ClusterServer, hosts: tuple[Served, ...], identity: Path, tmp_path: Path) -> Portal:
    return new_portal(server, tmp_path / "portal", hosts, identity)
