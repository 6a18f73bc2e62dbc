#!/usr/bin/env bash
# Installs the clients and tshark: install.sh FOLDER
#
# The packages of npm and PyPI go into FOLDER, those of Debian into the system (root is needed for what is missing).
set -euo pipefail

folder=${1:?usage: install.sh FOLDER}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$folder"

missing=()
need() { # what it is tried with, then the package that has it
  local package=$1
  shift
  "$@" >/dev/null 2>&1 || missing+=("$package")
}
need tshark tshark --version
need tshark dumpcap --version
need libnet-smpp-perl perl -MNet::SMPP -e 1
need python3-venv python3 -c 'import venv, ensurepip'
need nodejs node --version
need npm npm --version
if [ ${#missing[@]} -gt 0 ]; then
  as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo -n)
  export DEBIAN_FRONTEND=noninteractive
  "${as_root[@]}" apt-get -q -o Acquire::Retries=3 update >"$folder/apt.log" 2>&1 || { cat "$folder/apt.log"; exit 1; }
  "${as_root[@]}" apt-get -q -y -o Acquire::Retries=3 install --no-install-recommends "${missing[@]}" \
    >>"$folder/apt.log" 2>&1 || { tail -n 30 "$folder/apt.log"; exit 1; }
fi

mkdir -p "$folder/node"
cp "$here/node/package.json" "$here/node/package-lock.json" "$folder/node/"
(cd "$folder/node" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)

python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/python/requirements.txt"

echo "node $(node --version), smpp $(node -p "require('$folder/node/node_modules/smpp/package.json').version")"
"$folder/python/bin/python" -c \
  'import importlib.metadata as m, platform; print("Python", platform.python_version() + ", smpplib", m.version("smpplib"))'
perl -MNet::SMPP -e 'printf "Perl %vd, Net::SMPP %s\n", $^V, $Net::SMPP::VERSION'
tshark --version 2>/dev/null | head -n 1
