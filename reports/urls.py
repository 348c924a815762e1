"""Owns the addresses of the reports."""

from django.urls import include, path

from reports.views import (
    counties,
    file_releases,
    files,
    grants,
    health,
    overview,
    releases,
    statistics,
    traffic,
    unanswered,
)

urlpatterns = [
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", health.metrics, name="metrics"),
    path("overview/", overview.overview, name="overview"),
    path("overview/unanswered/", unanswered.unanswered, name="unanswered"),
    path("traffic/", traffic.traffic, name="traffic"),
    path("directory/counties/", counties.page, name="directory-counties"),
    path("statistics/", statistics.index, name="statistics"),
    path("statistics/method/", statistics.method, name="statistics-method"),
    path("statistics/files/", files.index, name="row-files"),
    path("statistics/<str:table>/", statistics.table, name="table"),
    path("releases/", releases.index, name="releases"),
    path("releases/<int:release>/", releases.read, name="release"),
    path("releases/<int:release>/publish/", releases.publish_release, name="release-publish"),
    path("releases/<int:release>/edition/", releases.ask_edition, name="release-edition"),
    path("releases/<int:release>/manifest.json", releases.manifest, name="release-manifest"),
    path("releases/files/<int:year>/", file_releases.read, name="row-file"),
    path("releases/files/<int:year>/publish/", file_releases.publish, name="row-file-publish"),
    path("grants/", grants.index, name="grants"),
    path("grants/ask/", grants.ask, name="grant-ask"),
    path("grants/<int:pk>/end/", grants.end, name="grant-end"),
    path("grants/tokens/", grants.make_token, name="token-make"),
    path("grants/tokens/<int:pk>/revoke/", grants.revoke_token, name="token-revoke"),
    path("api/v1/", include("reports.api.v1")),
]
