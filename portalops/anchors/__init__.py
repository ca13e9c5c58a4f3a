"""Places for heads out of the operator's reach, one file a kind."""
