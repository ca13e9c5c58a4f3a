"""Build bundles on a connected machine, and check them where they are used."""
