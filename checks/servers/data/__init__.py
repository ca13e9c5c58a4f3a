"""Dated tables that checks compare with."""
