"""What is taken for a secret, and what is not: names, places and reasons as people write them."""

from __future__ import annotations

import hashlib
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portalops.model.credentials import (
    CredentialKind,
    fingerprint_in,
    host_of,
    is_fingerprint,
    names_person,
    same_person,
    secret_in,
)

PRINT = "SHA256:o2QmsD638M4mhQl5hE4mole4XwEYCXt6saFJFtpxYmY"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "private-key"),
        ("AGE-SECRET-KEY-1QQPQZ", "private-key"),
        ("$y$j9T$abc$def", "password-hash"),
        ("$2b$12$abcdefghijklmnopqrstuv", "password-hash"),
        ("root:$6$salt$hash", "password-hash"),
        ("{SSHA}abc", "password-hash"),
        ("*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19", "password-hash"),
        ("SCRAM-SHA-256$4096:abc", "password-hash"),
        (hashlib.sha256(b"x").hexdigest(), "password-hash"),
        (f"md5{hashlib.sha256(b'x').hexdigest()[:32]}", "password-hash"),
        ("https://admin:tinhKH@portal.example.vn", "address-with-password"),
        ("AKIAIOSFODNN7EXAMPLE", "token"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "token"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x", "token"),
        ("mật khẩu: cong2026", "password"),
        ("mat khau la: x", "password"),
        ("the password is hunter2", "password"),
        ("in the safe, pwd=hunter2", "password"),
        ("P@ssw0rd!", "password"),
        ("kept as Kh@nhHoa2026 in the safe", "password"),
        ("Tr0ub4dor&3", "password"),
        ("wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY", "password"),
        ("abcdefghij0123456789klmno", "password"),
        ("aB3dE6gH9j", "password"),
    ],
)
def test_secret_is_known_by_its_look(text: str, what: str) -> None:
    assert secret_in(text) == what


@pytest.mark.parametrize(
    "text",
    [
        *("Két sắt phòng 204", "Tủ sắt, ngăn 2, phòng Hạ tầng", "safe in room B2.14, envelope 7", "KeePass on vault01"),
        *("nguyen-van-an", "Nguyễn Văn An (0258.3822229)", "an.nv2@khanhhoa.gov.vn", "nva_2026", "svc-backup"),
        *("12/QĐ-STTTT, 20/11/2026", "left the unit on 2026-11-30", "the password is kept in the safe", "wrong room"),
        *(
            "portal-backups-2026",
            "web1-root",
            "the token of the DNS registrar",
            "Đổi mật khẩu định kỳ",
            "",
            "yearly exchange",
        ),
    ],
)
def test_what_people_write_is_no_secret(text: str) -> None:
    assert secret_in(text) is None


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(alphabet=st.characters(whitelist_categories=("L", "Zs")), max_size=19))
def test_words_of_letters_alone_are_taken(text: str) -> None:
    assert secret_in(text) is None or any(word in text.casefold() for word in ("pass", "secret", "token", "pin", "pwd"))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text())
def test_any_text_is_looked_at_without_fault(text: str) -> None:
    secret_in(text)


def test_fingerprint_is_of_keys_and_certificates_alone() -> None:
    colons = ":".join(["AB"] * 32)

    assert is_fingerprint(CredentialKind.KEY, PRINT)
    assert is_fingerprint(CredentialKind.CERTIFICATE, colons)
    assert not is_fingerprint(CredentialKind.KEY, colons)
    assert not is_fingerprint(CredentialKind.KEY, hashlib.sha256(b"x").hexdigest())
    assert not is_fingerprint(CredentialKind.PASSWORD, PRINT)
    assert not is_fingerprint(CredentialKind.TOKEN, PRINT)


def test_fingerprint_is_taken_from_the_line_that_the_programs_print() -> None:
    colons = ":".join(["AB"] * 32)

    assert (
        fingerprint_in(CredentialKind.KEY, f"256 {PRINT} an@may-tinh (ED25519)\n") == PRINT
    )  # ssh-keygen of OpenSSH 10
    assert fingerprint_in(CredentialKind.CERTIFICATE, f"sha256 Fingerprint={colons}") == colons  # openssl 3
    assert fingerprint_in(CredentialKind.CERTIFICATE, f"SHA256 Fingerprint={colons}") == colons  # openssl 1.1
    assert fingerprint_in(CredentialKind.CERTIFICATE, colons.lower()) == colons
    assert fingerprint_in(CredentialKind.KEY, f"sha256 Fingerprint={colons}") is None
    assert fingerprint_in(CredentialKind.KEY, f"{PRINT}x") is None
    assert fingerprint_in(CredentialKind.PASSWORD, PRINT) is None


def test_system_names_the_host_that_it_is_or_runs_on() -> None:
    found = [host_of(one) for one in ("host:web1", "database:portal@db1", "bucket:backups", "portal:admin")]
    assert found == ["web1", "db1", "", ""]


def test_person_is_the_same_whatever_the_case_and_form_of_the_name() -> None:
    assert same_person("Nguyễn  Văn An", "nguyễn văn an")
    assert not same_person("nguyen-van-an", "nguyen-van-anh")


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("Nguyễn Văn An", "nguyen-van-an"),
        ("Ông NGUYỄN VĂN AN, Trưởng phòng", "nguyen-van-an"),
        ("nguyen-van-an", "Nguyễn Văn An"),
        ("Đỗ Đức Ân", "do-duc-an"),
        ("an", "an"),
    ],
)
def test_text_names_a_person_in_whatever_spelling(text: str, person: str) -> None:
    assert names_person(text, person)
    assert names_person(unicodedata.normalize("NFD", text), person)


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("Nguyễn Văn Ân", "Nguyễn Văn An"),
        ("Nguyễn Văn Anh", "nguyen-van-an"),
        ("Phòng An ninh mạng", "an"),
        ("Văn Nguyễn An", "nguyen-van-an"),
        ("", "nguyen-van-an"),
        ("Phòng Hạ tầng", ""),
    ],
)
def test_text_that_is_of_another_names_nobody(text: str, person: str) -> None:
    assert not names_person(text, person)
