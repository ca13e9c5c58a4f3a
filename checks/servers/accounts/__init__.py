"""Article 12.5: who can act on the servers."""
