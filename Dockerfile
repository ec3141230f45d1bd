# trailwarden as an image: `docker build -t trailwarden .`, then `docker run trailwarden replay --help`.
# BASE_IMAGE is any image with Node.js 22.18 or newer on its path; it needs no shell and no user. BUILD_IMAGE also has npm
# and a shell. Nothing is pulled but these two, so both may be local ones. docs/deploy.md says what was tried.
ARG BASE_IMAGE=node:24-slim
ARG BUILD_IMAGE=${BASE_IMAGE}

FROM ${BUILD_IMAGE} AS build
# For networks that reach npm through a mirror: --build-arg NPM_CONFIG_REGISTRY=...
ARG NPM_CONFIG_REGISTRY
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --loglevel=error
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY src src
COPY topics topics
COPY rules rules
# What the image is made of, in CycloneDX, by npm itself; it stands in the image as /app/sbom.cdx.json.
RUN npm sbom --omit=dev --sbom-format=cyclonedx --sbom-type=application > sbom.cdx.json
RUN npm run build && npm prune --omit=dev --loglevel=error

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="trailwarden" \
      org.opencontainers.image.description="Streaming detection on CloudTrail for Kafka" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
COPY --from=build /build/package.json /build/sbom.cdx.json ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY LICENSE ./
COPY bin bin
COPY topics topics
COPY rules rules
# The default is the loopback interface, which nothing outside of the container could scrape.
ENV NODE_ENV=production HTTP_HOST=0.0.0.0
# A number, so that Kubernetes can see that it is not root; the image needs no entry for it. Nothing is ever written.
USER 10001:10001
ENTRYPOINT ["node", "/app/bin/trailwarden.mjs"]
CMD ["--help"]
