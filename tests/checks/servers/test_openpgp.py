"""Keyrings of apt are told by the fingerprints of their keys, and what is none is not believed."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from checks.servers.openpgp import NotKeys, fingerprints
from checks.servers.probes import apt_sources
from tests.checks.servers.test_approved_state import printed

# gpg 2.4.7: two keys of ed25519, of kho@example.vn and la@example.vn
KEYRING = b64decode(
    "mDMEaw4mzBYJKwYBBAHaRw8BAQdAnXpvTP6ioUFIeuT7K3vrTvPAnbspVAAqyO4cq4VU4iy0Dmtob0BleGFtcGxlLnZuiJAEExYK"
    "ADgWIQSef8LpNgst3CC+cjR8YzK4prZSewUCaw4mzAIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAKCRB8YzK4prZSeyHVAP9S"
    "xoOfRcQ2p78tV5FXfA6KChSE/EbJYYDM31WZQ51UzwEAnc6XGo3qaXtyIy79cqHd0XVjTuNhdI9eKjdcDjfESwqYMwRrDibMFgkr"
    "BgEEAdpHDwEBB0DuFFoRLoKvHse5xSOIy6St6KK0uNgt044K7D/HT5TxErQNbGFAZXhhbXBsZS52boiQBBMWCgA4FiEE9s+zy8Dd"
    "sas/Anl7pitHuM05Ba0FAmsOJswCGwMFCwkIBwIGFQoJCAsCBBYCAwECHgECF4AACgkQpitHuM05Ba2zlAEA8uxUj5lgjgyRRLre"
    "WA51yP2k75Vw+PRwHtSRC+0eKk0BALbhl5dbj/pdZReK3Ln13UmoRpOhJZpaba/hqm1swXME"
)
FIRST, SECOND = "9E7FC2E9360B2DDC20BE72347C6332B8A6B6527B", "F6CFB3CBC0DDB1AB3F02797BA62B47B8CD3905AD"


def armoured(data: bytes) -> str:
    return f"-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: x\n\n{b64encode(data).decode()}\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n"


def test_every_key_of_a_keyring_is_told_be_it_text_or_not() -> None:
    one = KEYRING[:215]

    assert fingerprints(one) == {FIRST}
    assert fingerprints(KEYRING) == {FIRST, SECOND}
    assert fingerprints(armoured(KEYRING).encode()) == {FIRST, SECOND}
    assert fingerprints(f"{armoured(one)}\n{armoured(KEYRING[215:])}".encode()) == {FIRST, SECOND}


@pytest.mark.parametrize("data", [b"", b"no key", KEYRING[:-1], KEYRING + b"\xff", KEYRING[:215] + b"x", b"\x99\x00"])
def test_what_is_not_wholly_keys_is_refused(data: bytes) -> None:
    with pytest.raises(NotKeys):
        fingerprints(data)


def test_keys_within_sources_fingerprints_and_keyrings_of_nobody_are_told(tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, line in {"apt-get": "echo 'https://mirror.example/debian|trixie|yes'", "apt-config": ":"}.items():
        (programs / name).write_text(f"#!/bin/sh\n{line}\n")
        (programs / name).chmod(0o755)
    folder = tmp_path / "etc/apt/sources.list.d"
    folder.mkdir(parents=True)
    block = "".join(f" {line or '.'}\n" for line in armoured(KEYRING[:215]).splitlines())
    (folder / "a.sources").write_text(f"Types: deb\nSigned-By:\n{block}Suites: x\n")
    (folder / "b.list").write_text(f"deb [arch=amd64 signed-by={'A' * 40}] https://mirror.example/debian trixie main\n")

    found = apt_sources.parse(printed(f"PATH={programs}:$PATH\n{apt_sources.PROBE.command[2]}", tmp_path))

    assert found.keys == {f"key {FIRST}", f"key {'A' * 40}"}
    assert found.unread == frozenset()
