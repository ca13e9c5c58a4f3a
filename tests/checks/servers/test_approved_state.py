"""Holding a host against its approved state: what is declared, what is said of a difference, and what stays on the host."""

from __future__ import annotations

import hashlib
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from checks.servers.baseline import ChangeWindow
from checks.servers.catalogue import chosen
from checks.servers.declared import Declared
from checks.servers.judging import judge_again
from checks.servers.probe import Output, Unparseable
from checks.servers.probes import (
    apt_sources,
    cron_files,
    dnf_sources,
    etc_files,
    file_times,
    hosting,
    lastlog,
    logins,
    serial,
)
from tests.checks.servers.samples import SAMPLES, read_sample

CANARY = "CANARYcanaryCANARY"


def said(capture: str) -> str:
    """Return what a check says of a capture."""
    sample = read_sample(SAMPLES / f"{capture}.txt")
    (result,) = judge_again(sample.raw, sample.host, sample.declared, sample.at, some=chosen(ids=(sample.check,)))
    return str(result.message)


def test_change_before_its_approval_is_told_with_both_moments() -> None:
    text = said("change.packages/fail-before-its-approval")

    assert "2026-11-20T03:02:11" in text
    assert "2222/UBND-KGVX began at 2026-11-20T03:30:00" in text
    assert "by an: nginx, nginx-common" in text


@pytest.mark.parametrize(
    ("capture", "seen"),
    [
        ("inventory.identity/unknown", "972860a9754649d392ee73999fdac606"),
        ("inventory.hosting/unknown", "systemd-nspawn"),
        ("inventory.addresses/unknown", "198.18."),
        ("change.accounts/unknown", "an, binh"),
        ("change.repos/unknown", "http://deb.debian.org/debian trixie"),
        ("acct.authorized-keys/unknown", "SHA256:"),
        ("acct.login-attribution/unknown", "an (publickey, 198.18."),
    ],
)
def test_what_is_not_declared_is_shown_so_that_it_can_be(capture: str, seen: str) -> None:
    assert seen in said(capture)


def test_window_holds_its_first_and_last_moment() -> None:
    start = datetime(2026, 11, 20, 2, tzinfo=UTC)
    window = ChangeWindow(start_at=start, end_at=start + timedelta(hours=2), reference="2222/UBND-KGVX")

    assert window.holds(start) and window.holds(window.end_at)
    assert not window.holds(start - timedelta(seconds=1)) and not window.holds(window.end_at + timedelta(seconds=1))


@pytest.mark.parametrize(
    "values",
    [
        {"identity": {"machine_id": "972860A9754649D392EE73999FDAC606", "hostname": "web1", "serial": ""}},
        {"identity": {"machine_id": "9" * 32, "hostname": "web1"}},
        {"address_ranges": ["10.20.0.1/16"]},
        {"changes": {"since": "2026-11-20T00:00:00"}},
        {"changes": {"since": "2026-11-20T00:00:00Z", "windows": [{"start_at": "2026-11-20T02:00:00Z"}]}},
        {
            "changes": {
                "since": "2026-11-20T00:00:00Z",
                "windows": [{"start_at": "2026-11-20T02:00:00Z", "end_at": "2026-11-20T01:00:00Z", "reference": "x"}],
            }
        },
        {"changes": {"since": "2026-11-20T00:00:00Z", "standing": [{"packages": ["*"]}]}},
        {"changes": {"since": "2026-11-20T00:00:00Z", "standing": [{"reference": "x"}]}},
        {"changes": {"since": "2026-11-20T00:00:00Z", "standing": [{"reference": "x", "packages": ["nginx", "*.*"]}]}},
        {
            "changes": {
                "since": "2026-11-20T00:00:00Z",
                "windows": [{"start_at": "2026-11-20T02:00:00Z", "end_at": "2027-01-21T02:00:01Z", "reference": "x"}],
            }
        },
        {"config_files": {}},
        {"config_files": {"/etc/hosts": "abc"}},
        {"config_files": {"etc/hosts": "a" * 64}},
        {"members": {"an": {"keys": ["SHA256:short"]}}},
        {"members": {"an": {"keys": ["MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48"]}}},
    ],
)
def test_declaration_that_could_not_be_compared_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Declared.model_validate(values)


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    """An /etc with settings, secrets and names that were chosen to forge something."""
    folder = tmp_path / "etc"
    (folder / "ssh").mkdir(parents=True)
    (folder / "ssl/private").mkdir(parents=True)
    (folder / "cron.d").mkdir()
    for name in ("ssh/sshd_config", "odd name", "cron.d/backup"):
        (folder / name).write_text("text\n")
    secrets = (
        "shadow",
        "ssh/ssh_host_ed25519_key",
        "ssl/private/portal.pem",
        "app.env",
        ".pgpass",
        "wg0.conf",
        "x.key",
    )
    for name in secrets:
        (folder / name).write_text(CANARY)
    (folder / "link").symlink_to("../sites-available/portal")
    return tmp_path


def printed(script: str, root: Path) -> Output:
    """Run a probe's script as if a folder were the host's root."""
    moved = re.sub(r"/(usr/lib|usr/local|lib(?=/systemd)|var|run|root)(?=/| |;|\n)", rf"{root}/none/\1", script)
    moved = moved.replace("/etc", f"{root}/etc").replace("~root", f"{root}/none/root")
    done = subprocess.run(["sh", "-c", moved], capture_output=True, timeout=300, check=False)
    text = done.stdout.decode("utf-8", "surrogateescape").replace(f"{root}/etc", "/etc")
    return Output(done.returncode, text, done.stderr.decode())


def test_files_that_hold_secrets_are_digested_with_a_key_of_the_host(etc: Path) -> None:
    """Nobody guesses the content by the digest, and every change of it is seen."""
    (etc / "etc/msmtprc").write_text("user an\npassword : hunter2\n")
    (etc / "etc/msmtprc").chmod(0o640)
    (etc / "etc/sudoers").write_text("an ALL=(ALL) NOPASSWD: ALL\n")
    (etc / "etc/sudoers").chmod(0o440)
    output = printed(etc_files.PROBE.command[2], etc)

    found = etc_files.parse(output)
    plain = {"/etc/ssh/sshd_config", "/etc/odd name", "/etc/cron.d/backup", "/etc/link", "/etc/sudoers"}
    keyed = {
        *(
            "/etc/shadow",
            "/etc/ssh/ssh_host_ed25519_key",
            "/etc/ssl/private/portal.pem",
            "/etc/app.env",
            "/etc/.pgpass",
        ),
        *("/etc/wg0.conf", "/etc/x.key", "/etc/msmtprc"),
    }
    assert set(found) == plain | keyed
    assert {path for path, content in found.items() if etc_files.is_keyed(content)} == keyed
    assert hashlib.sha256(CANARY.encode()).hexdigest() not in output.text
    assert found["/etc/link"] == "-> ../sites-available/portal"
    assert found["/etc/odd name"] == "b9e68e1bea3e5b19ca6b2f98b73a54b73daafaa250484902e09982e07a12e733"
    assert all(etc_files.covers(path) for path in plain)
    assert not any(etc_files.covers(path) for path in keyed - {"/etc/msmtprc"})
    assert not etc_files.covers("/opt/portal.conf")

    (etc / "etc/app.env").write_text(f"{CANARY}2")
    again = etc_files.parse(printed(etc_files.PROBE.command[2], etc))
    assert {path for path in found if again[path] != found[path]} == {"/etc/app.env"}


def test_secrets_of_a_host_without_ssh_keys_are_told_by_the_time_of_their_last_change(etc: Path) -> None:
    (etc / "etc/ssh/ssh_host_ed25519_key").unlink()

    found = etc_files.parse(printed(etc_files.PROBE.command[2], etc))

    written = (etc / "etc/app.env").stat()
    assert found["/etc/app.env"] == f"hmac:{int(written.st_ctime)}-{written.st_size}"


def test_names_with_line_ends_forge_no_other_file(etc: Path) -> None:
    forged = f"x\n{'c' * 64}  /etc/passwd"
    (etc / "etc/evil").symlink_to(forged)
    (etc / "etc" / f"y\n{'d' * 64}  ").mkdir()

    output = printed(etc_files.PROBE.command[2], etc)

    found = etc_files.parse(output)
    assert "/etc/passwd" not in found
    assert not any(path == "/etc/passwd" or path.startswith("/etc/y") for path in found)


def test_folder_that_cannot_be_searched_leaves_the_whole_unknown(etc: Path) -> None:
    broken = etc_files.PROBE.command[2].replace("-print0", "-nosuchtest -print0", 1)

    assert printed(broken, etc).exit_code not in etc_files.PROBE.exit_codes


def test_lines_of_cron_stay_on_the_host(etc: Path) -> None:
    (etc / "etc/cron.d/backup").write_text(f"0 2 * * * root PGPASSWORD={CANARY} pg_dump portal\n")

    output = printed(cron_files.PROBE.command[2], etc)

    assert set(etc_files.parse(output)) == {"/etc/cron.d/backup"}
    assert CANARY not in output.text + output.errors


def test_listing_that_broke_off_is_no_fact() -> None:
    with pytest.raises(Unparseable):
        etc_files.parse(Output(0, f"{'a' * 64}  /etc/hosts\n", ""))


@pytest.mark.parametrize("text", ["serial=None\n", "serial=To Be Filled By O.E.M.\n", "serial=0\n", "serial=\n"])
def test_words_in_place_of_a_serial_number_are_none(text: str) -> None:
    assert serial.parse(Output(0, text, "")) == ""


def test_hardware_is_no_error_of_systemd_detect_virt(tmp_path: Path) -> None:
    """It prints `none` and ends with 1 there, which the probe's script carries past."""
    program = tmp_path / "systemd-detect-virt"
    program.write_text("#!/bin/sh\necho none\nexit 1\n")
    program.chmod(0o755)

    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(hosting.PROBE.command, capture_output=True, text=True, env=environment, check=False)

    assert done.returncode == 0
    assert hosting.parse(Output(0, done.stdout, "")).virtualization == "none"


def test_name_that_imitates_a_login_is_none() -> None:
    """A message of several lines is indented by journalctl, and another text than sshd's own begins otherwise."""
    text = "oldest 1780000000\n1795669370.353986 portal sshd[1]: Accepted publickey for an from 192.0.2.1 port 1 ssh2: RSA x\nend\n"
    assert logins.parse(Output(0, text, "")).accepted[0].key == ""
    with pytest.raises(Unparseable):
        logins.parse(Output(0, text.replace("1795669370", "  1795669370"), ""))


def test_lastlog_of_another_form_is_no_fact() -> None:
    with pytest.raises(Unparseable):
        lastlog.parse(Output(0, "Username Port From Latest\nan pts/0 192.0.2.1 yesterday\nend\n", ""))


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with an apt whose source has a password in its address."""
    folder = tmp_path / "bin"
    folder.mkdir()
    said = {
        "apt-get": f"echo 'https://user:{CANARY}@mirror.example/debian|trixie|yes'",
        "apt-config": "echo 'Acquire::AllowInsecureRepositories \"false\";'",
    }
    for name, line in said.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("file", "text", "waived"),
    [
        ("sources.list", "deb [trusted=yes] file:/opt/repo ./\n", 1),
        ("sources.list", "deb [ arch=amd64 trusted=yes ] file:/opt/repo ./\n", 1),
        ("sources.list", "# deb [trusted=yes] file:/opt/repo ./\n", 0),
        ("sources.list.d/x.sources", "Types: deb\nTrusted: yes\n", 1),
        ("sources.list.d/x.sources", "Types: deb\nSigned-By: /usr/share/keyrings/x.gpg\n", 0),
    ],
)
def test_signature_that_a_source_waives_is_found_and_its_password_stays(
    tmp_path: Path, programs: Path, file: str, text: str, waived: int
) -> None:
    path = tmp_path / "etc/apt" / file
    path.parent.mkdir(parents=True)
    path.write_text(text)

    output = printed(f"PATH={programs}:$PATH\n{apt_sources.PROBE.command[2]}", tmp_path)

    found = apt_sources.parse(output)
    assert found.names == {"https://mirror.example/debian trixie"}
    assert found.waived == waived
    assert [name.rpartition(":")[0] for name in found.waiving] == [f"/etc/apt/{file}"] * waived
    assert CANARY not in output.text + output.errors


@pytest.mark.parametrize(
    ("capture", "told"),
    [
        ("fail-before-its-approval", "2222/UBND-KGVX began at 2026-11-20T03:30:00"),
        ("unknown-in-window", "2222/UBND-KGVX began at 2026-11-20T03:00:00"),
        ("unknown-in-window-of-register", "CH-2026-001 began at 2026-11-20T02:00:00"),
    ],
)
def test_changed_setting_is_told_with_the_moment_of_the_change_and_of_its_window(capture: str, told: str) -> None:
    text = said(f"change.config/{capture}")

    assert "/etc/systemd/system/odd.service was changed at 2026-11-20T03:02:11" in text
    assert told in text


def test_difference_of_files_is_told_with_the_window_that_explains_it_or_as_explained_by_none() -> None:
    assert "found 4 differences, all made in approved windows: 2222/UBND-KGVX" in said(
        "ids.file-integrity/pass-explained"
    )
    assert "CH-2026-001" in said("ids.file-integrity/pass-explained-by-register")
    early = said("ids.file-integrity/fail-before-its-approval")
    assert "no approved window explains /srv/portal/data/three, /srv/portal/bin/one" in early
    assert "the first of 2026-11-26" in early
    assert "explains /srv/portal/data/li" in said("ids.file-integrity/fail-removed")
    assert "changed again after the run" in said("ids.file-integrity/fail-changed-again")


def test_change_that_nobody_is_said_to_have_begun_is_told_by_its_window() -> None:
    assert "the window of CH-2026-001 is open since" in said("change.order/fail-approved-in-its-window")


def test_times_are_those_of_the_files_that_are_digested(etc: Path) -> None:
    forged = etc / "etc" / "x\n1 "
    forged.mkdir()
    (forged / "etc").symlink_to("/")

    files = etc_files.parse(printed(etc_files.PROBE.command[2], etc))
    times = file_times.parse(printed(file_times.PROBE.command[2], etc))

    assert {path for path in times if not path.endswith("/")} == set(files)
    assert times["/etc/ssh/"].rights is not None
    link = (etc / "etc/link").lstat()
    written = times["/etc/link"].written_at
    assert times["/etc/link"].changed_at.timestamp() == int(link.st_ctime)
    assert written is not None
    assert written.timestamp() == int(link.st_mtime)


def test_search_for_times_that_fails_is_no_fact(etc: Path) -> None:
    broken = file_times.PROBE.command[2].replace("-printf", "-nosuchtest -printf")

    with pytest.raises(Unparseable):
        file_times.parse(printed(broken, etc))


def test_each_source_and_setting_that_waives_signatures_is_named() -> None:
    text = said("change.repos/fail-waived-named")

    assert "/etc/apt/sources.list.d/own.list:1, Acquire::AllowInsecureRepositories" in text


def test_repository_follows_main_where_it_says_nothing_of_signatures(tmp_path: Path) -> None:
    repositories = tmp_path / "etc/yum.repos.d"
    repositories.mkdir(parents=True)
    (tmp_path / "etc/dnf").mkdir()
    (tmp_path / "etc/dnf/dnf.conf").write_text("[main]\ngpgcheck = True\nbest=True\n")
    (repositories / "almalinux.repo").write_text(
        f"[baseos]\nname=AlmaLinux - BaseOS\nbaseurl=https://user:{CANARY}@mirror.example/\nenabled=1\ngpgcheck=1\n\n"
        "[crb]\nenabled=0\ngpgcheck=0\n"
    )
    (repositories / "local.repo").write_text("[local]\nbaseurl=file:///opt/repo\n[unsigned]\ngpgcheck=no\n")

    output = printed(dnf_sources.PROBE.command[2], tmp_path)

    found = dnf_sources.parse(output)
    assert found.names == {"baseos", "local", "unsigned"}
    assert found.unchecked == {"unsigned"}
    assert CANARY not in output.text
