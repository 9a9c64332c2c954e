# The binary alone, running the catalogue. Everything it does stays on the container's loopback.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o /edgelab ./cmd/edgelab

FROM scratch
COPY --from=build /edgelab /edgelab
USER 65534:65534
ENTRYPOINT ["/edgelab"]
CMD ["run"]
