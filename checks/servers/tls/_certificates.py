"""Certificates as the checks of TLS read them."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import ExtensionOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)


def certificate_of(der: bytes) -> x509.Certificate | None:
    """Read a certificate; None where it is none."""
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError:
        return None


def is_for(certificate: x509.Certificate, name: str) -> bool:
    """Say whether a certificate names a host, or by `*` all in its domain (RFC 9525)."""
    try:
        names = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    assert isinstance(names, x509.SubjectAlternativeName)
    try:
        return ipaddress.ip_address(name) in names.get_values_for_type(x509.IPAddress)
    except ValueError:
        pass
    wanted = name.lower().rstrip(".")
    parent = f"*.{wanted.partition('.')[2]}"
    return any(each.lower() in {wanted, parent} for each in names.get_values_for_type(x509.DNSName))


def is_trusted(name: str, chain: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], at: datetime) -> bool:
    """Say whether a chain, and nothing beside it, leads from a server's certificate to a trusted authority.

    Args:
        name: the host's, or its address.
        chain: as it was sent, the server's own first.
        anchors: what is trusted.
        at: the moment to judge for.
    """
    if not anchors:
        return False
    subject = _subject(name)
    # NOTE: authorities of states and companies do not keep every rule of the browsers' forum; signatures, dates, names
    # and the right to issue are looked at all the same.
    issuing = ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
    served = ExtensionPolicy.permit_all().require_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)
    policy = PolicyBuilder().store(Store(list(anchors))).time(at.replace(tzinfo=None))
    verifier = policy.extension_policies(ca_policy=issuing, ee_policy=served).build_server_verifier(subject)
    try:
        verifier.verify(chain[0], list(chain[1:]))
    except VerificationError:
        return False
    return True


def _subject(name: str) -> x509.DNSName | x509.IPAddress:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
