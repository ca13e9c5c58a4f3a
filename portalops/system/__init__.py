"""The only input and output of the core: clock, programs, files, locks, shells."""
