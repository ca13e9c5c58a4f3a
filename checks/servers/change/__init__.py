"""Article 12.2: what changed on a host was approved before it changed."""
