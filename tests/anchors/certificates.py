"""Certificates made for tests: authorities, servers, time-stamping authorities."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.now(UTC)
"""OpenSSL and SMTP servers know no other clock than the machine's."""


@dataclass(frozen=True)
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write both as PEM; return the paths of certificate and key."""
        folder.mkdir(parents=True, exist_ok=True)
        certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
        certificate.write_bytes(self.pem)
        key.write_bytes(self.key_pem)
        return certificate, key


def authority(name: str, by: Issued | None = None) -> Issued:
    """Issue a root, or an authority below another one."""
    return _issue(
        name, by, is_authority=True, purpose=None, first=NOW - timedelta(days=400), last=NOW + timedelta(days=400)
    )


def server(name: str, by: Issued) -> Issued:
    """Issue a certificate for a server at 127.0.0.1."""
    return _issue(name, by, is_authority=False, purpose=ExtendedKeyUsageOID.SERVER_AUTH)


def timestamper(name: str, by: Issued, *, last: datetime = NOW + timedelta(days=30), is_one: bool = True) -> Issued:
    """Issue a certificate for time stamping; or, if it is none, one for something else."""
    purpose = ExtendedKeyUsageOID.TIME_STAMPING if is_one else ExtendedKeyUsageOID.CODE_SIGNING
    return _issue(name, by, is_authority=False, purpose=purpose, last=last)


def _issue(
    name: str,
    by: Issued | None,
    *,
    is_authority: bool,
    purpose: x509.ObjectIdentifier | None,
    first: datetime = NOW - timedelta(days=60),
    last: datetime = NOW + timedelta(days=30),
) -> Issued:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signing = by.key if by else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(first)
        .not_valid_after(last)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not is_authority,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=is_authority,
                crl_sign=is_authority,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
    if purpose is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=True)
    if purpose == ExtendedKeyUsageOID.SERVER_AUTH:
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        builder = builder.add_extension(names, critical=False)
    return Issued(builder.sign(signing, hashes.SHA256()), key)
