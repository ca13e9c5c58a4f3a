"""Track updates: what the portal and the units published and sent in (Article 11)."""
