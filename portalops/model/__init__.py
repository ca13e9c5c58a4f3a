"""The nouns: frozen dataclasses and pure rules over them. Imports the standard library alone."""
