"""The provider as the tests see it: what it is told to say, and how somebody logs in there and is sent back."""

import json
import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urljoin

import requests
from django.http import HttpResponse
from django.test import Client
from django.urls import resolve

BEGIN, CALLBACK, PASSWORD = "/login/oidc/", "/login/oidc/callback/", "at the provider"


@dataclass(frozen=True)
class Provider:
    """A running provider: its issuer, and the folder in which it reads what to say."""

    url: str
    folder: Path

    HIGH: ClassVar[str] = "http://id.elegnamnden.se/loa/1.0/loa3"
    LOW: ClassVar[str] = "http://id.elegnamnden.se/loa/1.0/loa1"
    ANNA: ClassVar[dict[str, Any]] = {
        "preferred_username": "anna.berg",
        "name": "Anna Maria Bergström",
        "email": "anna.bergstrom@identity.example",
        "acr": HIGH,
    }

    def tell(self, *, id_token: dict | None = None, userinfo: dict | None = None, forged: dict | None = None) -> None:
        """Let it say this besides what it says of Anna; None leaves a claim out, `forged` is put in after signing."""
        said = {"id_token": self.ANNA | (id_token or {}), "userinfo": userinfo or {}, "forged": forged or {}}
        (self.folder / "told.json").write_text(json.dumps(said), encoding="utf-8")

    def let_back(self, address: str) -> None:
        """Send people back to a helpline at this address too."""
        places = f"http://testserver{CALLBACK} {address}{CALLBACK}"
        with sqlite3.connect(self.folder / "provider.sqlite3", timeout=20) as database:
            database.execute("UPDATE oauth2_provider_application SET redirect_uris = ?", [places])
        database.close()

    def way_back(self, asked: str, *, who: str = "anna", session: requests.Session | None = None) -> str:
        """Log in there, with the question that the helpline sent the browser off with: the address it is sent back to.

        Whoever has a session there is not asked again, unless the question wants it.
        """
        session = session or requests.Session()
        answer = session.get(asked, allow_redirects=False)
        while answer.is_redirect:
            target = urljoin(answer.url, answer.headers["Location"])
            if not target.startswith(self.url.removesuffix("/o")):
                return target
            answer = session.get(target, allow_redirects=False)
            if "csrfmiddlewaretoken" in answer.text:
                token = re.search('csrfmiddlewaretoken" value="(.+?)"', answer.text)
                form = {"csrfmiddlewaretoken": token[1], "username": who, "password": PASSWORD} if token else {}
                answer = session.post(answer.url, data=form, allow_redirects=False)
        raise AssertionError(answer.text)

    def log_in(self, client: Client, invited: Any = None, *, after: str = "", **how: Any) -> HttpResponse:
        """The whole way, from the helpline's log-in page to what it answers when the browser comes back.

        The owner of an account that nobody has taken up, `invited`, comes from the page of their invitation.
        """
        from helpline import invitations

        query = {"next": after} if after else {}
        if invited and invitations.is_free(invited):
            query["invitation"] = resolve(invitations.path_for(invited)).kwargs["token"]
        asked = client.get(BEGIN, query)
        return client.get(self.way_back(asked["Location"], **how).removeprefix("http://testserver"))
