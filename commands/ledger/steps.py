"""What the verbs of this noun do alike."""

from __future__ import annotations

from portalops.ledger.check_heads import HeldRecord
from portalops.ledger.heeded import heeded
from portalops.ledger.ledger import Ledger
from portalops.ledger.verify import read_erasure
from portalops.model.record import Digest
from portalops.registers.erasures import ERASED, RecordedErasure


def erasure_of(ledger: Ledger, digest: Digest) -> RecordedErasure | None:
    """Return the record that counts and says that a blob was erased, or None.

    Raises:
        IntegrityError: the details of such a record are missing or damaged.
    """
    for record in heeded(ledger).records(kinds=(ERASED,)):
        found = read_erasure(HeldRecord(record.seq, record.at, record.kind, ledger.blob(record.body)))
        if found is not None and found.erasure.digest == digest:
            return found
    return None
