# Prosody and Kamailio as Debian 12 packages them, where a registry is at hand. make images makes the same image with
# debootstrap.
FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends netbase prosody lua-unbound kamailio kamailio-tls-modules \
 && rm -rf /var/lib/apt/lists/*
COPY .docker/start /start
USER 65534:65534
