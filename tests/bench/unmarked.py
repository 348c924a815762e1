"""The product's application without the mark that a save leaves for the counting: the difference is what it costs."""

from config.wsgi import application
from helpline import insertion

WITHOUT = insertion._statement().replace(f"{insertion.MARK}, ", "")
if "daymark" in WITHOUT:
    raise RuntimeError("the save leaves its mark in another way")
insertion._statement = lambda: WITHOUT

__all__ = ["application"]
