"""Owns the addresses of the reports."""

from django.urls import path

from reports.views import overview, releases, statistics, unanswered

urlpatterns = [
    path("overview/", overview.overview, name="overview"),
    path("overview/unanswered/", unanswered.unanswered, name="unanswered"),
    path("statistics/", statistics.index, name="statistics"),
    path("statistics/<str:table>/", statistics.table, name="table"),
    path("releases/", releases.index, name="releases"),
    path("releases/<int:release>/", releases.read, name="release"),
    path("releases/<int:release>/publish/", releases.publish_release, name="release-publish"),
    path("releases/<int:release>/manifest.json", releases.manifest, name="release-manifest"),
]
