#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes ./configure in a checkout. A release tarball has it already.
set -e
cd "$(dirname "$0")"
mkdir -p build-aux/m4
exec autoreconf --force --install "$@"
