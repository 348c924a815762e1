"""Owns what is loaded from files: of each kind how it is read and stored, and a file's way from upload to end."""
