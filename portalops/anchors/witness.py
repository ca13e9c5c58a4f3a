"""A witness on another unit's host: it fetches heads by itself, and hands back receipts signed with its own key.

    [[ledger.anchor]]
    id = "so-tttt"
    kind = "witness"
    key = "ssh-ed25519 AAAA... witness@so-tttt"

Nothing is sent to it from here: its `portalops watch-remote` asks, and `portalops ledger anchor --receipt -` takes
what it hands over. `key` is the witness's public key; a receipt by any other key is refused.
"""

from __future__ import annotations

from pydantic import Field

from portalops.anchors import AnchorContext, AnchorKind
from portalops.config.tables import KindTable
from portalops.config.values import Shape, SshPublicKey
from portalops.errors import AnchorUnavailable
from portalops.model.heads import AnchorId, AnchorReceipt, RecordedHead
from portalops.model.message import msg
from portalops.ports import EvidenceStore


class Settings(Shape):
    """`kind = "witness"`."""

    key: SshPublicKey = Field(description="The witness's public key, the line of its .pub file.")


def build(table: KindTable, _context: AnchorContext) -> WitnessAnchor:
    """Return the anchor that a configuration table describes."""
    return WitnessAnchor(AnchorId(table.id), table.parse(Settings))


class WitnessAnchor:
    """Waits for receipts."""

    kind = "witness"
    fetches_itself = True

    def __init__(self, anchor_id: AnchorId, settings: Settings) -> None:
        self.id = anchor_id
        self.key = settings.key
        """The public key that receipts must be signed with."""

    def publish(self, head: RecordedHead, keeper: EvidenceStore) -> AnchorReceipt:  # noqa: ARG002  # the form of every anchor
        """Refuse: a witness takes heads only by asking for them, so that who runs this machine cannot choose for it."""
        raise AnchorUnavailable(
            msg("the witness {anchor} fetches heads by itself; nothing can be sent to it", anchor=self.id),
            msg("Run 'portalops watch-remote' on the witness's host."),
        )


ANCHOR = AnchorKind(settings=Settings, build=build)
