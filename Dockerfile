# docs/docker.md says how to use the image.

# The same interpreter in every stage, or the virtual environment would not survive the move.
ARG BASE=debian:trixie-slim

FROM ${BASE} AS python
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3 \
    && apt-get clean && rm -rf /var/lib/apt/lists/*

# The dependencies, into a virtual environment that has pip, so that users can add to it.
FROM python AS dependencies
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3-venv \
    && apt-get clean && rm -rf /var/lib/apt/lists/*
COPY requirements-uv.lock /build/
RUN python3 -m venv /build/uv \
    && /build/uv/bin/pip install --no-cache-dir --no-deps --require-hashes -r /build/requirements-uv.lock
COPY requirements-docker.lock /build/
RUN python3 -m venv /opt/venv \
    && /build/uv/bin/uv pip install --python /opt/venv/bin/python --no-cache --compile-bytecode \
       --no-deps --require-hashes --only-binary :all: -r /build/requirements-docker.lock

# The project's own wheel; a change of the code starts here.
FROM dependencies AS wheel
WORKDIR /build/project
COPY requirements.lock ./
COPY LICENSE README.md pyproject.toml ./
COPY src src
RUN /build/uv/bin/uv build --wheel --no-cache --require-hashes --build-constraints requirements.lock --out-dir /dist

FROM python
RUN apt-get update \
    && apt-get install -y --no-install-recommends libegl1 libopengl0 \
    && apt-get clean && rm -rf /var/lib/apt/lists/* \
    # The NVIDIA container toolkit brings the driver's libEGL, older ones not the file that announces it.
    && mkdir -p /usr/share/glvnd/egl_vendor.d \
    && printf '{"file_format_version": "1.0.0", "ICD": {"library_path": "libEGL_nvidia.so.0"}}\n' \
       >/usr/share/glvnd/egl_vendor.d/10_nvidia.json \
    # /cache and /out serve any user that --user names, and so do the volumes that are made from them.
    && useradd --uid 1000 --user-group --no-create-home --home-dir /tmp lerax \
    && mkdir -m 1777 /cache /out
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/tmp \
    XDG_CACHE_HOME=/cache \
    PYTHONDONTWRITEBYTECODE=1 \
    MESA_SHADER_CACHE_DISABLE=true \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=graphics,compute,utility,video
COPY --from=dependencies /opt/venv /opt/venv
# Not a bind mount of the other stage: older Podmans would not notice that the wheel has changed.
COPY --from=wheel /dist /dist
RUN pip install --no-cache-dir --no-deps --no-index /dist/*.whl && rm -r /dist
USER lerax
WORKDIR /out
# As PID 1, Python hears Ctrl-C and ignores SIGTERM.
STOPSIGNAL SIGINT
ENTRYPOINT ["lerax-render"]
CMD ["--help"]
