# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034
# where this build installs things
version='0.1.0'
sbindir='/usr/local/sbin'
confdir='/usr/local/etc/europa'
libexecdir='/usr/local/libexec/europa'
datadir='/usr/local/share/europa'
docdir='/usr/local/share/doc/europa'
mandir='/usr/local/share/man'
sysusersdir='/usr/local/lib/sysusers.d'
tmpfilesdir='/usr/local/lib/tmpfiles.d'
unitdir='/lib/systemd/system'
