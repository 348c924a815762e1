"""Owns how the rooms' addresses come together, and the pages for what goes wrong."""

from django.urls import include, path

urlpatterns = [
    path("", include("helpline.urls")),
    path("", include("reports.urls")),
    path("api/px/v2/", include("reports.api.urls")),
]

handler400 = "helpline.views.wrong.bad_request"
handler403 = "helpline.views.wrong.permission_denied"
handler404 = "helpline.views.wrong.page_not_found"
handler500 = "helpline.views.wrong.server_error"
