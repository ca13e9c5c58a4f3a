"""Several workers on one ledger in a real PostgreSQL database, and the queue between them."""
