"""Owns the stored nouns of row files: one while it is made and read, and the published one of a year."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class PreparedFile(models.Model):
    """A year's row file while it is made (`percent` done) and until a person who has read what it is publishes it."""

    year = models.PositiveSmallIntegerField(primary_key=True)
    percent = models.PositiveSmallIntegerField(default=0)
    content = models.TextField(default="")
    manifest = models.TextField(default="")
    sha256 = models.CharField(max_length=64, default="")  # of the content
    prepared_on = models.DateField()


class PublishedFile(models.Model):
    """The one row file of a year, or why it has none (`refused`). Written once: the database refuses any change.

    The year is the key: a frozen contact counts in one month, so it is in one file at most, ever.
    """

    year = models.PositiveSmallIntegerField(primary_key=True)
    content = models.TextField(default="")  # CSV, byte for byte what the SHA-256 is taken of
    manifest = models.TextField()
    sha256 = models.CharField(max_length=64, default="")
    refused = models.CharField(max_length=16, default="")
    published_on = models.DateField()
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="published_file_or_refusal",
                condition=Q(refused="") & ~Q(content="") | ~Q(refused="") & Q(content=""),
            )
        ]
