"""Owns the addresses of the helpline's pages."""

from django.urls import path

from helpline import views

urlpatterns = [
    path("", views.start, name="start"),
    path("contacts/new/", views.contact_new, name="contact-new"),
    path("login/", views.login, name="login"),
    path("logout/", views.logout, name="logout"),
    path("language/", views.set_language, name="set_language"),
    path("setup/<str:token>/", views.setup, name="setup"),
]
