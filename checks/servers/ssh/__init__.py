"""Article 12.4: security mechanisms protect the way in by SSH."""
