"""Tests of the server checks."""
