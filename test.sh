#!/usr/bin/env bash
set -uo pipefail
cd "$(dirname "$0")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

usage() {
  cat <<'EOF'
usage: ./test.sh [--thorough]

Installs Redis and what the foreign peers need where it is missing, builds everything, checks the format, soaks, compares, and runs every
test, which runs the samples too. Ends with the line "N passed, N failed, N skipped"; fails if any test failed or was skipped.

  (nothing)    Less than ten minutes on two cores.
  --thorough   The same with what is random, repeated or endless played for longer, about an hour: what a release needs.
  --help       This.

What an environment variable says already is left as it is: TEST_ROUNDS, YAMUX_ABUSE_SECONDS, YAMUX_FUZZ_FRAMES,
AUTHORITY_FUZZ_FRAMES, CsCheck_Time, SOAK_MINUTES, PACKAGES_AOT. CONTRIBUTING.md says what each is.
EOF
}

die() {
  echo "test.sh: $*" >&2
  exit 1
}

refuse() {
  echo "test.sh: $*; see ./test.sh --help" >&2
  exit 2
}

step() {
  printf '\n== %s\n' "$*"
}

[ $# -le 1 ] || refuse "one argument at most, and these are $#: $*"
case ${1-} in
  '') : "${SOAK_MINUTES:=0.34}" ;;
  --thorough)
    : "${TEST_ROUNDS:=200}" "${YAMUX_ABUSE_SECONDS:=10}" "${YAMUX_FUZZ_FRAMES:=50000000}" "${AUTHORITY_FUZZ_FRAMES:=5000000}"
    : "${CsCheck_Time:=600}" "${SOAK_MINUTES:=30}" "${PACKAGES_AOT:=1}"
    export TEST_ROUNDS YAMUX_ABUSE_SECONDS YAMUX_FUZZ_FRAMES AUTHORITY_FUZZ_FRAMES CsCheck_Time PACKAGES_AOT
    ;;
  --help) usage && exit ;;
  *) refuse "unknown argument '$1'" ;;
esac

packages=(golang-go golang-github-hashicorp-yamux-dev golang-google-grpc-dev golang-goprotobuf-dev protobuf-compiler redis-server)

# What native code is linked with.
[ "${PACKAGES_AOT-}" != 1 ] || packages+=(gcc zlib1g-dev)

install_peers() {
  local missing=() package command
  command -v dpkg-query >/dev/null || die "the foreign peers come from Debian's packages, and this is no Debian; 'dotnet test' runs what does not need them"
  for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  # These may have come from elsewhere than Debian, under the same names or in one package.
  for command in node:nodejs npm:npm; do
    command -v "${command%%:*}" >/dev/null || missing+=("${command#*:}")
  done
  [ ${#missing[@]} -eq 0 ] && return
  local sudo=()
  [ "$(id -u)" -eq 0 ] || sudo=(sudo)
  echo "installing ${missing[*]}"
  "${sudo[@]}" apt-get update -qq && "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null \
    || die "could not install ${missing[*]}; install them by hand and run this again"
}

step "foreign peers"
install_peers
# The tests and the comparison compile several programs of the same packages.
export GOCACHE=${GOCACHE:-$PWD/artifacts/go-cache}

step "JavaScript peer"
(cd Interop.Tests/peers/js && npm ci) || die "npm could not install the JavaScript peer; it needs a package registry ('npm config get registry' names yours)"

scratch=$(mktemp -d)
background=()
end() {
  [ ${#background[@]} -eq 0 ] || kill "${background[@]}" 2>/dev/null
  [ -z "${own_compiler-}" ] || dotnet build-server shutdown --vbcscompiler >/dev/null
  rm -rf "$scratch"
}
trap end EXIT

# A compiler that has compiled before takes half the time. Where none is to outlive its build, so that nobody else has one, this one does not outlive the script.
[ "${UseSharedCompilation-true}" = true ] || own_compiler=yes
export UseSharedCompilation=true

step "build"
dotnet build Backchannel.sln || die "the build failed"

# The build looks at the style of the code, but for the order of usings, which takes a minute to look at.
step "format"
if [ "${1-}" = --thorough ]; then
  dotnet format Backchannel.sln --no-restore --verify-no-changes
else
  dotnet format whitespace --folder . --verify-no-changes
fi || die "the format is off; 'dotnet format' mends it"

# Whose analyzers had their say in the build of everything.
step "build of the benchmarks"
dotnet build --no-restore -c Release -p:RunAnalyzers=false Benchmarks || die "the build of the benchmarks failed"

# Beside the comparison: neither measures here.
dotnet run --no-build -c Release --project Benchmarks -- soak --minutes "$SOAK_MINUTES" >"$scratch/soak" 2>&1 &
background=($!)

step "package of yamuxspec"
dotnet pack --no-build -c Debug Conformance -o "$scratch/packages" || die "yamuxspec could not be packed"
dotnet tool install --prerelease --tool-path "$scratch/tools" --add-source "$scratch/packages" yamuxspec >/dev/null \
  || die "the package of yamuxspec could not be installed as a tool"
[ "$("$scratch/tools/yamuxspec" list | wc -l)" -ge 80 ] || die "yamuxspec from its package listed no cases"

# A workload of each kind, with each peer.
few=(--only bulk1 open32 idle-1k bdp-50ms slow-link-100 sidechannel-up backchannel-64)
[ "${1-}" != --thorough ] || few=()
step "comparison, quick: only to see that it works"
dotnet run --no-build -c Release --project Benchmarks -- compare --quick "${few[@]}" --json "$scratch/comparison.json" --plot "$scratch/plots" || die "the comparison failed"

step "soak, $SOAK_MINUTES minutes"
wait "${background[0]}" || die "$(cat "$scratch/soak")"$'\n'"the soak failed"
background=()
cat "$scratch/soak"

# In the background.
run_tests() {
  exec "$1/bin/Debug/net10.0/$1" -noColor >"$scratch/$1.log" 2>&1
}

# Of the summary of a project.
count() {
  sed -n "s/^ *$1 .*$2: \([0-9]*\),.*/\1/p" "$scratch/$1.log"
}

total=0 failed=0 skipped=0 status=0
finish_tests() {
  wait "$2" || status=1
  cat "$scratch/$1.log"
  local all
  all=$(count "$1" Total)
  [ "${all:-0}" -gt 0 ] || die "$1 ran no test, or did not come to its end"
  total=$((total + all))
  failed=$((failed + $(count "$1" Failed) + $(count "$1" Errors)))
  skipped=$((skipped + $(count "$1" Skipped) + $(count "$1" 'Not Run')))
}

# Alone, since it measures what the process takes of the machine. The others wait for most of their time, for processes and for timers of theirs.
step "tests of Yamux.Tests"
run_tests Yamux.Tests &
background=($!)
finish_tests Yamux.Tests "${background[0]}"
background=()

projects=()
for project in *.Tests; do
  [ "$project" = Yamux.Tests ] || projects+=("$project")
done
step "tests of ${projects[*]}"
for project in "${projects[@]}"; do
  run_tests "$project" &
  background+=($!)
done
for index in "${!projects[@]}"; do
  finish_tests "${projects[index]}" "${background[index]}"
done
background=()

# Once more at the end what failed: a failed test prints above all that its foreign peers said.
if [ "$failed" -gt 0 ]; then
  step "failed tests"
  grep -hA 20 '\[FAIL\]' "$scratch"/*.Tests.log
fi
echo
echo "$((total - failed - skipped)) passed, $failed failed, $skipped skipped"
[ "$status" -eq 0 ] && [ "$failed" -eq 0 ] && [ "$skipped" -eq 0 ]
