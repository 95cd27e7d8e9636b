# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# c: checks of C sources; part of tests/lint/run.

# What configure would define; paths are of no interest here.
CPP=(-I. -D_GNU_SOURCE -std=gnu17)
for word in VERSION CONFDIR LIBEXECDIR WEBDIR DATADIR TEMPLATEDIR STATEDIR; do
  CPP+=("-DEUROPA_$word=\"x\"")
done

# of the libraries that are here; DPDK's may bring options for the compiler
library_flags() {
  local p
  for p in libmicrohttpd gnutls jansson libcurl lxc libseccomp sqlite3 libsystemd cmocka \
    libdpdk luajit; do
    pkg-config --cflags "$p" 2> /dev/null
  done | tr '\n' ' ' | sed 's/ -I/ -isystem /g; s/-march=[^ ]*//g'
}

# compilable REGEX: those files whose libraries are here
compilable() {
  if pkg-config --exists libdpdk; then files "$1"; else
    files "$1" | xargs grep -LE '#include <rte_' | grep -vE '^(dataplane|router/dpdk)/'
  fi
}

check_format() {
  files '\.[ch]$' | xargs -P "$JOBS" -n 8 clang-format --dry-run -Werror 2>&1 |
    grep 'error:'
}

# shellcheck disable=SC2046
check_headers() {
  compilable '\.h$' | xargs -P "$JOBS" -I{} \
    cc -fsyntax-only -Wall -Wno-unused-function -Werror "${CPP[@]}" \
    $(library_flags) -x c -include {} /dev/null
}

# shellcheck disable=SC2046
check_atomics() {
  compilable '\.c$' | xargs -P "$JOBS" -n 1 \
    clang -fsyntax-only -Wno-everything -Watomic-implicit-seq-cst \
    -Werror=atomic-implicit-seq-cst "${CPP[@]}" $(library_flags) 2>&1 |
    grep -E 'error:'
}

# Suppressed: missingInclude* (that it does not look there), and
# internalAstError (it cannot read the ({ }) of MIN within { }).
check_cppcheck() {
  local folders="" d
  for d in agent api cli lib router container-templates examples; do
    if files "^$d/.*\.c\$" > /dev/null; then folders="$folders $d"; fi
  done
  # shellcheck disable=SC2086
  cppcheck --quiet -j "$JOBS" --std=c11 --enable=warning,portability \
    --inline-suppr --error-exitcode=1 --template=gcc \
    --suppress=missingInclude --suppress=missingIncludeSystem \
    --suppress=internalAstError -I. -D_GNU_SOURCE -D__x86_64__ \
    --include="$HERE/cppcheck.h" $folders
}

# Tests may look behind the curtain.
check_foreign() {
  # shellcheck disable=SC2046
  awk 'function home(pattern, what) {
      if (FILENAME !~ pattern && FILENAME !~ /^tests\//)
        printf "%s:%d: %s is at home in %s\n", FILENAME, FNR, $2, what
    }
    !/^#[ \t]*include/ { next }
    $2 ~ /rte_/ {
      home("^(dataplane|router/dpdk)/.*\\.[ch]$", "dataplane/ and router/dpdk/")
    }
    $2 ~ /^<lxc\// { home("^agent/launch\\.c$", "agent/launch.c") }
    $2 ~ /microhttpd/ { home("^api/server[a-z_]*\\.[ch]$", "api/server*.c") }
    $2 ~ /^<gnutls\// { home("^api/server_tls\\.c$", "api/server_tls.c") }
    $2 ~ /^<curl\// { home("^cli/http[a-z_]*\\.[ch]$", "cli/http*.c") }
    $2 ~ /sqlite3/ { home("^agent/store\\.c$", "agent/store.c") }
    $2 ~ /seccomp\.h>/ && $2 !~ /linux/ {
      home("^agent/launch_guard\\.c$", "agent/launch_guard.c")
    }
    $2 ~ /^<(lua|lauxlib|lualib|luajit)\.h>/ {
      home("^router/script\\.c$", "router/script.c")
    }
    $2 ~ /^<systemd\// {
      home("^lib/ready_systemd\\.c$", "lib/ready_systemd.c")
    }' $(files '\.[ch]$')
}

check_layers() {
  # shellcheck disable=SC2046
  awk 'BEGIN {
      may["lib"] = "lib"; may["api"] = "api lib"
      may["agent"] = "agent api lib"; may["cli"] = "cli lib"
      may["dataplane"] = "dataplane lib"
      may["router"] = "router lib"
      may["container-templates"] = "container-templates lib"
      may["examples"] = "examples lib"
    }
    !/^#[ \t]*include[ \t]*"/ { next }
    {
      split(FILENAME, here, "/"); split($2, at, /["\/]/)
      if (here[1] == "tests")
        next
      if (index(" " may[here[1]] " ", " " at[2] " ") == 0)
        printf "%s:%d: %s may include of: %s\n", FILENAME, FNR, here[1], \
          may[here[1]]
    }' $(files '\.[ch]$')
}
