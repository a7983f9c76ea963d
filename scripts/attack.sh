#!/usr/bin/env bash
# Runs Debian's testssl.sh and slowhttptest against a server with TLS that is started for it.
# docs/operations.md ("Attacked on purpose") has the result of the last run.
#
#   apt-get install testssl.sh slowhttptest openssl curl
#   scripts/attack.sh            # some minutes
set -euo pipefail
cd "$(dirname "$0")/.."
for program in testssl slowhttptest openssl curl; do
  command -v "$program" >/dev/null || { echo "needs $program; see the top of this file" >&2; exit 69; }
done

folder=$(mktemp -d)
port=${PORT:-8443}
trap 'kill "$server" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$folder"' EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost -keyout "$folder/key.pem" -out "$folder/cert.pem" 2>/dev/null
node_modules/.bin/node --conditions=source apps/server/src/main.ts --port "$port" --workers 1 \
  --data "$folder/data" --code-sender "file:$folder/codes" --public-url "https://localhost:$port" \
  --tls-cert "$folder/cert.pem" --tls-key "$folder/key.pem" >"$folder/log" 2>&1 &
server=$!
for _ in $(seq 100); do
  curl -sk "https://localhost:$port/readyz" >/dev/null && break
  sleep 0.2
done

echo "== testssl.sh"
# The certificate of this run is nobody's; what it says about trust, age and revocation is left out.
testssl --quiet --color 0 --warnings off --ip one -p -s -f -S -h -U -E "localhost:$port" \
  >"$folder/testssl" 2>/dev/null </dev/null || true
grep -E '^ (SSLv|TLS 1|NPN|ALPN|Forward|NULL|Anonymous|Export|LOW|Triple|Obsoleted|Strong|Heartbleed|CCS|Ticketbleed|ROBOT|Secure Re|Secure Cl|CRIME|BREACH|POODLE|TLS_FALLBACK|SWEET32|FREAK|DROWN|LOGJAM|BEAST|LUCKY13|Winshock|RC4|Strict|Security)' \
  "$folder/testssl"
if grep -E 'VULNERABLE|NOT ok' "$folder/testssl" | grep -vE 'not vulnerable|Chain of trust|CRL|OCSP|CAA'; then
  echo "testssl found something"
  exit 1
fi

# Each holds what it can for half a minute. Somebody else must be served all the while: another
# address block, since the limit for each block is what stops the attacker.
failures=0
slow() {
  local name=$1 attack asked=0 failed=0
  shift
  echo "== slowhttptest: $name"
  slowhttptest -c 1000 -r 200 -l 30 -u "https://127.0.0.1:$port$path" "$@" >"$folder/slow" 2>&1 &
  attack=$!
  while kill -0 "$attack" 2>/dev/null; do
    curl -sk --max-time 5 -o /dev/null --interface 127.0.1.1 "https://127.0.0.1:$port/livez" || failed=$((failed + 1))
    asked=$((asked + 1))
    sleep 1
  done
  grep -aE 'connected:|closed:|service available' "$folder/slow" | tail -3 | sed 's/\x1b\[[0-9;]*m//g'
  echo "requests of somebody else: $asked, of which failed: $failed"
  failures=$((failures + failed))
}
path=/livez
slow 'slow headers (slowloris)' -H -i 5
path=/v1/registrations
slow 'slow bodies (R-U-Dead-Yet)' -B -i 5 -s 50000 -t POST -f application/json
path=/
slow 'slow reading' -X -w 1 -y 4 -n 5 -z 4 -k 3
kill -0 "$server"
[ "$failures" -eq 0 ]
echo "the server stood"
