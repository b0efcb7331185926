# syntax=docker/dockerfile:1

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
# A version of cargo-auditable puts the list of the dependencies into the program: releases name one.
ARG CARGO_AUDITABLE=
RUN [ -z "$CARGO_AUDITABLE" ] || cargo install --locked --version "$CARGO_AUDITABLE" cargo-auditable
COPY . .
# The image has the C compiler that SQLite and the cryptography need.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo ${CARGO_AUDITABLE:+auditable} build --profile dist --locked --bin steward --features otel \
    && cp target/dist/steward /usr/local/bin/steward

# The program alone: `docker buildx build --target program --output program .`
FROM scratch AS program
COPY --from=build /usr/local/bin/steward /steward

FROM debian:bookworm-slim
RUN groupadd --system --gid 1000 steward \
    && useradd --system --uid 1000 --gid steward --home-dir /data --shell /usr/sbin/nologin steward \
    && install --directory --owner=steward --group=steward --mode=700 /data
COPY --from=build /usr/local/bin/steward /usr/local/bin/steward
USER steward
WORKDIR /data
VOLUME /data
ENV STEWARD_LISTEN=0.0.0.0:8080 \
    DATABASE_URL=sqlite:///data/steward.db
EXPOSE 8080
# Ready: steward answers and its database does too. bash speaks TCP, so the image needs no client.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/${STEWARD_LISTEN##*:} && printf 'GET /ready HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [[ $status == 200 ]]"]
ENTRYPOINT ["steward"]
CMD ["serve", "--migrate"]
