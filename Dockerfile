# Build:   docker build --tag sta410kit .
# Run:     docker run --rm --volume sta410-runs:/app/runs --volume sta410-logs:/app/logs sta410kit
# Another command than `run`:   docker run --rm sta410kit doctor

FROM python:3.11.14-slim-bookworm AS base

# The builder installs the pins and builds the wheel; its tools are not in the final image.
FROM base AS builder
WORKDIR /build
COPY requirements.txt pyproject.toml ./
COPY scripts/make_venv.sh scripts/
RUN scripts/make_venv.sh /opt/tools \
    && /opt/tools/bin/uv venv --python /usr/local/bin/python3 /opt/venv \
    && /opt/tools/bin/uv pip install --python /opt/venv/bin/python --no-cache --require-hashes \
        --compile-bytecode --constraint requirements.txt --requirement pyproject.toml --extra alpaca
COPY README.md LICENSE ./
COPY expectations expectations
COPY sta410kit sta410kit
RUN /opt/tools/bin/uv build --wheel --no-cache --require-hashes --build-constraint requirements.txt \
    && /opt/tools/bin/uv pip install --python /opt/venv/bin/python --no-cache --no-deps \
        --compile-bytecode dist/*.whl

FROM base AS final
LABEL org.opencontainers.image.title="sta410kit" \
      org.opencontainers.image.description="A Jupyter-centred stock-prediction research kit with production guards" \
      org.opencontainers.image.licenses="MIT"
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1
COPY --from=builder /opt/venv /opt/venv
WORKDIR /app
COPY notebooks notebooks
COPY expectations expectations
# The user owns the project folder, because runs, logs and caches are written to it.
RUN useradd --create-home --uid 1000 sta410 \
    && mkdir runs logs \
    && chown -R sta410:sta410 /app
USER sta410
VOLUME ["/app/runs", "/app/logs"]
HEALTHCHECK --interval=5m --timeout=60s --start-period=30s --retries=3 CMD ["sta410", "doctor"]
ENTRYPOINT ["sta410"]
CMD ["run"]
