# SPDX-License-Identifier: Apache-2.0
# agent/: europad and its launcher
include agent/containers.mk

noinst_LIBRARIES += agent/libagent.a
agent_libagent_a_SOURCES = \
  agent/access.c agent/access.h \
  agent/audit.c agent/audit.h \
  agent/answers.c agent/answers.h \
  agent/burial.c agent/burial.h \
  agent/changes.c agent/changes.h \
  agent/check.c \
  agent/check_macs.c \
  agent/config.c agent/config.h \
  agent/container.h \
  agent/ctlclient.c agent/ctlclient.h \
  agent/durable.c agent/durable.h \
  agent/faults.c agent/faults.h \
  agent/errand.c agent/errand.h \
  agent/events.c agent/events.h \
  agent/initlink.c agent/initlink.h \
  agent/keep.c agent/keep.h \
  agent/logring.c agent/logring.h \
  agent/machine.c agent/machine.h \
  agent/metrics.c agent/metrics.h \
  agent/node.c agent/node.h \
  agent/ops.c agent/ops.h \
  agent/ops_console.c \
  agent/ops_exec.c \
  agent/ops_files.c \
  agent/ops_again.c agent/ops_again.h \
  agent/ops_list.c agent/ops_list.h \
  agent/ops_live.c agent/ops_live.h \
  agent/ops_logs.c \
  agent/ops_node.c \
  agent/ops_pipeline.c agent/ops_pipeline.h \
  agent/ops_pipeline_view.c \
  agent/ops_port.c \
  agent/ops_project.c \
  agent/ops_router.c \
  agent/ops_routes.c \
  agent/ops_stats.c \
  agent/ops_token.c \
  agent/ops_template.c \
  agent/ops_vnic.c \
  agent/ops_wiring.c \
  agent/pipelines.c agent/pipelines.h \
  agent/plane.c agent/plane.h \
  agent/ports.c \
  agent/project.c agent/project.h \
  agent/routefile.c agent/routefile.h \
  agent/routefold.c agent/routefold.h \
  agent/routepush.c agent/routepush.h \
  agent/router.c agent/router.h \
  agent/router_care.c agent/router_care.h \
  agent/router_container.c \
  agent/router_indices.c \
  agent/router_init.c \
  agent/router_lease.c \
  agent/router_live.c \
  agent/router_log.c agent/router_log.h \
  agent/router_plane.c \
  agent/router_program.c \
  agent/router_quota.c \
  agent/router_reconcile.c \
  agent/router_view.c \
  agent/router_wait.c \
  agent/session.c agent/session.h \
  agent/spec_view.c agent/spec_view.h \
  agent/store.c agent/store.h \
  agent/store_schema.c agent/store_schema.h \
  agent/stream.c agent/stream.h \
  agent/template.c agent/template.h \
  agent/textbits.c agent/textbits.h \
  agent/tokens.c agent/tokens.h \
  agent/uid.c agent/uid.h \
  agent/usage.c agent/usage.h \
  agent/visit.c agent/visit.h \
  agent/wiring.c agent/wiring.h \
  agent/wiring_check.c \
  agent/wiring_match.c \
  agent/wiring_view.c \
  agent/wiring_wait.c
agent_libagent_a_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS) $(JANSSON_CFLAGS)
AGENT_LIBS = agent/libagent.a $(LIBCONTAINERS) api/libapi.a $(LIBEUROPA) \
  $(SQLITE_LIBS) $(JANSSON_LIBS) $(MHD_LIBS) $(GNUTLS_LIBS) $(SYSTEMD_LIBS)

sbin_PROGRAMS += europad
europad_SOURCES = agent/main.c
europad_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
europad_LDADD = $(AGENT_LIBS)
