"""Files become settings, and whatever is wrong with them names its file, line and key."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field

from portalops.config import LocalPath, Settings, load
from portalops.config.tables import KindTable
from portalops.errors import (
    ConfigurationError,
    ConfigurationNotFound,
    ConfigurationSyntax,
    DuplicateId,
    UnknownKey,
)
from portalops.model.organisation import Name, OfficeRole, UnitId
from portalops.model.rulebook import UnitDuties
from portalops.model.runs import DaySpan, Every, JobKind, Span
from tests.accounts import as_ordinary_user

HEAD = '[portal]\nid = "kh"\nname = { vi = "Cổng tỉnh", en = "Portal" }\n'


def written(folder: Path, text: str, name: str = "portalops.toml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def loaded(folder: Path, text: str, **environment: str) -> Settings:
    return load(written(folder, text), environment)


def refused(folder: Path, text: str, **environment: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, text, **environment)
    return caught.value


def test_a_whole_configuration_becomes_nouns(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        HEAD
        + """
[state]
folder = "var/state"
[rulebook]
unit_duties = "either"
portal_daily_min = 2
[[actor]]
role = "department"
name = { vi = "Sở TT&TT", en = "DIC" }
valid_to = 2025-02-28
[[unit]]
id = "huyen-a"
name = { vi = "Huyện A" }
has_subportal = false
valid_to = 2025-06-30
successors = ["xa-b"]
[[unit]]
id = "xa-b"
name = { vi = "Xã B" }
valid_from = 2025-07-01
[[host]]
id = "web-1.example"
address = "10.0.0.1"
roles = ["web"]
[backup]
pack_mib = 8
[backup.excused]
channels = "one channel only"
[[job]]
id = "weekly"
kind = "backup"
every = "week"
[report]
folder = "out"
""",
    )

    assert settings.portal.name == Name("Cổng tỉnh", "Portal")
    assert settings.state_folder == tmp_path / "var/state"
    assert settings.report.folder == tmp_path / "out"
    assert settings.rulebook.overrides == {"unit_duties": UnitDuties.EITHER, "portal_daily_min": 2}
    assert (settings.actors[0].role, settings.actors[0].valid_to) == (OfficeRole.DEPARTMENT, date(2025, 2, 28))
    assert settings.units[0].successors == (UnitId("xa-b"),)
    assert settings.units[1].name.en == "Xã B"
    assert settings.hosts[0].roles == {"web"}
    assert settings.backup.pack_bytes == 8 << 20
    assert (settings.jobs[0].kind, settings.jobs[0].every) == (JobKind.BACKUP, Every.WEEK)


@pytest.mark.parametrize(
    ("lines", "code", "said", "hint"),
    [
        ("[state]\nfodler = 'x'", "PO1004", "portalops.toml:5: unknown key state.fodler", "folder"),
        ("[stat]\nfolder = 'x'", "PO1004", "portalops.toml:4: unknown key stat", "state"),
        (
            "[rulebook]\nportal_daily_mim = 1",
            "PO1004",
            ":5: unknown key rulebook.portal_daily_mim",
            "portal_daily_min",
        ),
        ("[backup]\npack_mib = '64'", "PO1001", ':5: backup.pack_mib is not a whole number: "64"', "without quotes"),
        ("[backup]\npack_mib = 0", "PO1001", ":5: backup.pack_mib is below 1: 0", ""),
        ("[state]\nfolder = 3", "PO1001", ":5: state.folder is not a text: 3", "double quotes"),
        (
            "[[unit]]\nid = 'a'\nname = { vi = 'A' }\nhas_subportal = 'yes'",
            "PO1001",
            ":7: unit.has_subportal is neither",
            "",
        ),
        ("[unit]\nid = 'a'", "PO1001", ":4: unit is one table, not a list of them", "[[unit]]"),
        ("[[portal2]]\n", "PO1004", ":4: unknown key portal2", "portal"),
        ("[[unit]]\nid = 'a'", "PO1001", ":4: unit.name is missing", ""),
        ("[[unit]]\nid = 'Sở'\nname = { vi = 'A' }", "PO1001", ':5: unit.id is not an id: "Sở"', "lower-case"),
        ("[[unit]]\nid = 'a'\nname = { vi = '' }", "PO1001", ":6: unit.name.vi is empty", ""),
        (
            "[[unit]]\nid='a'\nname={vi='A'}\nvalid_to='2025-02-30'",
            "PO1001",
            ":7: unit.valid_to is not a day",
            "2026-11-24",
        ),
        ("[[unit]]\nid='a'\nname={vi='A'}\nvalid_to=20250230", "PO1001", ":7: unit.valid_to is not a day", ""),
        (
            "[[job]]\nid='j'\nkind='dance'\nevery='day'",
            "PO1001",
            ":6: job.kind is not one of backup, copy, verify, drill",
            "",
        ),
        (
            "[[job]]\nid='j'\nkind='check'\nevery='daily'",
            "PO1001",
            ":7: job.every is not one of hour, day, week, month",
            "",
        ),
        ("[rulebook]\nsession_gap_minutes = 0", "PO1001", ":5: rulebook.session_gap_minutes is below 1", ""),
        ("[rulebook]\nday_cutoff = '25:00'", "PO1001", ":5: rulebook.day_cutoff is not a time of day", ""),
        (
            "[updates]\nrule_sets = ['nd42']",
            "PO1001",
            ':5: updates.rule_sets is not a rule set: "nd42"',
            "law-104-2016, nd43",
        ),
        ("[report]\nlanguages = ['fr']", "PO1001", ':5: report.languages is not one of vi, en: "fr"', ""),
        ("[[backup.source]]\nid = 'x'", "PO1001", ":4: backup.source.kind is missing", ""),
    ],
)
def test_a_wrong_value_names_line_key_and_hint(tmp_path: Path, lines: str, code: str, said: str, hint: str) -> None:
    error = refused(tmp_path, HEAD + lines + "\n")

    assert error.code == code
    assert said in str(error)
    assert hint in str(error.hint)
    assert "pydantic" not in f"{error}{error.hint}" and "Input should" not in f"{error}{error.hint}"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('"week"', Every.WEEK),
        ('"month"', Every.MONTH),
        ("10", DaySpan(10)),
    ],
)
def test_a_full_set_is_made_by_a_named_span_or_in_so_many_days(tmp_path: Path, written: str, meant: Span) -> None:
    assert loaded(tmp_path, f"{HEAD}[backup]\nfull_every = {written}\n").backup.full_every == meant


@pytest.mark.parametrize(
    "wrong", ["0", "-1", "367", "true", "1.5", '"year"', '"day"', '"10"', '""', '"99999"', "[]", "{}"]
)
def test_another_span_of_full_sets_is_refused_with_the_ones_there_are(tmp_path: Path, wrong: str) -> None:
    error = refused(tmp_path, f"{HEAD}[backup]\nfull_every = {wrong}\n")
    assert "full_every is neither week, month nor a number of days up to 366" in str(error.message)
    assert "without quotes" in str(error.hint)


def test_a_number_of_days_can_come_from_the_environment(tmp_path: Path) -> None:
    settings = loaded(tmp_path, HEAD, PORTALOPS_BACKUP_FULL_EVERY="10")
    assert settings.backup.full_every == DaySpan(10)


def test_the_time_zone_must_exist(tmp_path: Path) -> None:
    error = refused(tmp_path, HEAD + 'timezone = "Asia/Saigonn"\n')

    assert ':4: portal.timezone is not a time zone: "Asia/Saigonn"' in str(error)


def test_all_problems_are_found_at_once_and_listed_from_top_to_bottom(tmp_path: Path) -> None:
    error = refused(tmp_path, "nonsense = 1\n" + HEAD.replace("kh", "K H") + "[state]\nfolder = 7\n")

    assert [str(problem.message.values["place"]).rpartition(":")[2] for problem in error.problems] == ["1", "3", "6"]
    assert "and 2 more problems" in str(error)
    assert isinstance(error, UnknownKey)


def test_one_id_twice_names_both_places(tmp_path: Path) -> None:
    written(tmp_path, '[[unit]]\nid = "a"\nname = { vi = "A" }\n', "conf.d/10-units.toml")
    text = HEAD + '[[unit]]\nname = { vi = "A" }\nid = "a"\n'

    error = refused(tmp_path, text)

    assert isinstance(error, DuplicateId)
    assert f"{tmp_path}/conf.d/10-units.toml:2: the unit a is already defined at {tmp_path}/portalops.toml:6" in str(
        error
    )


@pytest.mark.parametrize("section", ["host", "job", "backup.source", "backup.medium", "updates.source"])
def test_ids_are_unique_in_every_list(tmp_path: Path, section: str) -> None:
    extra = {"host": 'address = "local"', "job": 'kind = "check"\nevery = "day"'}.get(section, 'kind = "files"')
    row = f'[[{section}]]\nid = "same"\n{extra}\n'

    assert isinstance(refused(tmp_path, HEAD + row + row), DuplicateId)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            "[[unit]]\nid='a'\nname={vi='A'}\nvalid_from=2025-01-02\nvalid_to=2025-01-01",
            ":8: valid_to 2025-01-01 is before",
        ),
        (
            "[[unit]]\nid='a'\nname={vi='A'}\nsuccessors=['b']",
            ":7: the successor b of unit a is not another unit",
        ),
        (
            "[[unit]]\nid='a'\nname={vi='A'}\n[[unit]]\nid='b'\nname={vi='B'}\naliases=['A']",
            ":10: the alias A of unit b is also a name of unit a",
        ),
        ("[[unit]]\nid='a'\nname={vi='A'}\nsuccessors=[\n'a',\n]", ":8: the successor a of unit a is not another unit"),
        (
            "[[actor]]\nrole='unit'\nname={vi='A'}\n[[actor]]\nrole='unit'\nname={vi='B'}",
            ":7: two actors hold the office unit",
        ),
        (
            "[backup]\nrecipients=[\n{name='operator'},\n]",
            ":6: the recipient operator needs exactly one of file and key",
        ),
        (
            "[backup]\nrecipients=[\n{name='a',key='AGE-SECRET-KEY-1X'},\n]",
            ":6: backup.recipients.key is a private key",
        ),
    ],
)
def test_what_does_not_belong_together_is_refused(tmp_path: Path, lines: str, said: str) -> None:
    error = refused(tmp_path, HEAD + lines + "\n")

    assert said in str(error)
    assert "SECRET-KEY-1X" not in f"{error}{error.hint}"


JOB = '[[job]]\nid = "nightly"\nkind = "backup"\n'


@pytest.mark.parametrize(
    ("lines", "said", "hint"),
    [
        ('every = "day"\nat = "25:00"', ':8: job.at is not a time of day: "25:00"', "from 00:00 to 23:59"),
        ('every = "day"\nat = "2:30"', ':8: job.at is not a time of day: "2:30"', "from 00:00 to 23:59"),
        ('every = "day"\nat = "24:00"', ':8: job.at is not a time of day: "24:00"', "from 00:00 to 23:59"),
        ('every = "day"\nat = ["07:00", "25:00"]', ":8: job.at is not a time of day", "from 00:00 to 23:59"),
        (
            'every = "day"\nat = ["23:30", "07:00"]',
            ":8: job.at does not name each time once, in order",
            '["07:00", "23:30"]',
        ),
        (
            'every = "day"\nat = ["07:00", "07:00"]',
            ":8: job.at does not name each time once, in order",
            '["07:00", "23:30"]',
        ),
        ('every = "day"\nat = [7]', ":8: job.at is not a text, nor a list of texts", '"07:00"'),
        (
            'every = "week"\nat = ["07:00", "23:30"]',
            ":8: the job nightly is not due each day and so takes a single time: at = 07:00, 23:30",
            "Name one time",
        ),
        (
            'every = "hour"\nat = "02:30"',
            ":8: the job nightly is due each hour and so takes no time of day: at = 02:30",
            'every = "day"',
        ),
        (
            'every = "day"\non = "sunday"',
            ":8: the job nightly is due each day and so takes no day: on = sunday",
            'every = "week"',
        ),
        (
            'every = "month"\non = 30',
            ":8: job.on is a day that some months do not have: in those months the job would never be due: 30",
            '"last" for the last day',
        ),
        (
            'every = "month"\non = "sunday"',
            ":8: the job nightly is due each month, but this is not a day of the month: on = sunday",
            '"last" for the last day',
        ),
        (
            'every = "week"\non = 5',
            ":8: the job nightly is due each week, but this is not a weekday: on = 5",
            "monday, tuesday",
        ),
        (
            'every = "week"\non = "Sunday"',
            ':8: job.on is neither a weekday nor a day of the month: "Sunday"',
            "monday, tuesday",
        ),
        ('every = "week"\non = 0', ":8: job.on is neither a weekday nor a day of the month: 0", "monday"),
        ('every = "week"\non = true', ":8: job.on is not a text: true", "double quotes"),
    ],
)
def test_a_time_at_which_a_job_could_never_be_due_is_refused(tmp_path: Path, lines: str, said: str, hint: str) -> None:
    error = refused(tmp_path, HEAD + JOB + lines + "\n")

    assert str(error).startswith(f"{tmp_path}/portalops.toml{said}")
    assert hint in str(error.hint)


def test_a_daily_job_of_several_times_is_a_job_for_each(tmp_path: Path) -> None:
    jobs = loaded(tmp_path, HEAD + JOB + 'every = "day"\nat = ["07:00", "23:30"]\n').jobs

    assert [(job.id, job.at) for job in jobs] == [("nightly", "07:00"), ("nightly-2330", "23:30")]


def test_the_job_of_a_further_time_takes_no_other_jobs_id(tmp_path: Path) -> None:
    lines = 'every = "day"\nat = ["07:00", "23:30"]\n' + JOB.replace("nightly", "nightly-2330") + 'every = "day"\n'

    error = refused(tmp_path, HEAD + JOB + lines)

    assert f"{tmp_path}/portalops.toml:8: the job nightly-2330 is already defined at" in str(error)


@pytest.mark.parametrize(("written_on", "on"), [('"last"', "last"), ("28", "28"), ('"1"', "1")])
def test_a_monthly_job_is_due_on_a_day_that_every_month_has(tmp_path: Path, written_on: str, on: str) -> None:
    (job,) = loaded(tmp_path, HEAD + JOB + f'every = "month"\nat = "23:05"\non = {written_on}\n').jobs

    assert (job.at, job.on) == ("23:05", on)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[portal\nid = 1\n", ":1:8: not valid TOML"),
        ('[portal]\nid = "kh\n', ":2:9: not valid TOML"),
        ("[portal]\nid = kh\n", ":2:6: not valid TOML: this is not a value"),
        ("a = 1\na = 2\n", ":2:6: not valid TOML: this key already has a value"),
        ("x = [1,\n", "not valid TOML"),
        ("x = " + "[" * 3000, "nested too deeply"),
    ],
)
def test_broken_syntax_names_line_and_column(tmp_path: Path, text: str, said: str) -> None:
    error = refused(tmp_path, text)

    assert isinstance(error, ConfigurationSyntax)
    assert said in str(error)


def test_a_file_that_is_not_utf_8_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "portalops.toml"
    path.write_bytes(b'[portal]\nid = "kh"\nname = { vi = "C\xd4ng" }\n')

    with pytest.raises(ConfigurationSyntax, match=r"portalops.toml:3: not UTF-8: byte 0xd4"):
        load(path, {})


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "portalops.toml"
    path.write_bytes(b"\xef\xbb\xbf" + (HEAD + "[state]\nfolder = 3\n").replace("\n", "\r\n").encode())

    with pytest.raises(ConfigurationError, match=r"portalops.toml:5: state.folder is not a text"):
        load(path, {})


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationNotFound, match="there is no configuration file"):
        load(tmp_path / "nowhere.toml", {})
    with pytest.raises(ConfigurationNotFound, match="is a folder"):
        load(tmp_path, {})


def test_an_included_file_that_is_not_there_names_the_line(tmp_path: Path) -> None:
    error = refused(tmp_path, 'include = [\n  "units.toml",\n]\n' + HEAD)

    assert isinstance(error, ConfigurationNotFound)
    assert f"{tmp_path}/portalops.toml:2: the included file {tmp_path}/units.toml does not exist" in str(error)


def test_a_folder_of_included_files_must_be_there(tmp_path: Path) -> None:
    error = refused(tmp_path, 'include = ["parts/*.toml"]\n' + HEAD)

    assert f"cannot read {tmp_path}/parts: No such file" in str(error)


@pytest.mark.parametrize("closed", ["portalops.toml", "conf.d", "."])
def test_what_may_not_be_read_is_never_passed_over(tmp_path: Path, closed: str) -> None:
    loaded(tmp_path, HEAD)
    with as_ordinary_user() as folder:
        main = written(folder / "config", HEAD)
        written(folder / "config", "", "conf.d/10.toml")
        (folder / "config" / closed).chmod(0)

        try:
            with pytest.raises(ConfigurationError, match="Permission denied"):
                load(main, {})
        finally:
            (folder / "config" / closed).chmod(0o700)


def test_later_files_win_and_lists_of_tables_are_joined(tmp_path: Path) -> None:
    unit = '[[unit]]\nid = "{0}"\nname = {{ vi = "{0}" }}\n'
    written(tmp_path, unit.format("b") + "[backup]\npack_mib = 16\n", "parts/units.toml")
    written(tmp_path, unit.format("c"), "conf.d/10.toml")
    written(tmp_path, "[backup]\npack_mib = 4\n", "conf.d/20.toml")
    text = 'include = ["parts/*.toml"]\n' + HEAD + unit.format("a") + "[backup]\npack_mib = 32\n"

    settings = loaded(tmp_path, text)

    assert [unit.id for unit in settings.units] == ["a", "b", "c"]
    assert settings.backup.pack_bytes == 4 << 20
    assert settings.layers.place(("backup", "pack_mib")) == f"{tmp_path}/conf.d/20.toml:2"
    assert settings.layers.place(("unit", 1, "name", "vi")) == f"{tmp_path}/parts/units.toml:3"
    assert len(settings.files) == 4


def test_relative_paths_start_in_the_folder_of_the_file_that_holds_them(tmp_path: Path) -> None:
    written(
        tmp_path,
        '[state]\nfolder = "here"\n[[backup.medium]]\nid = "m"\nkind = "disk"\nfolder = "disk"\n',
        "conf.d/state.toml",
    )

    settings = loaded(tmp_path, HEAD)

    assert settings.state_folder == tmp_path / "conf.d/here"
    assert settings.backup_media[0].parse(Disk).folder == tmp_path / "conf.d/disk"


class Disk(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    folder: LocalPath
    label: str = Field("", max_length=3)


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("foldr = 'x'", "PO1001", ":4: backup.medium.folder is missing"),
        ("folder = 'x'\nlable = 'y'", "PO1004", ":8: unknown key backup.medium.lable"),
        ("folder = 'x'\nlabel = 'long one'", "PO1001", ":8: backup.medium.label is too long"),
        ("folder = 7", "PO1001", ":7: backup.medium.folder is not a text: 7"),
        ("folder = ''", "PO1001", ":7: backup.medium.folder is empty"),
        ('folder = "a\\u0000b"', "PO1001", ":7: backup.medium.folder holds a control character"),
    ],
)
def test_a_kind_refuses_its_own_keys_with_line_and_hint(tmp_path: Path, line: str, code: str, said: str) -> None:
    table = loaded(tmp_path, HEAD + f"[[backup.medium]]\nid='m'\nkind='disk'\n{line}\n").backup_media[0]

    with pytest.raises(ConfigurationError) as caught:
        table.parse(Disk)

    assert caught.value.problems[0].code == code
    assert said in str(caught.value)


def test_a_table_can_stand_alone(tmp_path: Path) -> None:
    table = KindTable.alone("m", "disk", {"folder": "x"}, tmp_path)

    assert table.parse(Disk).folder == tmp_path / "x"
    assert table.place.endswith("portalops.toml:1")


def test_the_environment_sets_single_values(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        HEAD,
        PORTALOPS_BACKUP_PACK_MIB="5",
        PORTALOPS_STATE_FOLDER=str(tmp_path / "elsewhere"),
        PORTALOPS_PORTAL_LANGUAGE="en",
        PORTALOPS_RULEBOOK_WEEKEND_COUNTS_DAILY="true",
        PORTALOPS_LANG="vi",
        PORTALOPSY="x",
    )

    assert settings.backup.pack_bytes == 5 << 20
    assert settings.state_folder == tmp_path / "elsewhere"
    assert settings.language == "en"
    assert settings.rulebook.overrides == {"weekend_counts_daily": True}


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    wrong = refused(tmp_path, HEAD, PORTALOPS_BACKUP_PACK_MIB="many")
    unknown = refused(tmp_path, HEAD, PORTALOPS_BACKUP_PACK_MB="5")

    assert str(wrong) == 'PORTALOPS_BACKUP_PACK_MIB: backup.pack_mib is not a whole number: "many"'
    assert isinstance(unknown, UnknownKey)
    assert "PORTALOPS_BACKUP_PACK_MIB" in str(unknown.hint)


def test_options_win_over_everything(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + 'language = "vi"\n')

    settings = load(path, {"PORTALOPS_PORTAL_LANGUAGE": "vi"}, options={"portal.language": "en"})

    assert settings.language == "en"
    assert settings.layers.place(("portal", "language")) == "--portal.language"


def test_the_file_is_looked_for_in_order(tmp_path: Path) -> None:
    here = written(tmp_path / "work", HEAD)
    named = written(tmp_path / "named", HEAD)

    assert load(None, {}, working_folder=tmp_path / "work").files == (here,)
    assert load(None, {"PORTALOPS_CONFIG": str(named)}, working_folder=tmp_path / "work").files == (named,)
    with pytest.raises(ConfigurationNotFound, match="none of"):
        load(None, {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}, working_folder=tmp_path / "empty")


def test_an_unprivileged_user_has_a_file_of_their_own(tmp_path: Path) -> None:
    loaded(tmp_path, HEAD)
    with as_ordinary_user() as folder:
        own = written(folder / "portalops", HEAD)

        assert load(None, {"XDG_CONFIG_HOME": str(folder)}, working_folder=folder).files == (own,)


def test_the_digest_is_of_the_values_not_of_the_writing(tmp_path: Path) -> None:
    first = loaded(tmp_path, HEAD).digest
    same = loaded(tmp_path, "# a note\n" + HEAD + "[backup]\npack_mib = 64\n").digest
    other = loaded(tmp_path, HEAD + "[backup]\npack_mib = 65\n").digest

    assert first == same != other


def test_names_are_made_nfc(tmp_path: Path) -> None:
    settings = loaded(tmp_path, HEAD.replace("Cổng", "Co\u0302\u0309ng"))

    assert settings.portal.name.vi == "Cổng tỉnh"


def test_control_characters_of_a_key_are_escaped(tmp_path: Path) -> None:
    error = refused(tmp_path, HEAD + '[state]\n"a\\u001b[31m" = 1\n')

    assert "\x1b" not in f"{error}{error.hint}"


def test_loading_imports_nothing_heavy() -> None:
    heavy = ("typer", "rich", "sqlalchemy", "httpx", "paramiko", "boto3", "psutil", "cryptography", "pyrage")
    program = f"import sys, portalops.config; print([name for name in {heavy!r} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_an_option_that_has_no_effect_any_more_is_left_out_and_its_place_kept(tmp_path: Path) -> None:
    settings = loaded(tmp_path, HEAD + "[rulebook]\nclaim_window_hours = 70\nunit_weekly_min = 3\n")

    assert settings.rulebook.overrides == {"unit_weekly_min": 3}
    assert [(place.rpartition("/")[2], name) for place, name in settings.layers.ended] == [
        ("portalops.toml:5", "rulebook.claim_window_hours")
    ]
