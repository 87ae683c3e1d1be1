"""Every setting of the gallery; the only module that reads the environment."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from gallery.access.binding import login_of
from gallery.environment import (
    env_bool,
    env_choice,
    env_int,
    env_list,
    env_model,
    env_path,
    env_text,
    env_time_zone,
)
from gallery.static_files import are_collected

BASE_DIR = Path(__file__).resolve().parent.parent

# What the gallery keeps, and the models it works with.
GALLERY_DATA = env_path("GALLERY_DATA", BASE_DIR / "var")
GALLERY_MODELS = env_path("GALLERY_MODELS", BASE_DIR / "var" / "models")
STORE_DIR = GALLERY_DATA / "store"
SPOOL_DIR = GALLERY_DATA / "spool"
THUMBNAIL_DIR = GALLERY_DATA / "thumbnails"
QUERY_DIR = GALLERY_DATA / "queries"
UNFINISHED_DIR = GALLERY_DATA / "unfinished"
# What the gallery was taught: its own tags and look.
LEARNT_DIR = GALLERY_DATA / "learnt"
for folder in (STORE_DIR, SPOOL_DIR, THUMBNAIL_DIR, QUERY_DIR, UNFINISHED_DIR):
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(
            f"GALLERY_DATA: the folder {folder} cannot be made: {error.strerror}."
        ) from error

# `local:` runs the detector in the process; `grpc://host:8500` asks TensorFlow Serving.
DETECTOR_URL = env_model("DETECTOR_URL", "local:", choices=("local:", "local:bf16"))
# How photos look: likewise, or `off:`. By default the same place.
_beside = "local:" if DETECTOR_URL.startswith("local:") else DETECTOR_URL
LOOK_URL = env_model("LOOK_URL", _beside, choices=("local:", "local:f32", "off:"))
# The folder of an image–text model, if there is one; docs/clip.md says what lies there.
CLIP_MODELS = env_path("CLIP_MODELS", Path()) if env_text("CLIP_MODELS", "") else None
# Any file that gensim.models.KeyedVectors.load or load_word2vec_format reads.
WORD_VECTORS = env_path("WORD_VECTORS", GALLERY_MODELS / "words" / "glove-6b-50d.kv")
LEXICON = GALLERY_MODELS / "lexicon" / "nouns-9.json"

GALLERY_HOST = env_text("GALLERY_HOST", "127.0.0.1")
GALLERY_PORT = env_int("GALLERY_PORT", 8000)

MAX_UPLOAD_BYTES = env_int("MAX_UPLOAD_MB", 64) * 1024 * 1024
MAX_PIXELS = env_int("MAX_MEGAPIXELS", 100) * 1_000_000
# Of uploads that can be resumed: what one visitor may have under way, and for how long it is kept.
MAX_UNFINISHED_BYTES = env_int("MAX_UNFINISHED_MB", 2048) * 1024 * 1024
UNFINISHED_SECONDS = env_int("UNFINISHED_HOURS", 48) * 3600.0

# For how long a photo can be brought back that was deleted.
TRASH_DAYS = env_int("TRASH_DAYS", 30)

INGEST_BATCH = 32
INGEST_BATCH_BYTES = 64 * 1024 * 1024
INGEST_TRIES = 5
# A worker that has not said for this long that it is at work on a batch is taken for dead.
INGEST_LEASE_SECONDS = 40


def _secret_key() -> str:
    """The key from the environment, else one made once and kept beside the data."""
    given = env_text("SECRET_KEY", "")
    if given:
        return given
    path = GALLERY_DATA / "secret_key"
    if not path.exists():
        # Linking makes the first of several starting processes win, with its key complete.
        draft = path.with_name(f"secret_key.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text()


SECRET_KEY = _secret_key()
DEBUG = env_bool("DEBUG", False)
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
# A reverse proxy that ends TLS.
BEHIND_TLS_PROXY = env_bool("BEHIND_TLS_PROXY", False)

# Who has to sign in: auto, required or open.
GALLERY_LOGIN_SETTING = env_text("GALLERY_LOGIN", "auto")
GALLERY_LOGIN = login_of(GALLERY_LOGIN_SETTING, GALLERY_HOST, ALLOWED_HOSTS, BEHIND_TLS_PROXY)
# What must not be left to its default where others than this machine reach the gallery.
SECRET_KEY_GIVEN = bool(env_text("SECRET_KEY", ""))
ALLOWED_HOSTS_GIVEN = bool(env_list("ALLOWED_HOSTS", ""))

INSTALLED_APPS = [
    "whitenoise.runserver_nostatic",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_tasks",
    "django_tasks_db",
    # Serves the API pages' own script and style, so that none comes from another host.
    "ninja",
    "gallery",
]

MIDDLEWARE = [
    # The first, so that it sees every answer, those of the others included.
    "gallery.middleware.WatchMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "gallery.compressing.TextGZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    # Before all that says something.
    "gallery.languages.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "gallery.middleware.SameOriginMiddleware",
    "gallery.middleware.SentenceMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Before forms are looked at, so that who has to sign in is told so.
    "gallery.access.middleware.AccessMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "gallery.urls"
WSGI_APPLICATION = "gallery.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "gallery.access.context.access",
                "gallery.context.searched",
            ],
        },
    },
]

try:
    DATABASES = {
        "default": dj_database_url.parse(
            env_text("DATABASE_URL", f"sqlite:///{GALLERY_DATA / 'gallery.sqlite3'}"),
            conn_max_age=60,
            # A connection that a restarted server has dropped is made anew.
            conn_health_checks=True,
        )
    }
    if DATABASES["default"]["ENGINE"].rpartition(".")[2] not in {"sqlite3", "postgresql"}:
        raise ValueError(DATABASES["default"]["ENGINE"])
except ValueError:
    # Without its cause, which would show the password.
    raise ImproperlyConfigured(
        "DATABASE_URL should look like postgres://user:password@host:5432/name."
    ) from None
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # Writers wait for each other instead of failing, and readers for nobody.
        "timeout": 30,
        "transaction_mode": "IMMEDIATE",
        # FULL: a committed upload survives a power cut, too.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
if DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    # A server that does not answer is one that is down, rather than a page that never comes.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

LOGIN_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# In the database, so that signing out ends a session also for whoever has copied its cookie.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "gallery.views.errors.csrf_failure"
# Without the session, so that pages can be shown while the database does not answer.
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"

FILE_UPLOAD_HANDLERS = ["gallery.upload_handler.BoundedUploadHandler"]
FILE_UPLOAD_TEMP_DIR = SPOOL_DIR
# A form may carry a folder of photos; each is bounded by itself.
DATA_UPLOAD_MAX_NUMBER_FILES = 2000

USE_I18N = True
# What pages speak; whatever is for programs speaks English.
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("fr", "Français")]
LOCALE_PATHS = [BASE_DIR / "gallery" / "locale"]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = env_time_zone("TZ", "UTC")
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = env_path("GALLERY_STATIC", BASE_DIR / "var" / "static")
# WhiteNoise warns of a folder that is not there.
with contextlib.suppress(OSError):
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)
# Else they are served from where they lie, so there is no collecting step to forget.
STATIC_COLLECTED = are_collected(BASE_DIR / "gallery" / "static", STATIC_ROOT)
WHITENOISE_USE_FINDERS = DEBUG or not STATIC_COLLECTED
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "gallery.static_files.CollectedFiles"},
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# A reverse proxy that ends TLS says so in a header, which is believed only where there is one:
# anybody else could send it as well.
if BEHIND_TLS_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    LANGUAGE_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    # Asked from within, past the proxy.
    SECURE_REDIRECT_EXEMPT = ["^(healthz|readyz|metrics)$"]
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    # Whether other hosts of the domain have TLS is not the gallery's to say.
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# What an empty gallery tells people to type to import a folder.
IMPORT_COMMAND = env_text("IMPORT_COMMAND", "")

LOG_FORMAT = env_choice("LOG_FORMAT", "line", choices=("line", "json"))
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOG_LEVEL = env_choice("LOG_LEVEL", "WARNING", choices=LOG_LEVELS)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "gallery.logs.RequestIdFilter"},
        "refusals": {"()": "gallery.logs.RefusalFilter"},
    },
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s]: %(message)s"},
        "json": {"()": "gallery.logs.JsonFormatter"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "filters": ["request_id", "refusals"],
            "formatter": LOG_FORMAT,
        }
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
}
