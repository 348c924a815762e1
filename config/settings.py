"""Settings, all of them read here from the environment or `.env`; each one is documented in README.md."""

from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from config.secret import embedded_secret_key
from reports.disclosure.protect import Parameters
from reports.periods import pilot_between

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = environ.Env()
env.read_env(BASE_DIR / ".env")

# The embedded profile (SQLite, broker in memory) may run over plain HTTP on loopback and makes its own key.
DEBUG = False
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="memory://localhost")
EMBEDDED = CELERY_BROKER_URL.startswith("memory://")
SECRET_KEY = env.str("SECRET_KEY", default="") or (embedded_secret_key(VAR_DIR) if EMBEDDED else "")
if len(SECRET_KEY) < 50:
    raise ImproperlyConfigured("SECRET_KEY is needed, at least 50 random characters: it signs sessions and digests.")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

INSTALLED_APPS = [
    "config",
    "reports",
    "helpline",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "rest_framework",
]
AUTH_USER_MODEL = "helpline.User"

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
    "helpline.access.DenyByDefaultMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "helpline.access.page_context",
            ],
        },
    },
]

# --- data ---------------------------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'helpline.sqlite3'}")}
if "ENGINE" not in DATABASES["default"]:
    raise ImproperlyConfigured("DATABASE_URL names no database: write it as postgres://user:password@host/name.")
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # Deferred transactions that read, then write, lock up under two writers; the time-out does not help there.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
        " PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF",
    }
else:
    DATABASES["default"]["OPTIONS"] = {
        # Client-side binding writes the values of a failing INSERT into the server's log.
        "server_side_binding": True,
        "options": "-c lock_timeout=2s -c idle_in_transaction_session_timeout=30s",
    }
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"]["CONN_MAX_AGE"] = 600
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {"default": env.cache_url("CACHE_URL", default="locmemcache://")}

# --- Celery: a broker rings doorbells, it never remembers ---------------------------------------------------------
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = 50
CELERY_TASK_TIME_LIMIT = 60
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_VISIBILITY_TIMEOUT = 120
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"polling_interval": 0.05}
    if EMBEDDED
    else {
        "visibility_timeout": 120,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_timeout": 10,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 10,
    }
)
# Plain intervals, never crontab: local crontabs skip or repeat an hour at the change to and from summer time.
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "reports.tasks.sweep", "schedule": 60.0, "options": {"expires": 55}},
    "freeze": {"task": "reports.tasks.freeze_and_prepare", "schedule": 3600.0, "options": {"expires": 3500}},
    "erase-expired": {"task": "helpline.tasks.erase_expired", "schedule": 3600.0, "options": {"expires": 3500}},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat")

# --- language and time: Swedish first -----------------------------------------------------------------------------
LANGUAGE_CODE = "sv"
LANGUAGES = [("sv", _("Swedish")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_HTTPONLY = True
TIME_ZONE = "Europe/Stockholm"

# --- security; what is not named here is left at the default of Django, and judged by check --deploy --------------
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "start"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 15}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# Secure cookies need TLS; the embedded server speaks plain HTTP on loopback only.
SECURE_COOKIES = env.bool("SECURE_COOKIES", default=not EMBEDDED)
SESSION_COOKIE_SECURE = SECURE_COOKIES
SESSION_COOKIE_NAME = "__Host-s" if SECURE_COOKIES else "s"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_USE_SESSIONS = True
CSRF_FAILURE_VIEW = "helpline.views.wrong.csrf_failure"
SECURE_SSL_REDIRECT = SECURE_COOKIES
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_COOKIES else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_COOKIES
SECURE_HSTS_PRELOAD = SECURE_COOKIES
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
        "require-trusted-types-for": ["'script'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

REST_FRAMEWORK = {
    # LoginRequiredMiddleware and ours do not reach inside DRF: deny here, each view names its action.
    "DEFAULT_PERMISSION_CLASSES": ["reports.api.permissions.DenyAll"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}

# --- static files -------------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- logs say what failed, never what was stored ------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"()": "config.logs.Discreet", "format": "%(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "django.request": {"level": "ERROR"},
        "waitress.queue": {"level": "ERROR"},
        "celery": {"level": "WARNING"},
    },
}

# --- the helpline -------------------------------------------------------------------------------------------------
HELPLINE_AMEND_HOURS = env.int("HELPLINE_AMEND_HOURS", default=24)
HELPLINE_BACKDATE_DAYS = env.int("HELPLINE_BACKDATE_DAYS", default=7)
HELPLINE_DRAFT_HOURS = env.int("HELPLINE_DRAFT_HOURS", default=12)
HELPLINE_CASE_DAYS = env.int("HELPLINE_CASE_DAYS", default=90)
HELPLINE_CASE_TRIES = env.int("HELPLINE_CASE_TRIES", default=10)
positive = (HELPLINE_AMEND_HOURS, HELPLINE_DRAFT_HOURS, HELPLINE_CASE_DAYS, HELPLINE_CASE_TRIES)
if min(positive) < 1 or HELPLINE_BACKDATE_DAYS < 0:
    raise ImproperlyConfigured("HELPLINE_BACKDATE_DAYS must be 0 or more, all other settings HELPLINE_… 1 or more.")
REPORTS_LIVE_BREAKDOWNS = env.bool("REPORTS_LIVE_BREAKDOWNS", default=True)
REPORTS_K = env.int("REPORTS_K", default=5)
REPORTS_K_FIRST = env.int("REPORTS_K_FIRST", default=3)
REPORTS_BASE = env.int("REPORTS_BASE", default=5)
REPORTS_DENSITY = env.int("REPORTS_DENSITY", default=5)
REPORTS_MIN_TOTAL = env.int("REPORTS_MIN_TOTAL", default=10)
REPORTS_FREEZE_DAY = env.int("REPORTS_FREEZE_DAY", default=15)
REPORTS_PILOT_START = env.str("REPORTS_PILOT_START", default="")
REPORTS_PILOT_END = env.str("REPORTS_PILOT_END", default="")
if not 1 <= REPORTS_FREEZE_DAY <= 28:
    raise ImproperlyConfigured("REPORTS_FREEZE_DAY must be 1 to 28, which every month has.")
try:
    Parameters(REPORTS_K, REPORTS_K_FIRST, base=REPORTS_BASE, density=REPORTS_DENSITY, min_total=REPORTS_MIN_TOTAL)
    if REPORTS_PILOT_START or REPORTS_PILOT_END:
        pilot_between(REPORTS_PILOT_START, REPORTS_PILOT_END)
except ValueError as error:
    raise ImproperlyConfigured(f"The settings REPORTS_… do not fit: {error}") from None
REPORTS_RELEASE_KEYS = Path(env.str("REPORTS_RELEASE_KEYS", default=str(VAR_DIR / "release-keys")))
DEMO_TOKEN, DEMO_PASSWORD = env.str("DEMO_TOKEN", default=""), env.str("DEMO_PASSWORD", default="")
