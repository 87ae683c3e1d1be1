# Image Gallery: `make run` starts it, `make test` tests it; both set up all they need.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
MODELS := $(or $(GALLERY_MODELS),var/models)
INSTALLED := $(VENV)/.installed
STATIC := $(or $(GALLERY_STATIC),var/static)/staticfiles.json
SOURCES := gallery detector featurestore tests manage.py

# In containers it is often set: each of hundreds of processes would compile all sources for itself.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test test-postgresql setup models lint format messages compile-messages screenshots crash-test load-test lighthouse lock lock-parts clean

run: setup
	@$(BIN)/python manage.py migrate --verbosity 0
	@exec $(BIN)/python manage.py serve

# Many tests wait for processes of theirs, so there is one more at work than there are cores. A
# file's tests stay together, because they share a gallery, and so do the files of a folder, which
# share a browser; otherwise files with few tests would come last, and those take longest.
TESTS_AT_ONCE ?= $(shell expr $$(nproc) + 1)
test: setup
	$(BIN)/python -m pytest -n $(TESTS_AT_ONCE) --dist loadfile --no-loadscope-reorder

# What touches the catalogue most, once more with Debian's PostgreSQL in place of SQLite.
ON_POSTGRESQL := ingest tasks workers uploads commands deletion edits agreement rebuild people
test-postgresql: setup
	.ci/with-postgresql $(BIN)/python -m pytest $(ON_POSTGRESQL:%=tests/gallery/test_%.py)

# Kills a running gallery's processes again and again and checks that nothing was lost.
KILLS ?= 300
crash-test: setup
	$(BIN)/python -m tests.crash.harness --kills $(KILLS)

# Drives a gallery of its own with 50 clients at once; 1 where a request failed.
LOAD_SECONDS ?= 60
load-test: setup
	$(BIN)/python -m tests.load.harness --seconds $(LOAD_SECONDS)

# Wants a chromium; looks at the main pages of a gallery of 10,000 photos; 1 where one is below 95.
lighthouse: setup
	$(BIN)/python -m tests.lighthouse.harness

setup: $(INSTALLED) models $(STATIC)

$(INSTALLED): requirements.lock
	@command -v $(PYTHON) >/dev/null || { \
	  echo "Image Gallery needs Python 3.11; name it like this: make run PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@touch $@

models: $(INSTALLED)
	@$(BIN)/python -m detector.export --models-dir "$(MODELS)"
	@$(BIN)/python -m gallery.word_vectors --models-dir "$(MODELS)"
	@$(BIN)/python -m gallery.wordnet --models-dir "$(MODELS)"
	@$(BIN)/python -m featurestore.warm_up

# Compressed, and under names that browsers may keep for good. A gallery that runs goes on with its
# own, which stay there.
$(STATIC): $(INSTALLED) $(wildcard gallery/static/gallery/*)
	@$(BIN)/python manage.py collectstatic --no-input --verbosity 0
	@touch $@

lint: $(INSTALLED)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy $(SOURCES)
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check

format: $(INSTALLED)
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

# Needs gettext (apt-get install gettext); brings the sentences of all sources to the catalogues, which
# people then translate, and makes of these what the gallery reads.
MESSAGES := manage.py makemessages --locale fr --no-wrap --no-obsolete --add-location file \
  --ignore 'tests/*' --ignore 'var/*'
messages: $(INSTALLED)
	$(BIN)/python $(MESSAGES)
	$(BIN)/python $(MESSAGES) --domain djangojs
	$(MAKE) compile-messages

compile-messages:
	cd gallery/locale/fr/LC_MESSAGES && for domain in django djangojs; do \
	  msgfmt --check-format --output-file $$domain.mo $$domain.po && \
	  msgattrib --untranslated --no-obsolete $$domain.po && \
	  msgattrib --only-fuzzy --no-obsolete $$domain.po || exit 1; done

# Needs a chromium; renews the pictures of the README.
screenshots: setup
	$(BIN)/python -m tests.browser.screenshots

# Needs uv; renews the lock files from pyproject.toml, with UPGRADE=--upgrade in newer versions.
# Containers install a part of what a development machine has, in the same versions.
COMPILE := uv pip compile pyproject.toml --python-version 3.11 --universal \
  --generate-hashes --no-emit-index-url --no-header --quiet
lock:
	$(COMPILE) --all-extras $(UPGRADE) -o requirements.lock
	$(MAKE) lock-parts

lock-parts:
	$(COMPILE) --extra postgres -c requirements.lock -o requirements-web.lock
	$(COMPILE) --extra export --extra local -c requirements.lock -o requirements-export.lock

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
