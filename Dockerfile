# Build:     docker build --tag sta410kit .
# The chain: docker run --rm --read-only --tmpfs /tmp --volume sta410-runs:/app/runs sta410kit
# Another command than `run`:   docker run --rm sta410kit doctor
# The service, with Redis and Prometheus: docker-compose up -d

FROM python:3.11.14-slim-bookworm AS base

# The builder installs the pins and builds the wheel; its tools are not in the final image.
FROM base AS builder
WORKDIR /build
COPY requirements.txt pyproject.toml ./
COPY scripts/make_venv.sh scripts/
RUN scripts/make_venv.sh /opt/tools \
    && /opt/tools/bin/uv venv --python /usr/local/bin/python3 /opt/venv \
    && /opt/tools/bin/uv pip install --python /opt/venv/bin/python --no-cache --require-hashes \
        --compile-bytecode --constraint requirements.txt --requirement pyproject.toml \
        --extra serve --extra postgres --extra alpaca --extra night
COPY README.md LICENSE .env.example ./
COPY expectations expectations
COPY notebooks notebooks
COPY sta410kit sta410kit
RUN /opt/tools/bin/uv build --wheel --no-cache --require-hashes --build-constraint requirements.txt \
    && /opt/tools/bin/uv pip install --python /opt/venv/bin/python --no-cache --no-deps \
        --compile-bytecode dist/*.whl

FROM base AS final
LABEL org.opencontainers.image.title="sta410kit" \
      org.opencontainers.image.description="A Jupyter-centred stock-prediction research kit with production guards" \
      org.opencontainers.image.licenses="MIT"
# The root file system may be read-only: what libraries cache goes to the home, a tmpfs then.
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
COPY --from=builder /opt/venv /opt/venv
WORKDIR /app
COPY LICENSE schedules.tom[l] ./
COPY notebooks notebooks
COPY expectations expectations
# The user may write to these folders alone, and cannot change what it runs.
RUN useradd --no-create-home --home-dir /tmp --uid 1000 sta410 \
    && mkdir runs logs data_cache \
    && chown sta410:sta410 runs logs data_cache
USER 1000
VOLUME ["/app/runs", "/app/logs", "/app/data_cache"]
HEALTHCHECK --interval=5m --timeout=60s --start-period=30s --retries=3 CMD ["sta410", "doctor"]
ENTRYPOINT ["sta410"]
CMD ["run"]
