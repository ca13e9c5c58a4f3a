"""Which hosts and stores are only out of reach, and which refuse: what is refused is not tried again."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import (  # type: ignore[import-untyped]
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    NoCredentialsError,
    ReadTimeoutError,
    SSLError,
)

from portalops.errors import HostAway
from portalops.system.openssh import explain_no_session
from portalops.system.s3 import is_passing
from portalops.system.ssh import SshTarget

TARGET = SshTarget("backup.example.vn", 22, "portal", Path("/etc/portalops/ssh"), ("ssh-ed25519 AAAA",))

# As the client of OpenSSH words them (sshconnect.c, packet.c, clientloop.c), on one line.
AWAY = (
    "ssh: connect to host backup.example.vn port 22: Connection refused",
    "ssh: connect to host backup.example.vn port 22: Connection timed out",
    "ssh: connect to host backup.example.vn port 22: No route to host",
    "ssh: Could not resolve hostname backup.example.vn: Temporary failure in name resolution",
    "kex_exchange_identification: read: Connection reset by peer Connection reset by 192.0.2.7 port 22",
    "Connection closed by 192.0.2.7 port 22",
    "client_loop: send disconnect: Broken pipe",
)
REFUSING = (
    "portal@backup.example.vn: Permission denied (publickey).",
    "Host key verification failed.",
    "Unable to negotiate with 192.0.2.7 port 22: no matching host key type found. Their offer: ssh-rsa",
    "subsystem request failed on channel 0",
    'Load key "/etc/portalops/ssh": error in libcrypto',
    "command-line line 0: Bad SSH2 cipher spec",
)


@pytest.mark.parametrize("said", AWAY)
def test_a_host_that_refuses_nothing_is_away(said: str) -> None:
    assert isinstance(explain_no_session(TARGET, said), HostAway)


@pytest.mark.parametrize("said", REFUSING)
def test_a_host_that_refuses_is_not(said: str) -> None:
    assert not isinstance(explain_no_session(TARGET, said), HostAway)


def refusal(status: int, code: str) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}},
        "PutObject",
    )


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (refusal(500, "InternalError"), True),
        (refusal(503, "SlowDown"), True),
        (refusal(400, "RequestTimeout"), True),
        (refusal(429, "TooManyRequests"), True),
        (ConnectTimeoutError(endpoint_url="https://s3.example.vn"), True),
        (ReadTimeoutError(endpoint_url="https://s3.example.vn"), True),
        (ConnectionClosedError(endpoint_url="https://s3.example.vn"), True),
        (refusal(501, "NotImplemented"), False),
        (refusal(403, "AccessDenied"), False),
        (refusal(404, "NoSuchBucket"), False),
        (refusal(409, "InvalidBucketState"), False),
        (SSLError(endpoint_url="https://s3.example.vn", error="certificate has expired"), False),
        (NoCredentialsError(), False),
        (ValueError("Invalid endpoint"), False),
    ],
)
def test_what_of_an_object_store_passes_by_itself(error: Exception, passes: bool) -> None:
    assert is_passing(error) is passes
