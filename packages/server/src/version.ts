/** The version that `GET /v1/server` tells; a test holds it to package.json. */
export const VERSION = '0.1.0'
