# SPDX-License-Identifier: Apache-2.0
# lib/: shared memory, messages, and the small tools; no DPDK, LXC, HTTP, Lua
noinst_LIBRARIES += lib/libeuropa.a
lib_libeuropa_a_SOURCES = \
  lib/base.h \
  lib/conf.c lib/conf.h \
  lib/cpus.c lib/cpus.h \
  lib/err.c lib/err.h \
  lib/log.c lib/log.h \
  lib/loop.c lib/loop.h \
  lib/piece.c lib/piece.h \
  lib/ready.h \
  lib/region.c lib/region.h \
  lib/sha256.c lib/sha256.h \
  lib/stage.h \
  lib/vnic.c lib/vnic.h lib/vnic_frame.h \
  lib/vnic_abi.h \
  lib/vnic_layout.c lib/vnic_layout.h \
  lib/vnic_ring.h \
  lib/vnic_set.c \
  lib/wire.c lib/wire.h lib/wire_socket.c
lib_libeuropa_a_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS)
if HAVE_SYSTEMD
lib_libeuropa_a_SOURCES += lib/ready_systemd.c
EXTRA_DIST += lib/ready_none.c
else
lib_libeuropa_a_SOURCES += lib/ready_none.c
EXTRA_DIST += lib/ready_systemd.c
endif
if STAGE_TIMING
lib_libeuropa_a_SOURCES += lib/stage.c
else
EXTRA_DIST += lib/stage.c
endif
LIBEUROPA = lib/libeuropa.a
