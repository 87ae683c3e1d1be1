# syntax=docker/dockerfile:1
# The gallery: one image for `web`, `worker` and `migrate`. What changes least comes first, so that
# a change of the code builds nothing but the last layers anew.

ARG PYTHON_IMAGE=python:3.11-slim-bookworm

# The same first steps as in detector/serving/Dockerfile, so that both builds share them.
FROM ${PYTHON_IMAGE} AS export
WORKDIR /src
COPY requirements-export.lock .
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --disable-pip-version-check --no-deps --require-hashes -r requirements-export.lock
# Word vectors and lexicon; the detection model is in the image of `ssd`.
COPY detector/*.py detector/look_labels.tsv detector/
COPY detector/export detector/export
COPY gallery/__init__.py gallery/word_vectors.py gallery/wordnet.py gallery/wordnet_looks.py \
    gallery/lexicon.py gallery/
RUN python -m gallery.word_vectors --models-dir /models \
    && python -m gallery.wordnet --models-dir /models

FROM ${PYTHON_IMAGE} AS gallery
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=gallery.settings \
    GALLERY_DATA=/data \
    GALLERY_MODELS=/models \
    GALLERY_HOST=0.0.0.0 \
    GALLERY_STATIC=/static \
    NUMBA_CACHE_DIR=/compiled \
    DETECTOR_URL=grpc://ssd:8500 \
    LOOK_URL=grpc://ssd:8500
# New volumes take over the owner of the folders that they are put on.
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin gallery \
    && install --directory --owner=gallery --group=gallery --mode=700 /data /compiled
WORKDIR /app
# Without TensorFlow and OpenVINO: the detector is another container.
COPY requirements-web.lock .
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --disable-pip-version-check --no-deps --require-hashes -r requirements-web.lock
COPY --from=export /models /models
COPY manage.py .
COPY templates templates
COPY featurestore featurestore
COPY detector detector
COPY gallery gallery
RUN python -m compileall -q manage.py featurestore detector gallery \
    && GALLERY_DATA=/tmp/none NUMBA_CACHE_DIR=/tmp/none python manage.py collectstatic --no-input --verbosity 0 \
    && rm -r /tmp/none
USER 10001:10001
EXPOSE 8000
VOLUME ["/data", "/compiled"]
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=8)"]
# One process with threads, so that the index is in memory once and all requests are counted.
CMD ["python", "-m", "gunicorn", "gallery.wsgi", \
     "--bind", "0.0.0.0:8000", \
     "--workers", "1", "--threads", "32", \
     "--timeout", "300", "--graceful-timeout", "25", \
     "--worker-tmp-dir", "/dev/shm", \
     "--log-level", "warning", "--logger-class", "gallery.gunicorn_logger.GunicornLogger", \
     "--no-control-socket"]
