# trailwarden as an image: `docker build -t trailwarden .`, then `docker run trailwarden replay --help`.
# BASE_IMAGE is any image with Node.js 22.18 or newer, npm in the build stage, and a user named node.
ARG BASE_IMAGE=node:24-slim

FROM ${BASE_IMAGE} AS build
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
RUN npm run build && npm prune --omit=dev --loglevel=error

FROM ${BASE_IMAGE}
WORKDIR /app
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY LICENSE ./
COPY bin bin
COPY topics topics
COPY rules rules
# The default is the loopback interface, which nothing outside of the container could scrape.
ENV NODE_ENV=production HTTP_HOST=0.0.0.0
USER node
ENTRYPOINT ["node", "/app/bin/trailwarden.mjs"]
CMD ["--help"]
