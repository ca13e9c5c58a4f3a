"""What a ledger's details can be kept in, one file a kind: `[ledger.blobs]`. Without that table they are with the records."""
