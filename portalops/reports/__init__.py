"""Reports: data first (`document`), built by pure functions, rendered by one file a format."""
