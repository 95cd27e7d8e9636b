# SPDX-License-Identifier: Apache-2.0
# dataplane/: the host's data plane; the only folder that knows DPDK
DATAPLANE_PURE = \
  dataplane/frame.c dataplane/frame.h \
  dataplane/handover.c dataplane/handover.h dataplane/lines.h \
  dataplane/impair.c dataplane/impair.h \
  dataplane/match.c dataplane/match.h \
  dataplane/police.c dataplane/police.h \
  dataplane/ports_file.c dataplane/ports_file.h \
  dataplane/rules.c dataplane/rules.h \
  dataplane/spread.h
DATAPLANE_LEDGER = \
  dataplane/ledger.c dataplane/ledger.h \
  dataplane/ledger_epoch.c dataplane/ledger_internal.h dataplane/lines.h

if HAVE_DPDK
sbin_PROGRAMS += europa-dataplane
endif
DATAPLANE_SOURCES = \
  dataplane/control.c dataplane/control.h \
  dataplane/control_link.c dataplane/control_link.h \
  dataplane/control_macs.c dataplane/control_macs.h \
  dataplane/control_msgs.c \
  dataplane/copy.h \
  dataplane/crew.c dataplane/crew.h \
  dataplane/cross.c \
  dataplane/detour.c \
  dataplane/eal.c dataplane/eal.h \
  dataplane/home.c \
  dataplane/lane.c \
  dataplane/node.c dataplane/node.h \
  dataplane/options.c dataplane/options.h \
  dataplane/plan.c dataplane/plan.h \
  dataplane/plan_link.c \
  dataplane/plan_macs.c \
  dataplane/port.c dataplane/port.h \
  dataplane/port_explain.c \
  dataplane/port_fds.c \
  dataplane/port_watch.c dataplane/port_watch.h \
  dataplane/privileges.c dataplane/privileges.h \
  dataplane/rx.c \
  dataplane/set.c dataplane/set.h \
  dataplane/sigbus.c dataplane/sigbus.h \
  dataplane/sleep.c \
  dataplane/tend.c dataplane/tend.h \
  dataplane/tx.c \
  dataplane/tx_queue.c \
  dataplane/worker.c dataplane/worker.h dataplane/worker_internal.h \
  $(DATAPLANE_LEDGER) $(DATAPLANE_PURE)
europa_dataplane_SOURCES = dataplane/main.c $(DATAPLANE_SOURCES)
# what -O3 adds and matters here; a user's CFLAGS come later and have a -O2
DATAPLANE_CFLAGS = $(DPDK_CFLAGS) $(AM_CFLAGS) \
  -finline-functions -funswitch-loops -fpeel-loops -fgcse-after-reload
europa_dataplane_CFLAGS = $(DATAPLANE_CFLAGS)
europa_dataplane_LDADD = $(LIBEUROPA) $(DPDK_LIBS) $(SYSTEMD_LIBS)
