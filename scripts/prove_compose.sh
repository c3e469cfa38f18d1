#!/usr/bin/env bash
# Proves Dockerfile and docker-compose.yml with a real engine, without a registry: builds the image on a base made
# by debootstrap, brings the services up as docs/production.md says, uses them, kills them, and cleans up.
#
#     scripts/prove_compose.sh                # as root, some ten minutes
#     PROOF=/srv/proof scripts/prove_compose.sh   # where bases and images are kept for the next time
#     MIRROR=URL scripts/prove_compose.sh         # of Debian's packages, instead of that of debootstrap
#
# Installs Debian's packages where they are missing. The engine has a socket and folders of its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PROOF=${PROOF:-/var/cache/sta410-proof}
COMPOSE=$PWD/docker-compose.yml
BASE=$(awk '/^FROM .* AS base$/ { print $2 }' Dockerfile)
REDIS=$(awk '$1 == "image:" && $2 ~ /redis/ { print $2 }' "$COMPOSE")
PROMETHEUS=$(awk '$1 == "image:" && $2 ~ /prometheus/ { print $2 }' "$COMPOSE")
POSTGRES=$(awk '$1 == "image:" && $2 ~ /postgres/ { print $2 }' "$COMPOSE")
export DOCKER_HOST=unix://$PROOF/docker.sock COMPOSE_PROJECT_NAME=proof PYTHONWARNINGS=ignore

say() { printf '\n== %s\n' "$*"; }
fact() { printf '   %-34s %s\n' "$1" "$2"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
docker() { /usr/bin/docker "$@"; }
oci() { buildah --root "$PROOF/storage" --runroot "$PROOF/run" --storage-driver overlay "$@"; }
container() { docker-compose ps -q "$1"; }
inspect() { docker inspect --format "$2" "$(container "$1")"; }
expect() { # WHAT WANTED GOT
    if [ "$2" = "$3" ]; then fact "$1" "$3"; else fail "$1 is '$3', not '$2'"; fi
}
until_true() { # SECONDS WHAT COMMAND...
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || fail "$what: not within the time"
        sleep 2
    done
}

clean_up() {
    set +e
    [ "$1" = 0 ] || docker-compose logs --no-color --tail 40 2>/dev/null
    docker-compose --profile postgres down --volumes --remove-orphans >/dev/null 2>&1
    [ -z "${engine:-}" ] || { kill "$engine"; wait "$engine"; } 2>/dev/null
    rm -rf "$PROOF/engine" "$PROOF/exec" "$PROOF/checkout" "$PROOF/docker.sock" "$PROOF/image.tar"
    exit "$1"
}

for tool in docker-compose dockerd caddy curl buildah debootstrap; do
    command -v "$tool" >/dev/null && continue
    apt-get update
    apt-get install --yes docker-compose caddy curl
    apt-get install --yes --no-install-recommends buildah debootstrap
    break
done
mkdir -p "$PROOF/storage" "$PROOF/run"
exec 9>"$PROOF/lock"
flock --nonblock 9 || fail "another proof uses $PROOF"
trap 'clean_up $?' EXIT
trap 'exit 130' INT TERM

# What the build needs to reach packages from this machine is mounted, so no image holds it.
printf 'native-tls = true\n' >"$PROOF/uv.toml"
mounts=(--volume /etc/ssl/certs:/etc/ssl/certs:ro --volume "$PROOF/uv.toml:/etc/uv/uv.toml:ro")
[ ! -f /etc/pip.conf ] || mounts+=(--volume /etc/pip.conf:/etc/pip.conf:ro)

say "base: $BASE, made by debootstrap"
if ! oci inspect --type image "localhost/$BASE" >/dev/null 2>&1; then
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$PROOF/base" ${MIRROR:+"$MIRROR"} >"$PROOF/base.log"
    ln -sf /usr/bin/python3 "$PROOF/base/usr/local/bin/python3"
    made=$(oci from scratch)
    oci add --quiet "$made" "$PROOF/base" / >/dev/null
    oci config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$made"
    oci commit --quiet --rm "$made" "localhost/$BASE" >/dev/null
    rm -rf "$PROOF/base"
fi

# Makes the image NAME on the base: as root by SCRIPT, then configured with the options that are left.
side_image() {
    local name=localhost/$1 script=$2 made
    shift 2
    ! oci inspect --type image "$name" >/dev/null 2>&1 || return 0
    say "$name, of Debian's packages"
    made=$(oci from --pull-never "localhost/$BASE")
    oci run --isolation chroot --network host "$made" -- sh -euc "
        printf 'exit 101\n' >/usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d
        export DEBIAN_FRONTEND=noninteractive; apt-get update -qq
        $script" >"$PROOF/side.log" 2>&1 || { tail "$PROOF/side.log"; fail "$name cannot be made"; }
    oci config "$@" "$made"
    oci commit --quiet --rm "$made" "$name" >/dev/null
}
install='apt-get install -qq --yes --no-install-recommends'
side_image "$REDIS" "$install redis-server; mkdir /data; chown 999:999 /data" --cmd redis-server
side_image "$PROMETHEUS" "$install prometheus; mkdir /prometheus; chown 65534:65534 /prometheus" \
    --entrypoint '["/usr/bin/prometheus"]'
entrypoint=$(base64 --wrap 0 <<'END'
set -e
cd "$PGDATA"
if [ ! -s PG_VERSION ]; then
    initdb --username="$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" --auth-host=scram-sha-256 --locale=C.UTF-8
    echo "host all all all scram-sha-256" >>pg_hba.conf
    pg_ctl -w -o "-c listen_addresses=" start
    psql --username="$POSTGRES_USER" --command "select" "$POSTGRES_DB" || createdb --username="$POSTGRES_USER" "$POSTGRES_DB"
    pg_ctl -w stop
fi
exec postgres -c "listen_addresses=*"
END
)
side_image "$POSTGRES" "useradd --uid 999 postgres; mkdir -p /etc/postgresql-common
    echo create_main_cluster=false >/etc/postgresql-common/createcluster.conf; $install postgresql
    mkdir -p /var/lib/postgresql/data; chown -R 999:999 /var/lib/postgresql
    for one in /usr/lib/postgresql/*/bin/*; do ln -sf \$one /usr/local/bin/; done
    echo $entrypoint | base64 --decode >/usr/local/bin/entrypoint" \
    --env PGDATA=/var/lib/postgresql/data --entrypoint '["/bin/sh", "/usr/local/bin/entrypoint"]'

# What is committed or about to be, and nothing of the developer's own: no .env, no secrets, no runs.
rm -rf "$PROOF/checkout"
mkdir -p "$PROOF/checkout"
git -c safe.directory="$PWD" ls-files -z | tar --null --files-from - --create | tar --extract --directory "$PROOF/checkout"
cd "$PROOF/checkout"

cat >schedules.toml <<'END'
[nightly]
parameters = { model = "ridge" }
END

say "build of the Dockerfile"
began=$SECONDS
oci build --isolation chroot --network host --pull-never --layers --format docker --tag localhost/sta410kit \
    "${mounts[@]}" . >"$PROOF/build.log" 2>&1 || { tail -20 "$PROOF/build.log"; fail "the image does not build"; }
fact "build, seconds" $((SECONDS - began))

say "an engine of its own"
dockerd --host "$DOCKER_HOST" --data-root "$PROOF/engine" --exec-root "$PROOF/exec" --pidfile "$PROOF/docker.pid" \
    --storage-driver overlay2 --bridge none --iptables=false --ip6tables=false --ip-masq=false --ip-forward=false \
    --log-level error >"$PROOF/engine.log" 2>&1 &
engine=$!
until_true 60 "the engine" docker version --format '{{.Server.Version}}' >/dev/null 2>&1
fact "engine, storage" "$(docker info --format '{{.ServerVersion}}, {{.Driver}}')"
for name in sta410kit:latest "$REDIS" "$PROMETHEUS" "$POSTGRES"; do
    rm -f "$PROOF/image.tar"
    oci push --quiet "localhost/$name" "docker-archive:$PROOF/image.tar:$name"
    docker load --quiet --input "$PROOF/image.tar" >/dev/null
done
rm "$PROOF/image.tar"
fact "image, MB" "$(($(docker image inspect --format '{{.Size}}' sta410kit) / 1000000))"

say "the host, as docs/production.md sets it up"
cp .env.example .env
sed -i 's/^ENVIRONMENT=.*/ENVIRONMENT=production/; s/^LOG_LEVEL=.*/LOG_LEVEL=WARNING/' .env
install -d -o 1000 -m 700 secrets/sta410 backups
echo "ntfys://ntfy.example.org/nightly" | install -o 1000 -m 400 /dev/stdin secrets/sta410/alert_urls
install -d -o 65534 -m 700 secrets/prometheus
docker-compose run --rm -T sta410 user add prometheus | install -o 65534 -m 400 /dev/stdin secrets/prometheus/token

began=$SECONDS
docker-compose up -d
healthy() { [ "$(inspect "$1" '{{.State.Health.Status}}')" = healthy ]; }
for service in redis sta410 prometheus; do until_true 180 "$service healthy" healthy "$service"; done
fact "three services healthy, seconds" $((SECONDS - began))
docker-compose ps
curl --fail --silent --show-error http://127.0.0.1:8410/readyz
caddy validate --adapter caddyfile --config deploy/Caddyfile 2>/dev/null

say "guards, by docker inspect"
for service in redis sta410 prometheus; do
    expect "$service: root read-only" true "$(inspect $service '{{.HostConfig.ReadonlyRootfs}}')"
    expect "$service: capabilities dropped" "[ALL]" "$(inspect $service '{{.HostConfig.CapDrop}}')"
    expect "$service: effective capabilities" 0000000000000000 \
        "$(awk '/^CapEff/ { print $2 }' "/proc/$(inspect $service '{{.State.Pid}}')/status")"
    expect "$service: CPU, memory, privileges" "2000000000 4294967296 [no-new-privileges:true]" \
        "$(inspect $service '{{.HostConfig.NanoCpus}} {{.HostConfig.Memory}} {{.HostConfig.SecurityOpt}}')"
    expect "$service: restarts" unless-stopped "$(inspect $service '{{.HostConfig.RestartPolicy.Name}}')"
done
! docker-compose exec -T sta410 touch /app/notebooks/x 2>/dev/null || fail "the root can be written to"
expect "Redis appends to a file" yes "$(docker-compose exec -T redis redis-cli config get appendonly | tail -1 | tr -d '\r')"

say "users, and a run through the API"
TOKEN=$(docker-compose exec -T sta410 sta410 user add nina --role runner)
[ -n "$TOKEN" ] || fail "no token was printed"
api() { curl --fail --silent --show-error --header "Authorization: Bearer $TOKEN" "http://127.0.0.1:8410/api/v1/$1" "${@:2}"; }
start() { api runs --json '{"parameters": {"model": "'"$1"'"}}' | field id; }
field() { python3 -c 'import json, sys; print(json.load(sys.stdin).get(sys.argv[1]))' "$1"; }
nightly() { api jobs | python3 -c 'import json, sys; print(next((one["id"] for one in json.load(sys.stdin) if one["schedule"]), ""))'; }
scheduled() { [ -n "$(nightly)" ]; }
finished() { [ "$(api "jobs/$1" | field state)" = finished ]; }
passed() { # WHAT JOB
    until_true 900 "$1" finished "$2"
    fact "$1, message" "$(api "jobs/$2" | field message)"
    expect "$1" PASSED "$(api "jobs/$2" | field outcome)"
}
until_true 120 "the schedule is due" scheduled
job=$(nightly)
passed "chain by the schedule" "$job"
fact "chain in the container, seconds" "$(api "jobs/$job" | python3 -c 'import json, sys; from datetime import datetime as d; job = json.load(sys.stdin); print((d.fromisoformat(job["finished"]) - d.fromisoformat(job["started"])).seconds)')"
passed "chain through the API" "$(start naive)"

say "Prometheus"
up() { curl --fail --silent 'http://127.0.0.1:9090/api/v1/query?query=up%7Bjob=%22sta410%22%7D' | grep -q '"value":\[[0-9.]*,"1"\]'; }
until_true 120 "Prometheus has scraped the service" up
fact "up{job=\"sta410\"}" 1

say "kill -9 of the service during a run"
job=$(start boosting)
begun() { [ -n "$(api "jobs/$job" | field run)" ]; }
until_true 300 "the run has begun" begun
waiting=$(start naive)
kill -9 "$(inspect sta410 '{{.State.Pid}}')"
restarted() { [ "$(inspect sta410 '{{.RestartCount}}')" -ge 1 ] && healthy sta410; }
until_true 180 "the service is back" restarted
until_true 120 "the end of the run" finished "$job"
expect "the run, gone with its container" KILLED "$(api "jobs/$job" | field outcome)"
passed "the run that waited" "$waiting"

say "backup, restore, checklist"
docker-compose run --rm -T -v "$PWD/backups:/backups" sta410 backup /backups
docker-compose run --rm -T -v "$PWD/backups:/backups" sta410 restore /backups --check
docker-compose exec -T sta410 sta410 doctor --environment production

say "PostgreSQL"
install -d -o 999 -m 700 secrets/postgres
head -c 24 /dev/urandom | base64 | tr '+/' ab | install -o 999 -m 400 /dev/stdin secrets/postgres/password
echo "postgresql://sta410:$(cat secrets/postgres/password)@postgres/sta410" | install -o 1000 -m 400 /dev/stdin secrets/sta410/database_url
docker-compose --profile postgres up -d postgres
until_true 120 "postgres healthy" healthy postgres
docker-compose --profile postgres up -d --force-recreate sta410
until_true 180 "sta410 healthy" healthy sta410
docker-compose exec -T sta410 sta410 user add omar >/dev/null
expect "users in PostgreSQL" omar \
    "$(docker-compose exec -T postgres psql --username sta410 --tuples-only --no-align --command 'select name from users')"

say "all of it holds"
