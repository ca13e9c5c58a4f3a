"""Tests of the places for heads out of the operator's reach."""
