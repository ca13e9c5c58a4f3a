"""What a ledger's records can be kept in, one file a kind: `[ledger.store]`. Without that table they are in the state folder."""
