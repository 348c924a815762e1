"""A real OpenID Connect provider (django-oauth-toolkit) on loopback: `python tests/provider PORT FOLDER`."""

import sys
from pathlib import Path

import django
import waitress
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

PORT, FOLDER = int(sys.argv[1]), Path(sys.argv[2])
CONTRIB = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
PAGE = '<form method="post">{% csrf_token %}{{ form }}<button>Go</button></form>'


def configure() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    settings.configure(
        SECRET_KEY="only-for-tests",
        FOLDER=FOLDER,
        ALLOWED_HOSTS=["127.0.0.1"],
        INSTALLED_APPS=[*CONTRIB, "oauth2_provider"],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "provider.sqlite3"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        ROOT_URLCONF="pages",
        LOGIN_URL="/login/",
        # Cookies know no ports: these must not be those of the helpline on the same address.
        SESSION_COOKIE_NAME="provider",
        CSRF_COOKIE_NAME="provider-csrf",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {
                    "context_processors": ["django.template.context_processors.request"],
                    "loaders": [("django.template.loaders.locmem.Loader", {"registration/login.html": PAGE})],
                },
            }
        ],
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_RSA_PRIVATE_KEY": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
            "OAUTH2_VALIDATOR_CLASS": "answers.Told",
            "PKCE_REQUIRED": True,
            "SCOPES": {"openid": "who", "profile": "name"},
        },
    )
    django.setup()


def fill() -> None:
    """One client, the helpline, and two people."""
    from django.contrib.auth.models import User
    from oauth2_provider.models import Application

    call_command("migrate", verbosity=0)
    for name in ("anna", "bo"):
        User.objects.create_user(name, password="at the provider")
    Application.objects.create(
        client_id="helpline",
        client_secret="the helpline's secret",
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        algorithm=Application.RS256_ALGORITHM,
        redirect_uris="http://testserver/login/oidc/callback/",
        skip_authorization=True,
    )


configure()
fill()
server = waitress.create_server(get_wsgi_application(), host="127.0.0.1", port=PORT)
print("ready to accept connections", flush=True)
server.run()
