"""Second line against secrets in evidence: whatever looks like one is blotted out before anything is kept.

The first line is that no probe prints a secret: what is secret is reduced to its kind on the host itself. This one
catches what slips through: crypt(5) hashes, passwords in addresses, private keys, `password = ...` settings.
"""

from __future__ import annotations

import re

_HASH = re.compile(rb"\$(?:1|2[abxy]?|5|6|7|y|gy|sm3|md5|sha1|argon2[a-z]{1,2})\$[^\s:\"']{8,}")
_ADDRESS = re.compile(rb"(?<=://)[^\s/@:\"']+:[^\s/@\"']+(?=@)")
_KEY = re.compile(
    rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)
_SETTING = re.compile(
    rb"(?:password|passwd|passphrase|auth_pass|secret|api_?key|token)\"?[ \t]{0,8}(?:=[ \t]{0,8}|:[ \t]{1,8})([^\s]+)",
    re.IGNORECASE,
)


def redacted(raw: bytes) -> bytes:
    """Return the bytes with everything that looks like a secret blotted out, byte for byte, so that no length changes.

    Doing it twice changes nothing.
    """
    for pattern in (_KEY, _HASH, _ADDRESS):
        raw = pattern.sub(lambda match: _blot(match.group()), raw)
    return _SETTING.sub(lambda match: match.group()[: -len(match.group(1))] + _blot(match.group(1)), raw)


def _blot(secret: bytes) -> bytes:
    """Star out everything but line ends, so that no line is lost either."""
    return re.sub(rb"[^\r\n]", b"*", secret)
