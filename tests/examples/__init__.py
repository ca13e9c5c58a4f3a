"""Tests of the example portal."""
