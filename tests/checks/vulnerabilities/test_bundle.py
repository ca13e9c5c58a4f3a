"""A bundle is what its signer made, or it is refused."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from checks.vulnerabilities.build import built
from checks.vulnerabilities.bundle import NAMESPACE, SUFFIX, read_bundle, signature_of
from checks.vulnerabilities.releases import Release
from portalops.errors import VulnerabilityBundleRefused
from portalops.signatures.sshsig import sign
from tests.checks.vulnerabilities.records import AS_OF, KEY, OTHER_KEY, write_bundle, write_inputs

DEBIAN_12 = Release("debian:12")


@pytest.fixture(name="data")
def data_(tmp_path: Path) -> bytes:
    return built(write_inputs(tmp_path), [DEBIAN_12], AS_OF)[DEBIAN_12][1]


def refusal(path: Path) -> str:
    with pytest.raises(VulnerabilityBundleRefused) as caught:
        read_bundle(path, [KEY.public_key])
    return str(caught.value)


def test_what_was_built_is_read_back(tmp_path: Path, data: bytes) -> None:
    bundle = read_bundle(write_bundle(tmp_path, data), [OTHER_KEY.public_key, KEY.public_key])

    assert bundle.header == built(write_inputs(tmp_path), [DEBIAN_12], AS_OF)[DEBIAN_12][0]
    assert bundle.signed_by == KEY.public_key
    assert bundle.counted == bundle.header.rows == 106
    assert bundle.rows("no-such-package") == ()


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1],
        lambda data: data[:200],
        lambda data: data.replace(b"CVE-2023-4911", b"CVE-2023-4912"),
        lambda data: data + b"\n",
        lambda _data: b"",
    ],
)
def test_a_changed_bundle_is_refused(tmp_path: Path, data: bytes, change: Callable[[bytes], bytes]) -> None:
    path = write_bundle(tmp_path, data)
    path.write_bytes(change(data))

    assert "the signature does not match the signed data" in refusal(path)


def test_a_bundle_by_somebody_else_is_refused(tmp_path: Path, data: bytes) -> None:
    assert ", which is not trusted here" in refusal(write_bundle(tmp_path, data, key=OTHER_KEY))


def test_a_signature_for_something_else_is_refused(tmp_path: Path, data: bytes) -> None:
    path = write_bundle(tmp_path, data)
    path.with_name(path.name + SUFFIX).write_text(sign(data, KEY, "portalops-head"))

    assert "made for another purpose" in refusal(path)


def test_a_bundle_without_a_signature_or_without_a_file_is_refused(tmp_path: Path, data: bytes) -> None:
    path = write_bundle(tmp_path, data)
    path.with_name(path.name + SUFFIX).unlink()

    assert "No such file or directory" in refusal(path)
    assert "No such file or directory" in refusal(tmp_path / "nowhere")
    path.with_name(path.name + SUFFIX).write_bytes(b"\xff" * 100_000)
    assert "it is larger than 1 MiB" in refusal(path)


def lines(data: bytes) -> list[object]:
    return [json.loads(line) for line in data.splitlines()]


def joined(held: list[object]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in held)


@pytest.mark.parametrize(
    "change",
    [
        lambda held: held[:-1],
        lambda held: [*held[:2], held[-1]],
        lambda held: [{**held[0], "portalops_vulnerabilities": 2}, *held[1:]],
        lambda held: [{**held[0], "release": "debian:99x"}, *held[1:]],
        lambda held: [{**held[0], "records": -1}, *held[1:]],
        lambda held: [{**held[0], "as_of": "today"}, *held[1:]],
        lambda held: [{}, *held[1:]],
        lambda held: [[], *held[1:]],
        lambda held: [held[0], {"a": 1}, *held[2:]],
        lambda held: [held[0], held[2], *held[2:]],
    ],
)
def test_a_well_signed_file_of_another_form_is_refused(
    tmp_path: Path, data: bytes, change: Callable[[list[object]], list[object]]
) -> None:
    assert "it cannot be parsed by this version" in refusal(write_bundle(tmp_path, joined(change(lines(data)))))


def test_a_well_signed_bundle_that_lacks_a_row_is_refused(tmp_path: Path, data: bytes) -> None:
    """Its packages are all there; what was known of one of them is not."""
    held: list[Any] = lines(data)
    held[1][1].pop()

    assert "it has 105 rows and says 106" in refusal(write_bundle(tmp_path, joined(held)))


@pytest.mark.needs("ssh-keygen")
def test_stock_openssh_verifies_a_bundle(tmp_path: Path, data: bytes) -> None:
    path = write_bundle(tmp_path, data)
    signers = tmp_path / "signers"
    signers.write_text(f"portal {KEY.public_key}\n")
    command = [
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        str(signers),
        "-I",
        "portal",
        "-n",
        NAMESPACE,
        "-s",
        f"{path}{SUFFIX}",
    ]

    with path.open("rb") as file:
        done = subprocess.run(command, stdin=file, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert signature_of(data, KEY) == path.with_name(path.name + SUFFIX).read_text()
