"""What every command shares: how it is called, what it works with, and how its result is shown."""
