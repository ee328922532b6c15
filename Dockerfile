# The outbox in a container: one image for web, worker, run and migrate; docs/container.md says how.
FROM python:3.13-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /opt/outbox
# The dependencies first: they change less often than the code.
COPY requirements.txt ./
RUN /opt/outbox/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
COPY pyproject.toml README.md ./
COPY alembic alembic
COPY outbox outbox
RUN /opt/outbox/bin/pip install --no-cache-dir --no-deps . \
    && /opt/outbox/bin/pip uninstall --yes pip

FROM python:3.13-slim-bookworm
# ffmpeg converts voice messages and looks into films; without it (FFMPEG=) those that need it are
# refused when they are enqueued, and the image is smaller.
ARG FFMPEG=ffmpeg
# hadolint ignore=DL3008 # the newest of the release, with its security fixes
RUN if [ -n "$FFMPEG" ]; then \
      apt-get update \
      && apt-get install --yes --no-install-recommends "$FFMPEG" \
      && rm -rf /var/lib/apt/lists/*; \
    fi \
    && useradd --system --uid 10001 --create-home outbox
COPY --from=build /opt/outbox /opt/outbox
ENV PATH=/opt/outbox/bin:$PATH PORT=8000 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001
WORKDIR /home/outbox
EXPOSE 8000
ENTRYPOINT ["outbox"]
CMD ["run"]
