"""The command line: one file a command. A command reads its options, makes one call and returns a `Result`."""
