"""Every setting of the gallery; the only module that reads the environment."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

import dj_database_url
from csp.constants import NONE, SELF

from gallery.environment import env_bool, env_int, env_list, env_path, env_text

BASE_DIR = Path(__file__).resolve().parent.parent

# What the gallery keeps, and the models it works with.
GALLERY_DATA = env_path("GALLERY_DATA", BASE_DIR / "var")
GALLERY_MODELS = env_path("GALLERY_MODELS", BASE_DIR / "var" / "models")
STORE_DIR = GALLERY_DATA / "store"
SPOOL_DIR = GALLERY_DATA / "spool"
THUMBNAIL_DIR = GALLERY_DATA / "thumbnails"
QUERY_DIR = GALLERY_DATA / "queries"
for folder in (STORE_DIR, SPOOL_DIR, THUMBNAIL_DIR, QUERY_DIR):
    folder.mkdir(parents=True, exist_ok=True)

# `local:` runs the detector in the process; `grpc://host:8500` asks TensorFlow Serving.
DETECTOR_URL = env_text("DETECTOR_URL", "local:")
# Any file that gensim.models.KeyedVectors.load or load_word2vec_format reads.
WORD_VECTORS = env_path("WORD_VECTORS", GALLERY_MODELS / "words" / "glove-6b-50d.kv")

GALLERY_HOST = env_text("GALLERY_HOST", "127.0.0.1")
GALLERY_PORT = env_int("GALLERY_PORT", 8000)

MAX_UPLOAD_BYTES = env_int("MAX_UPLOAD_MB", 64) * 1024 * 1024
MAX_PIXELS = env_int("MAX_MEGAPIXELS", 100) * 1_000_000

INGEST_BATCH = 32
INGEST_BATCH_BYTES = 128 * 1024 * 1024
INGEST_TRIES = 5
# A worker that has not finished a batch within this time is taken for dead.
INGEST_LEASE_SECONDS = 60


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

INSTALLED_APPS = [
    "whitenoise.runserver_nostatic",
    "django.contrib.contenttypes",
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
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "gallery.middleware.SameOriginMiddleware",
    "gallery.middleware.SentenceMiddleware",
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
            ],
        },
    },
]

DATABASES = {
    "default": dj_database_url.parse(
        env_text("DATABASE_URL", f"sqlite:///{GALLERY_DATA / 'gallery.sqlite3'}"),
        conn_max_age=60,
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # Writers wait for each other instead of failing, and readers for nobody.
        "timeout": 30,
        "transaction_mode": "IMMEDIATE",
        # FULL: a committed upload survives a power cut, too.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "gallery.views.errors.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

FILE_UPLOAD_HANDLERS = ["gallery.upload_handler.BoundedUploadHandler"]
FILE_UPLOAD_TEMP_DIR = SPOOL_DIR
# A form may carry a folder of photos; each is bounded by itself.
DATA_UPLOAD_MAX_NUMBER_FILES = 2000

LANGUAGE_CODE = "en"
TIME_ZONE = env_text("TZ", "UTC")
USE_TZ = True
USE_I18N = True

STATIC_URL = "static/"
# Served from where they lie, so there is no collecting step to forget.
WHITENOISE_USE_FINDERS = True

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

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env_text("LOG_LEVEL", "WARNING")},
}
