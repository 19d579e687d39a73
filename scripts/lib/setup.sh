# What scripts/demo, scripts/test and scripts/bench need on a fresh Debian 12 with Rust installed.
# Sourced, not run. Each function does nothing where its thing is there already.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
export DEBIAN_FRONTEND=noninteractive

say() { printf '%s\n' "$*" >&2; }

# apt_packages PACKAGE…: installs Debian packages, as root or with sudo.
apt_packages() {
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { say "error: $* must be installed, and there is neither root nor sudo"; return 1; }
    sudo=(sudo)
  fi
  command -v apt-get >/dev/null || { say "error: please install $*: this system has no apt-get"; return 1; }
  say "installing $* …"
  "${sudo[@]}" apt-get install -y -q --no-install-recommends "$@" >/dev/null 2>&1 </dev/null && return
  # The list of packages may be old, or not there yet.
  "${sudo[@]}" apt-get update -q >/dev/null </dev/null
  "${sudo[@]}" apt-get install -y -q --no-install-recommends "$@" >/dev/null </dev/null
}

# have COMMAND PACKAGE…: the command, from these packages.
have() {
  local command="$1"
  shift
  command -v "$command" >/dev/null 2>&1 || [ -x "/usr/sbin/$command" ] || apt_packages "$@"
}

# build_tools: a C compiler, for the one dependency that needs it (aws-lc).
build_tools() {
  command -v cargo >/dev/null || { say "error: Rust is missing; see https://rustup.rs"; return 1; }
  have cc gcc libc6-dev
}

# target_directory: where cargo puts things.
target_directory() {
  (cd "$ROOT" && cargo metadata --no-deps --format-version 1) | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p'
}

# build_banyan [PROFILE]: builds the program and puts its path in BANYAN.
build_banyan() {
  local profile="${1:-dev}" directory=debug
  [ "$profile" = dev ] || directory="$profile"
  build_tools
  (cd "$ROOT" && cargo build --quiet --locked -p banyan-node --profile "$profile" </dev/null)
  BANYAN="$(target_directory)/$directory/banyan"
  export BANYAN
}

# browser_tools: Chromium, and what drives it.
browser_tools() {
  have chromium chromium
  have node nodejs npm
  have npm npm
  if [ ! -e "$ROOT/tests/browser/node_modules/playwright-core/package.json" ]; then
    say "installing what drives the browser …"
    (cd "$ROOT/tests/browser" && npm ci --silent --no-audit --no-fund </dev/null)
  fi
}

# ffmpeg_tool: FFmpeg 9, whose WHIP muxer Debian's is too old for; its path in FFMPEG.
ffmpeg_tool() {
  local place
  place="$(target_directory)/pip"
  find_ffmpeg() { PYTHONPATH="$place" python3 -c 'import imageio_ffmpeg as f; print(f.get_ffmpeg_exe())' 2>/dev/null; }
  have python3 python3
  if ! FFMPEG="$(find_ffmpeg)"; then
    python3 -m pip --version >/dev/null 2>&1 || apt_packages python3-pip
    say "installing FFmpeg …"
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target "$place" imageio-ffmpeg </dev/null
    FFMPEG="$(find_ffmpeg)"
  fi
  export FFMPEG
}

# lab_tools: what makes network namespaces.
lab_tools() {
  have ip iproute2
  PATH="$PATH:/usr/sbin:/sbin"
}
