"""`portalops vuln bundle`: built on one machine, checked and used on another."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from commands.cli.entry import run
from portalops.errors import ExitCode
from portalops.model.text import format_at
from portalops.signatures.sshsig import SigningKey
from tests.checks.vulnerabilities.records import AS_OF, DEBIAN, KEY, OTHER_KEY, write_bundle, write_inputs, write_zip


def write_key(path: Path, key: SigningKey = KEY) -> Path:
    path.write_bytes(
        key.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
    )
    path.chmod(0o600)
    return path


def build(folder: Path, *more: str) -> list[str]:
    inputs = write_inputs(folder)
    files = [word for path in inputs.osv for word in ("--osv", str(path))]
    files += ["--debian-tracker", str(inputs.tracker), "--kev", str(inputs.exploited)]
    files += ["--epss", str(inputs.epss), "--support", str(inputs.support)]
    key = write_key(folder / "key")
    return ["vuln", "bundle", "build", *files, "--output", str(folder / "out"), "--key", str(key), *more]


def data(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)["data"]


def configured(folder: Path, *bundles: Path, key: SigningKey = KEY) -> list[str]:
    path = folder / "portalops.toml"
    path.write_text(
        f'[portal]\nid = "p"\nname = {{ vi = "P" }}\n\n[checks.vulnerabilities]\nkeys = ["{key.public_key} portal"]\n'
        f"max_age_days = 365\nbundles = {json.dumps([str(one) for one in bundles])}\n"
    )
    return ["--config", str(path), "vuln", "bundle", "check", "--json"]


def test_bundles_are_built_without_a_configuration_and_checked_with_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*build(tmp_path, "--release", "debian:12", "--release", "almalinux:9"), "--json"], {}) == ExitCode.OK
    made = {one["release"]: one for one in data(capsys)}

    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("debian-12.vulnerabilities.jsonl", "debian-12.vulnerabilities.jsonl.sig"),
        *("almalinux-9.vulnerabilities.jsonl", "almalinux-9.vulnerabilities.jsonl.sig"),
    }
    assert made["debian:12"]["rows"] == 106
    assert made["debian:12"]["as_of"] == format_at(AS_OF)  # the oldest file's

    files = [Path(one["file"]) for one in made.values()]
    code = run(configured(tmp_path, *files), {})
    seen = data(capsys)
    assert code == ExitCode.OK
    assert [one["release"] for one in seen] == list(made)
    assert all(one["problem"] is None for one in seen)


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    name = "debian-12.vulnerabilities.jsonl"
    run(build(tmp_path, "--release", "debian:12"), {})
    first = (tmp_path / "out" / name).read_bytes(), (tmp_path / "out" / f"{name}.sig").read_bytes()

    run(build(tmp_path, "--release", "debian:12"), {})

    assert first == ((tmp_path / "out" / name).read_bytes(), (tmp_path / "out" / f"{name}.sig").read_bytes())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--release", "debian"], "debian is no release that is known here"),
        (["--release", "debian:12", "--as-of", "soon"], "soon is no time"),
        (["--release", "debian:12", "--as-of", "2999-01-01"], "which has not come yet"),
        (["--release", "debian:12", "--as-of", "2026-01-01"], "its newest record is of"),
        (["--release", "debian:12", "--osv", "/nowhere"], "cannot read /nowhere: No such file or directory"),
        ([], "--release is missing"),
    ],
)
def test_a_wrong_call_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    assert run([*build(tmp_path, *more), "--lang", "en"], {}) == ExitCode.USAGE
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_damaged_file_leaves_the_bundle_of_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "out/debian-12.vulnerabilities.jsonl"
    run(build(tmp_path, "--release", "debian:12"), {})
    before = path.read_bytes()
    arguments = build(tmp_path, "--release", "debian:12", "--lang", "en")
    (tmp_path / "Debian.zip").write_bytes((tmp_path / "Debian.zip").read_bytes()[:-100])

    assert run(arguments, {}) == ExitCode.USAGE
    assert "Debian.zip cannot be used: it is not a zip file, or is cut short" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_far_fewer_records_than_before_are_not_written_unasked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "out/debian-12.vulnerabilities.jsonl"
    run(build(tmp_path, "--release", "debian:12"), {})
    before = path.read_bytes()
    arguments = build(tmp_path, "--release", "debian:12", "--lang", "en", "--as-of", AS_OF.isoformat())
    write_zip(tmp_path / "Debian.zip", DEBIAN)

    assert run(arguments, {}) == ExitCode.USAGE
    assert "the new bundle of debian:12 has 8 records, the one before has 108" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert run([*arguments, "--accept-shrink"], {}) == ExitCode.OK
    assert path.read_bytes() != before


def test_nothing_configured_is_no_good_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(configured(tmp_path), {}) == ExitCode.PARTIAL
    assert data(capsys) == []


def test_a_bundle_of_another_signer_is_refused_and_others_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(build(tmp_path, "--release", "debian:12"), {})
    capsys.readouterr()
    good = tmp_path / "out/debian-12.vulnerabilities.jsonl"
    bad = write_bundle(tmp_path, good.read_bytes(), "bad.jsonl", key=OTHER_KEY)

    assert run(configured(tmp_path, bad, good), {}) == ExitCode.INTEGRITY
    first, second = data(capsys)
    assert "which is not trusted here" in first["refused"]
    assert second["release"] == "debian:12"


def test_an_old_bundle_is_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inputs = write_inputs(tmp_path)
    day = datetime(2025, 1, 1, tzinfo=UTC)
    from checks.vulnerabilities.build import Inputs, built
    from checks.vulnerabilities.releases import Release
    from tests.checks.vulnerabilities.records import affected, record

    made = record("DSA-1-1", affected("Debian:12", "a"), day="2024-12-31")
    ((_header, contents),) = built(Inputs((write_zip(inputs.osv[1], [made]),)), [Release("debian:12")], day).values()

    assert run(configured(tmp_path, write_bundle(tmp_path, contents)), {}) == ExitCode.UNMET
    assert data(capsys)[0]["problem"] == "The bundle is older than 365 days: no check passes by it."


def test_a_nested_noun_has_its_own_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["vuln", "bundle", "--help", "--lang", "en"], {}) == ExitCode.OK
    assert "Usage: portalops vuln bundle VERB" in capsys.readouterr().out
    assert run(["vuln", "--lang", "en"], {}) == ExitCode.USAGE
    assert "'portalops vuln' needs a verb" in capsys.readouterr().err
    assert run(["vuln", "bundle", "bild", "--lang", "en"], {}) == ExitCode.USAGE
    assert "Did you mean 'portalops vuln bundle build'?" in capsys.readouterr().err
