"""What the pages in the root folder and in docs/ say is so: links lead somewhere, commands exist, tables are the program's."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.cli.calling import command_of
from commands.cli.catalogue import file_of, names, verbs_of
from portalops.anchors import ANCHORS
from portalops.config.shape import SignerTable

ROOT = Path(__file__).parents[1]
PAGES = (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "examples/README.md")
CONFIGURATION = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
EVERYWHERE = {"--config", "--lang", "--json", "--quiet", "--no-input", "--verbose", "--color", "--debug", "--help"}
"""Options of every command."""

of_pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def anchors_of(page: Path) -> set[str]:
    """Return what a page's headings are called in links."""
    titles = re.findall(r"(?m)^#+ (.+)$", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles}


@of_pages
def test_links_lead_somewhere(page: Path) -> None:
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if link.startswith(("https://", "http://")):
            continue
        name, _, heading = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (heading and heading not in anchors_of(target)):
            lost.append(link)

    assert lost == []


def calls(page: Path) -> Iterator[list[str]]:
    """Yield the words behind `portalops` of each call on a page: in code, at the beginning, behind a path or in a crontab; of `-u` it is the account."""
    text = page.read_text(encoding="utf-8")
    lines = [
        *re.findall(r"(?m)^ {4,}(.+)$", text),
        *"\n".join(re.findall(r"(?ms)^ *```\w*\n(.+?)```", text)).splitlines(),
    ]
    for code in (*lines, *re.findall(r"`([^`\n]+)`", text)):
        found = re.search(r"""(?:^|(?<!-[ugo])[\s"'(=/])portalops ((?:[a-z-]|--)[^#;)"`|]*)""", code)
        if found and not code.startswith("portalops-"):
            yield shlex.split(found.group(1).replace("'", ""))


def misses(words: list[str]) -> bool:
    """Say whether a call names a command, verb or option that there is not."""
    while words and words[0] in EVERYWHERE:
        words = words[2:] if words[0] in {"--config", "--lang", "--color"} else words[1:]
    if not words or words[0] not in names():
        return True
    called, more = words[0], words[1:]
    while file_of(called) is None:
        if not more:
            return False
        if more[0] not in verbs_of(called):
            return True
        called, more = f"{called} {more[0]}", more[1:]
    known = EVERYWHERE | {name for parameter in command_of(called).params for name in parameter.opts}
    return any(word.partition("=")[0] not in known for word in words if word.startswith("--"))


@of_pages
def test_commands_and_their_options_exist(page: Path) -> None:
    assert [" ".join(words) for words in calls(page) if misses(words)] == []


@pytest.mark.parametrize("call", ["ledger heads", "statuss", "ledger export --folder x", "--quiet runn"])
def test_a_command_that_there_is_not_is_told(call: str) -> None:
    assert misses(call.split())


def test_the_pages_are_looked_at() -> None:
    found = [" ".join(words) for page in PAGES for words in calls(page)]

    assert len(found) > 60
    assert "--config /srv/portalops/portalops.toml schedule install --systemd" in found
    assert "ledger head" in found


def test_the_table_of_anchors_has_every_kind_with_its_keys() -> None:
    rows = re.findall(
        r"(?m)^\| `([\w-]+)` \| [^|]+ \| ([^|]+) \|",
        CONFIGURATION.partition("## Anchors")[2].partition("|---|")[2].partition("\n\n")[0],
    )

    assert {kind: set(re.findall(r"`(\w+)`", keys)) for kind, keys in rows} == {
        name: set(kind.settings.model_fields) for name, kind in ANCHORS.all()
    }


def test_the_row_of_signers_has_every_key() -> None:
    row = re.search(r"(?m)^\| `\[\[ledger\.signer\]\]` \| ([^:]+):", CONFIGURATION)

    assert row is not None
    assert set(re.findall(r"`(\w+)[`\s]", row.group(1))) == set(SignerTable.model_fields)
