#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# script_text: texts as C strings, on standard output.
#
#   script_text.sh NAME=FILE...
set -eu

echo "/* made by router/script_text.sh */"
echo '#include "router/script_text.h"'
for arg in "$@"; do
	echo
	echo "const char ${arg%%=*}[] ="
	sed 's/[\\"]/\\&/g; s/^/	"/; s/$/\\n"/' "${arg#*=}"
	echo "	;"
done
