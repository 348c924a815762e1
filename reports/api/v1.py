"""Owns the addresses of our own API; PxWebApi 2 has its own."""

from django.urls import path

from helpline.access import needs
from reports.api import files, px

urlpatterns = [
    path("files/", needs(files.ACTION)(files.Files.as_view()), name="files"),
    path("files/<int:year>/", needs(files.ACTION)(files.File.as_view()), name="file"),
    path("<path:rest>", needs(px.ACTION)(px.NoAddress.as_view()), name="api-no-address"),
]
