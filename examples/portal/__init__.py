"""The parts that examples/build_portal.py makes the example portal from. Standard library only."""
