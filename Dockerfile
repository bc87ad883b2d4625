# syntax=docker/dockerfile:1

# The programs of rung without anything else: no shell, no package manager, no root.
#
#   docker build -t rung .
#   docker run --rm --read-only --network none rung scenario v5.toml
#   docker run --rm --read-only --network none -v "$PWD:/work:ro" rung scenario capacity/shop.toml
#
# docs/ci.md says more.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
# Only the programs leave the folder of the build, which is kept for the next one.
RUN --mount=type=cache,target=/src/target,sharing=locked \
    --mount=type=cache,target=/usr/local/cargo/registry \
    cargo build --release --locked -p sim -p live -p learn -p validate && \
    mkdir /programs && \
    cp target/release/sim target/release/live target/release/learn target/release/validate /programs/

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /programs/ /usr/local/bin/
# Where the user's files are mounted. `live` and `validate` write runs/ and costs/ there.
WORKDIR /work
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/sim"]
CMD ["--help"]
