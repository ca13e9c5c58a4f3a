"""`set.json.sig`: who made a set, so that stock `ssh-keygen -Y verify` tells; see docs/backup-set-format.md.

`set.json` holds the digest of every pack and of every other tag file, so one signature over it speaks for all of
the set. The keys that may sign are the ledger's; a wing does not know the ledger, so they are handed in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backups.set_file import NAME as SET_FILE
from backups.set_file import SetFile
from portalops.model.heads import Signer
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.registers.signers import signer_by_time
from portalops.signatures.sshsig import BadSignature, fingerprint, public_key_of, verify

NAME = f"{SET_FILE}.sig"

NAMESPACE = "portalops-set"
"""The purpose that set.json is signed for."""


def signature_problems(
    content: SetFile, set_file: bytes, signature: bytes | None, keys: Sequence[Signer] | None
) -> Iterator[Message]:
    """Yield what is wrong with a set's signature, or with there being none.

    A set that names no signer and has no signature is unsigned, which is no fault: sets are made without a key too.

    Args:
        content: what set.json says.
        set_file: its bytes.
        signature: the bytes of set.json.sig; None if the tag manifest lists none.
        keys: the keys of the ledger with their times; None if no ledger can be asked, and then any key passes
            that set.json names itself.
    """
    if signature is None:
        if content.signer:
            yield msg("{path}: {file} says that it is signed, and there is no signature", path=NAME, file=SET_FILE)
        return
    if not content.signer:
        yield msg("{path}: {file} does not say that it is signed", path=NAME, file=SET_FILE)
        return
    try:
        found = verify(set_file, signature.decode("ascii"), NAMESPACE)
        named = public_key_of(content.signer)
    except UnicodeDecodeError:
        yield msg("{path}: not an OpenSSH signature", path=NAME)
        return
    except (BadSignature, ValueError) as error:
        yield msg("{path}: {cause}", path=NAME, cause=show_text(str(error), 200))
        return
    if found != named:
        yield msg(
            "{path}: signed by {key}, and {file} names {other}",
            path=NAME,
            key=fingerprint(found),
            file=SET_FILE,
            other=fingerprint(named),
        )
    elif keys is not None and not any(each.public_key == found for each in keys):
        yield msg("{path}: signed by {key}, which is no key of this ledger", path=NAME, key=fingerprint(found))
    elif keys is not None and signer_by_time(keys, found, content.created_at) is None:
        yield msg(
            "{path}: signed by {key}, which did not sign for this ledger when the set was made",
            path=NAME,
            key=fingerprint(found),
        )


def signer_shown(signer: str) -> str:
    """Return the fingerprint of the key that a set names; empty if it is unsigned or names no key."""
    try:
        return fingerprint(public_key_of(signer))
    except ValueError:
        return ""
