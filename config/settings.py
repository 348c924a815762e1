"""Settings, all of them read here from the environment or `.env`; each one is documented in README.md."""

from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from kombu import Queue

from config.secret import embedded_secret_key
from reports.disclosure.protect import Parameters
from reports.lifetimes import out_of_order
from reports.periods import pilot_between
from reports.rounds import BATCH, LIVE, ROUNDS

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = environ.Env()
env.read_env(BASE_DIR / ".env")

# The embedded profile (SQLite, broker in memory) may run over plain HTTP on loopback and makes its own key.
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="memory://localhost")
EMBEDDED = CELERY_BROKER_URL.startswith("memory://")
SECRET_KEY = env.str("SECRET_KEY", default="") or (embedded_secret_key(VAR_DIR) if EMBEDDED else "")
if len(SECRET_KEY) < 50:
    raise ImproperlyConfigured("SECRET_KEY is needed, at least 50 random characters: it signs sessions and digests.")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

INSTALLED_APPS = ["config", "reports", "helpline"]
INSTALLED_APPS += [f"django.contrib.{name}" for name in ("auth", "contenttypes", "sessions", "messages", "staticfiles")]
INSTALLED_APPS += ["csp", "rest_framework", "allauth", "allauth.account", "allauth.mfa", "allauth.socialaccount"]
AUTH_USER_MODEL = "helpline.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "helpline.access.DenyByDefaultMiddleware",
]

ROOT_URLCONF, WSGI_APPLICATION = "config.urls", "config.wsgi.application"
PROCESSORS = [f"django.{name}" for name in ("template.context_processors.request", "template.context_processors.i18n")]
PROCESSORS += [f"django.contrib.{name}.context_processors.{name}" for name in ("auth", "messages")]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {"context_processors": [*PROCESSORS, "helpline.access.page_context"]},
    },
]

# --- data ---------------------------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'helpline.sqlite3'}")}
if env.str("PUBLISHED_DATABASE_URL", default=""):  # what evaluators read, by a role that reads nothing else
    DATABASES["published"] = env.db_url("PUBLISHED_DATABASE_URL")
if any("ENGINE" not in db for db in DATABASES.values()):
    raise ImproperlyConfigured("A DATABASE_URL names no database: write it as postgres://user:password@host/name.")
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["ENGINE"] = "config.sqlite"
    DATABASES["default"]["OPTIONS"] = {
        # Deferred transactions that read, then write, lock up under two writers; the time-out does not help there.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
        " PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF",
    }
for db in DATABASES.values():
    if "postgresql" in db["ENGINE"]:
        # Client-side binding writes the values of a failing INSERT into the server's log. Without the threshold the
        # server plans every statement of a save anew. One that is not there is told within seconds.
        db["OPTIONS"] = dict(server_side_binding=True, prepare_threshold=2, connect_timeout=5, tcp_user_timeout=10_000)
        db["OPTIONS"]["options"] = "-c lock_timeout=2s -c idle_in_transaction_session_timeout=30s"
    db |= {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {"default": env.cache_url("CACHE_URL", default="locmemcache://")}

# --- Celery: a broker rings doorbells, it never remembers ---------------------------------------------------------
CELERY_TASK_IGNORE_RESULT = CELERY_TASK_ACKS_LATE = CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT, CELERY_TASK_TIME_LIMIT = 50, 60
CELERY_ACCEPT_CONTENT, CELERY_TIMEZONE, CELERY_TASK_DEFAULT_QUEUE = ["json"], "UTC", LIVE
CELERY_TASK_QUEUES = [Queue(name, routing_key=name) for name in (LIVE, BATCH)]
CELERY_TASK_ROUTES = {ring.task: {"queue": ring.queue} for ring in ROUNDS.values()}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP, CELERY_BROKER_CONNECTION_MAX_RETRIES = True, None
CELERY_WORKER_PREFETCH_MULTIPLIER, CELERY_WORKER_MAX_TASKS_PER_CHILD = 1, 500
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT, CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE = 20, True
CELERY_WORKER_HIJACK_ROOT_LOGGER, CELERY_VISIBILITY_TIMEOUT = False, 120
RESTORING = {"visibility_timeout": 120, "unacked_restore_interval": 5, "unacked_restore_throttle": 1}
WAITING = {"socket_timeout": 10, "socket_connect_timeout": 2, "socket_keepalive": True, "health_check_interval": 10}
CELERY_BROKER_TRANSPORT_OPTIONS = {"polling_interval": 0.05} if EMBEDDED else RESTORING | WAITING
CELERY_BEAT_SCHEDULE = {
    name: {"task": ring.task, "schedule": ring.seconds, "options": {"expires": ring.expires}}
    for name, ring in ROUNDS.items()
}
CELERY_BEAT_SCHEDULER, CELERY_BEAT_SCHEDULE_FILENAME = "config.celery:Rings", str(VAR_DIR / "beat")

# --- language and time: Swedish first -----------------------------------------------------------------------------
LANGUAGE_CODE, TIME_ZONE = "sv", "Europe/Stockholm"
LANGUAGES = [("sv", _("Swedish")), ("en", _("English"))]
LOCALE_PATHS, LANGUAGE_COOKIE_SAMESITE, LANGUAGE_COOKIE_HTTPONLY = [BASE_DIR / "locale"], "Lax", True

# --- security; what is not named here is left at the default of Django, and judged by check --deploy --------------
LOGIN_URL, LOGIN_REDIRECT_URL, LOGOUT_REDIRECT_URL = "account_login", "start", "account_login"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
ACCOUNT_ADAPTER, MFA_ADAPTER = "helpline.adapters.AccountAdapter", "helpline.adapters.SecondFactorAdapter"
ACCOUNT_LOGIN_METHODS, ACCOUNT_SESSION_REMEMBER = {"username"}, True
ACCOUNT_USER_MODEL_EMAIL_FIELD, ACCOUNT_EMAIL_VERIFICATION = None, "none"
ACCOUNT_RATE_LIMITS, MFA_RATE_LIMITS = False, False  # they look at addresses; guesses.py slows down what is guessed
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5  # seconds: a slow identity provider must not hold the web's threads
MFA_SUPPORTED_TYPES, MFA_RECOVERY_CODES_SHOW_ONCE = ["totp", "webauthn", "recovery_codes"], True
MFA_FORMS = {"authenticate": "helpline.forms.CodeForm", "reauthenticate": "helpline.forms.CodeAgainForm"}
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "helpline.passwords.EnoughOfItsOwn"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 15}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# Secure cookies need TLS; the embedded server speaks plain HTTP on loopback only.
SECURE_COOKIES = env.bool("SECURE_COOKIES", default=not EMBEDDED)
SESSION_ENGINE, SESSION_COOKIE_AGE, CSRF_USE_SESSIONS = "helpline.sessions", 12 * 3600, True
SESSION_COOKIE_NAME, CSRF_FAILURE_VIEW = "__Host-s" if SECURE_COOKIES else "s", "helpline.views.wrong.csrf_failure"
SESSION_COOKIE_SECURE = SECURE_SSL_REDIRECT = SECURE_COOKIES
SECURE_REDIRECT_EXEMPT = ["^health/", "^metrics$"]  # probes ask the process itself, behind the proxy
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_COOKIES else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_COOKIES
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": dict.fromkeys(("default-src", "base-uri", "frame-ancestors", "object-src"), [NONE])
    | dict.fromkeys(("script-src", "style-src", "font-src", "connect-src", "form-action"), [SELF])
    | {"img-src": [SELF, "data:"], "require-trusted-types-for": ["'script'"]}
}
DATA_UPLOAD_MAX_MEMORY_SIZE, DATA_UPLOAD_MAX_NUMBER_FIELDS = 256 * 1024, 500
FILE_UPLOAD_HANDLERS = ["helpline.imports.uploads.InMemoryOnly"]

REST_FRAMEWORK = {
    # LoginRequiredMiddleware and ours do not reach inside DRF: deny here, each view names its action.
    "DEFAULT_PERMISSION_CLASSES": ["reports.api.permissions.DenyAll"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}

# --- static files -------------------------------------------------------------------------------------------------
STATIC_URL, STATICFILES_DIRS, STATIC_ROOT = "static/", [BASE_DIR / "static"], VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "config.static.HashedStorage"},
}

# --- logs say what failed, never what was stored ------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"()": "config.logs.Discreet", "format": "%(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"django": {"handlers": ["console"], "level": "WARNING", "propagate": False}}
    | dict.fromkeys(("django.request", "waitress.queue"), {"level": "ERROR"}),
}

# --- the helpline -------------------------------------------------------------------------------------------------
HELPLINE_AMEND_HOURS, HELPLINE_DRAFT_HOURS = env.int("HELPLINE_AMEND_HOURS", 24), env.int("HELPLINE_DRAFT_HOURS", 12)
HELPLINE_BACKDATE_DAYS = env.int("HELPLINE_BACKDATE_DAYS", 7)
HELPLINE_IDLE_MINUTES = env.int("HELPLINE_IDLE_MINUTES", 60)
HELPLINE_REQUIRE_MFA = env.bool("HELPLINE_REQUIRE_MFA", default=False)  # in a demonstration too; elsewhere always
HELPLINE_CASE_DAYS, HELPLINE_CASE_TRIES = env.int("HELPLINE_CASE_DAYS", 90), env.int("HELPLINE_CASE_TRIES", 10)
positive = (HELPLINE_AMEND_HOURS, HELPLINE_IDLE_MINUTES, HELPLINE_DRAFT_HOURS, HELPLINE_CASE_DAYS, HELPLINE_CASE_TRIES)
if min(positive) < 1 or HELPLINE_BACKDATE_DAYS < 0:
    raise ImproperlyConfigured("HELPLINE_BACKDATE_DAYS must be 0 or more, all other settings HELPLINE_… 1 or more.")
HELPLINE_CONTACT_MONTHS = env.int("HELPLINE_CONTACT_MONTHS", 13)
HELPLINE_AUDIT_MONTHS = env.int("HELPLINE_AUDIT_MONTHS", 24)
HELPLINE_OIDC_ISSUER, HELPLINE_OIDC_NAME = env.str("HELPLINE_OIDC_ISSUER", ""), env.str("HELPLINE_OIDC_NAME", "")
HELPLINE_OIDC_CLIENT_ID = env.str("HELPLINE_OIDC_CLIENT_ID", "")
HELPLINE_OIDC_CLIENT_SECRET = env.str("HELPLINE_OIDC_CLIENT_SECRET", "")
HELPLINE_OIDC_ACR = env.list("HELPLINE_OIDC_ACR", default=[])
HELPLINE_OIDC_CLAIM = env.str("HELPLINE_OIDC_CLAIM", "")  # no default: most claims people may change themselves
client = (HELPLINE_OIDC_NAME, HELPLINE_OIDC_CLIENT_ID, HELPLINE_OIDC_CLIENT_SECRET)
provider = (HELPLINE_OIDC_ISSUER, *client, HELPLINE_OIDC_ACR, HELPLINE_OIDC_CLAIM)
if any(provider) and not all(provider):
    raise ImproperlyConfigured("HELPLINE_OIDC_ISSUER, …NAME, …CLIENT_ID, …CLIENT_SECRET, …ACR and …CLAIM go together.")
without_tls = EMBEDDED and HELPLINE_OIDC_ISSUER.startswith("http://127.0.0.1:")
if HELPLINE_OIDC_ISSUER and not (without_tls or HELPLINE_OIDC_ISSUER.startswith("https://")):
    raise ImproperlyConfigured("HELPLINE_OIDC_ISSUER must begin with https://.")
REPORTS_LIVE_BREAKDOWNS = env.bool("REPORTS_LIVE_BREAKDOWNS", default=True)
REPORTS_K, REPORTS_K_FIRST = env.int("REPORTS_K", default=5), env.int("REPORTS_K_FIRST", default=3)
REPORTS_BASE, REPORTS_DENSITY = env.int("REPORTS_BASE", default=5), env.int("REPORTS_DENSITY", default=5)
REPORTS_MIN_TOTAL, REPORTS_FREEZE_DAY = env.int("REPORTS_MIN_TOTAL", 10), env.int("REPORTS_FREEZE_DAY", 15)
REPORTS_PILOT_START, REPORTS_PILOT_END = env.str("REPORTS_PILOT_START", ""), env.str("REPORTS_PILOT_END", "")
REPORTS_RECORD_MONTHS = env.int("REPORTS_RECORD_MONTHS", 12)
if wrong := out_of_order(globals()):
    raise ImproperlyConfigured(wrong[0])
try:
    Parameters(REPORTS_K, REPORTS_K_FIRST, base=REPORTS_BASE, density=REPORTS_DENSITY, min_total=REPORTS_MIN_TOTAL)
    if REPORTS_PILOT_START or REPORTS_PILOT_END:
        pilot_between(REPORTS_PILOT_START, REPORTS_PILOT_END)
except ValueError as error:
    raise ImproperlyConfigured(f"The settings REPORTS_… do not fit: {error}") from None
REPORTS_RELEASE_KEYS = env.str("REPORTS_RELEASE_KEYS", default=str(VAR_DIR / "release-keys") if EMBEDDED else "")
DEMO_TOKEN, DEMO_PASSWORD = env.str("DEMO_TOKEN", default=""), env.str("DEMO_PASSWORD", default="")
