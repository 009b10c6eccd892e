#!/usr/bin/env bash
# Installs what the foreign peers need where it is missing, builds everything, checks the format, runs the sample and every
# test. Ends with the line "N passed, N failed, N skipped"; fails if any test failed or was skipped.
set -uo pipefail
cd "$(dirname "$0")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

packages=(golang-go golang-github-hashicorp-yamux-dev golang-google-grpc-dev golang-goprotobuf-dev protobuf-compiler)

die() {
  echo "test.sh: $*" >&2
  exit 1
}

step() {
  printf '\n== %s\n' "$*"
}

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

step "JavaScript peer"
(cd Interop.Tests/peers/js && npm ci) || die "npm could not install the JavaScript peer; it needs a package registry ('npm config get registry' names yours)"

step "build"
dotnet build Backchannel.sln || die "the build failed"

step "format"
dotnet format Backchannel.sln --no-restore --verify-no-changes || die "the format is off; 'dotnet format' mends it"

step "samples"
dotnet run --no-build --project Samples/Voting || die "the sample Voting failed"
dotnet run --no-build --project Samples/LogTail || die "the sample LogTail failed"

step "package of yamuxspec"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
dotnet pack --no-build -c Debug Conformance -o "$scratch/packages" || die "yamuxspec could not be packed"
dotnet tool install --tool-path "$scratch/tools" --add-source "$scratch/packages" yamuxspec >/dev/null \
  || die "the package of yamuxspec could not be installed as a tool"
[ "$("$scratch/tools/yamuxspec" list | wc -l)" -ge 80 ] || die "yamuxspec from its package listed no cases"

step "soak, one minute"
dotnet run -c Release --project Benchmarks -- soak --minutes 1 || die "the soak failed"

step "comparison, quick: only to see that it works"
dotnet run --no-build -c Release --project Benchmarks -- compare --quick --json "$scratch/comparison.json" --plot "$scratch/plots" || die "the comparison failed"

step "tests"
log=$scratch/tests
# What ends in a race (a call cancelled, a process killed in the middle of a transfer) is played 200 times.
export TEST_ROUNDS=${TEST_ROUNDS:-200}
dotnet test --no-build --max-parallel-test-modules 1 2>&1 | tee "$log"
status=${PIPESTATUS[0]}

# The summary of all projects is the last thing that dotnet test prints.
count() {
  sed -n "s/^  *$1: \([0-9][0-9]*\)$/\1/p" "$log" | tail -n 1
}
passed=$(count succeeded) failed=$(count failed) skipped=$(count skipped)
[ -n "$passed" ] && [ -n "$failed" ] && [ -n "$skipped" ] || die "dotnet test printed no summary"
[ "$passed" -gt 0 ] || die "no test ran"

# Once more at the end what failed: a failed test prints above all that its foreign peers said.
if [ "$failed" -gt 0 ]; then
  step "failed tests"
  awk '/^failed /{lines = 40} /^[^ f]|^ *Standard output$/{lines = 0} lines-- > 0' "$log"
fi
echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$status" -eq 0 ] && [ "$failed" -eq 0 ] && [ "$skipped" -eq 0 ]
