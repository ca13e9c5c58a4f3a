"""Bad input is a clear error that names its file and line or its source; nothing is half written, the rest still runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from portalops.errors import ExitCode
from tests.e2e.conftest import call, make_portal, state_files


@pytest.fixture(scope="module")
def read_only_portal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portal whose configuration is made wrong in copies of it; no run gets so far as to write anything."""
    folder = tmp_path_factory.mktemp("portal")
    make_portal(folder)
    return folder


def lines_with(text: str, part: str) -> list[int]:
    return [number for number, line in enumerate(text.splitlines(), 1) if part in line]


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ("judge_weeks = 13", "judge_week = 13", "PO1004", "unknown key updates.judge_week"),
        ("judge_weeks = 13", 'judge_weeks = "many"', "PO1001", "updates.judge_weeks is not a whole number"),
        ('kind = "sqlite"', 'kind = "sqlight"', "PO1008", "sqlight"),
        ("units.toml", "unit.toml", "PO1002", "the included file examples/portal/unit.toml does not exist"),
        ("SELECT external_id, title", "DROP TABLE article; SELECT title", "PO1001", "is not a read-only query"),
        ('id = "daily-check"', 'id = "daily-updates"', "PO1005", "the job daily-updates is already defined at"),
    ],
)
def test_a_wrong_configuration_names_file_and_line_and_runs_nothing(
    read_only_portal: Path, old: str, new: str, code: str, said: str
) -> None:
    text = (read_only_portal / "portalops.toml").read_text(encoding="utf-8")
    wrong = read_only_portal / "wrong.toml"
    wrong.write_text(text.replace(old, new, 1), encoding="utf-8")

    done = call(read_only_portal, "run", "--config", "wrong.toml")

    assert done.code == ExitCode.CONFIGURATION, done.err
    assert done.err.startswith(f"error[{code}]: wrong.toml:"), done.err
    assert said in done.err
    assert "\nhint: " in done.err
    assert done.out == ""
    assert state_files(read_only_portal) == ["keys/writer"]


def test_a_unit_id_used_twice_names_both_places(read_only_portal: Path) -> None:
    (read_only_portal / "more.toml").write_text(
        '[[unit]]\nid = "so-y-te"\nname = { vi = "Sở Y tế" }\n', encoding="utf-8"
    )
    text = (read_only_portal / "portalops.toml").read_text(encoding="utf-8")
    wrong = text.replace(
        'include = ["examples/portal/units.toml"]', 'include = ["examples/portal/units.toml", "more.toml"]'
    )
    (read_only_portal / "wrong.toml").write_text(wrong, encoding="utf-8")
    units = (read_only_portal / "examples" / "portal" / "units.toml").read_text(encoding="utf-8")
    (line,) = lines_with(units, 'id = "so-y-te"')

    done = call(read_only_portal, "run", "--config", "wrong.toml")

    assert done.code == ExitCode.CONFIGURATION
    assert f"more.toml:2: the unit so-y-te is already defined at examples/portal/units.toml:{line}" in done.err


@pytest.mark.heavy
def test_bad_sources_of_updates_are_named_and_the_others_count(portal: Path) -> None:
    example = portal / "var" / "example"
    (example / "feeds" / "xa-cam-lam.rss").write_text("this is no feed", encoding="utf-8")
    register = example / "register" / "so-van-ban-den.csv"
    lines = register.read_text(encoding="utf-8").splitlines()
    number, _day, *rest = lines[-1].split(",")
    lines.append(",".join([f"{int(number) + 1}", "30/12/2099", *rest]))
    register.write_text("\n".join(lines) + "\n", encoding="utf-8")
    file = portal / "portalops.toml"
    text = file.read_text(encoding="utf-8")
    query = "SELECT external_id, title, published_at, created_at, modified_at, language, kind, state, body\nFROM"
    assert query in text
    file.write_text(text.replace(query, "SELECT external_id, title\nFROM", 1), encoding="utf-8")

    done = call(portal, "run", "daily-updates", "--json")
    alone = call(portal, "updates", "collect")

    (job,) = done.data["jobs"]
    assert (job["outcome"], job["exit_code"]) == ("incomplete", ExitCode.PARTIAL)
    problems = "\n".join(job["problems"])
    assert "update source feed-cam-lam: the answer is not well-formed XML" in problems
    assert "update source portal-news: its query returns no column published_at" in problems
    assert f"paper-register: line {len(lines)}: ngày đến 30/12/2099 is in the future" in problems
    assert len(job["problems"]) == 3
    assert alone.code == ExitCode.PARTIAL
    assert "Traceback" not in alone.out + alone.err
    assert call(portal, "ledger", "verify").code == ExitCode.OK


@pytest.mark.heavy
def test_a_backup_without_its_database_keeps_the_rest_and_says_so(portal: Path) -> None:
    (portal / "var" / "example" / "portal.sqlite").unlink()

    done = call(portal, "backup", "run", "--json")

    assert done.code == ExitCode.PARTIAL, done.err
    assert any("there is no database" in problem for problem in done.data["problems"])
    (made,) = call(portal, "backup", "list", "--json").data
    assert made["outcome"] == "incomplete"
