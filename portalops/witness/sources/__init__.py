"""Where a witness gets heads from, one file a kind."""
