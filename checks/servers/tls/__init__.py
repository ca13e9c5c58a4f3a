"""Article 12.4: what travels to and from the portal is encrypted, and by whom it is served can be proved."""
