"""Owns the addresses of the helpline's pages."""

from django.urls import path

from helpline.views import accounts, contact_new, contacts, drafts

urlpatterns = [
    path("", accounts.start, name="start"),
    path("contacts/new/", contact_new.page, name="contact-new"),
    path("contacts/drafts/<uuid:key>/", drafts.draft, name="draft"),
    path("contacts/drafts/<uuid:key>/discard/", drafts.discard, name="draft-discard"),
    path("contacts/case/", drafts.case, name="contact-case"),
    path("contacts/shortcuts/", drafts.shortcuts, name="shortcuts"),
    path("session/", accounts.session, name="session"),
    path("contacts/", contacts.index, name="contacts"),
    path("contacts/<uuid:contact>/amend/", contacts.amend, name="contact-amend"),
    path("contacts/<uuid:contact>/open/", contacts.open_contact, name="contact-open"),
    path("contacts/<uuid:contact>/withdraw/", contacts.withdraw, name="contact-withdraw"),
    path("login/", accounts.login, name="login"),
    path("logout/", accounts.logout, name="logout"),
    path("language/", accounts.set_language, name="set_language"),
    path("setup/<str:token>/", accounts.setup, name="setup"),
]
