# The image of the binary alone, made of one that was built outside: make images. Dockerfile builds it inside instead.
FROM scratch
COPY edgelab /edgelab
USER 65534:65534
ENTRYPOINT ["/edgelab"]
CMD ["run"]
