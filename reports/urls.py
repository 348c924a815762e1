"""Owns the addresses of the reports."""

from django.urls import path

from reports import views

urlpatterns = [
    path("overview/", views.overview, name="overview"),
]
