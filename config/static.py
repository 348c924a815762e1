"""Owns how static files are stored for serving: compressed, and each under a name that changes with its content."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStorage(CompressedManifestStaticFilesStorage):
    """Modules import each other by hashed names too, so that after a change no old one is mixed with new ones."""

    support_js_module_import_aggregation = True
