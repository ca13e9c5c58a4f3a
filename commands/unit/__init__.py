"""Take units into the configuration, many at once."""
