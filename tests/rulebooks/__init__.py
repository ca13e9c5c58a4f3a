"""Tests of the rulebooks: the data itself, and its loader."""
