"""Article 12.3: disks that hold, with room left."""
