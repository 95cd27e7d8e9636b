# SPDX-License-Identifier: Apache-2.0
# router/: the reference data plane, as a library for tests and a program. No
# DPDK, but in a shared object of its own; LuaJIT is known to script.c alone.
noinst_LIBRARIES += router/librouter.a
router_librouter_a_SOURCES = \
  router/arp.c router/arp.h \
  router/arp_frame.c router/arp_internal.h \
  router/batch.h \
  router/bell.c router/bell.h \
  router/beside.c router/beside.h \
  router/bucket.h \
  router/clock.h \
  router/count.c router/count.h \
  router/ctl.h router/ctl_int.h \
  router/ctl_change.c \
  router/ctl_names.c router/ctl_names.h \
  router/ctl_pipeline.c \
  router/ctl_routes.c \
  router/ctl_server.c router/ctl_server.h \
  router/ctl_show.c \
  router/ctl_trace.c \
  router/distribute.h \
  router/dpdk.c router/dpdk.h \
  router/fast.c router/fast.h \
  router/feed.c router/feed.h \
  router/fib.h router/fib_engine.h \
  router/fib4.c router/fib4.h router/fib4_lookup.c \
  router/fib6.c router/fib6.h router/fib6_lookup.c \
  router/fib_avx512.c router/fib_avx512.h \
  router/fib_others.inc router/fib_routes.inc router/fib_table.inc \
  router/fib_shelf.c router/fib_shelf.h \
  router/fib_store.c router/fib_store.h \
  router/filter_rules.c router/filter_rules.h \
  router/fragment.c router/fragment.h \
  router/icmp.c router/icmp.h \
  router/icmp6.c router/icmp6.h \
  router/iface.h router/ip6.h router/ip6_walk.h \
  router/linux_feed.c router/linux_feed.h \
  router/linux_routes.c router/linux_routes.h \
  router/journal.c router/journal.h \
  router/kernel_routes.c router/kernel_routes.h \
  router/kernel_stats.c router/kernel_stats.h \
  router/live.c router/live.h \
  router/live_swap.c \
  router/modules.h \
  router/mover.c router/mover.h \
  router/modules/check_ip4.c \
  router/modules/check_ip6.c \
  router/modules/distribute.c \
  router/modules/ether_in.c \
  router/modules/filter.c \
  router/modules/hop_limit6.c \
  router/modules/lookup4.c \
  router/modules/lookup6.c \
  router/modules/rewrite.c \
  router/modules/ttl4.c \
  router/nd.c router/nd.h \
  router/nd_frame.c router/nd_internal.h \
  router/neigh.c router/neigh.h \
  router/netlink.c router/netlink.h \
  router/netlink_socket.c \
  router/options.c router/options.h \
  router/packet.h \
  router/path.c router/path.h \
  router/pipeline.c router/pipeline.h \
  router/plan.c router/plan.h \
  router/plan6.c \
  router/probe.c router/probe.h \
  router/publish.c router/publish.h \
  router/punt.c router/punt.h \
  router/reassemble.c router/reassemble.h \
  router/rehearse.c router/rehearse.h \
  router/rehearse_child.c \
  router/revisions.c router/revisions.h \
  router/routerconf.c router/routerconf.h \
  router/routerconf_filter.c router/routerconf_internal.h \
  router/routerconf_modules.c \
  router/routerconf_words.c \
  router/routes.c router/routes.h \
  router/script.c router/script.h \
  router/script_api.h \
  router/script_text.h \
  router/seat.c router/seat.h \
  router/share.c router/share.h \
  router/slow.c router/slow.h \
  router/slow6.c router/slow6.h \
  router/slow6_tx.c \
  router/slow_input.c \
  router/slow_twins.c \
  router/slow_pieces.c \
  router/slow_tx.c \
  router/slow_update.c \
  router/snapshot.h \
  router/stats.c router/stats.h \
  router/tables.c router/tables.h \
  router/taps.c router/taps.h \
  router/twins.c router/twins.h \
  router/text.c router/text.h \
  router/trace.c router/trace.h \
  router/update.c router/update.h \
  router/watch.c router/watch.h \
  router/watchdog.c router/watchdog.h
nodist_router_librouter_a_SOURCES = router/script_text.c
router_librouter_a_CFLAGS = $(AM_CFLAGS) $(LUAJIT_CFLAGS)

# What a script sees of C is made from the headers that C includes.
SCRIPT_API = router/script_api.h lib/vnic_abi.h lib/vnic_frame.h \
  router/batch.h router/distribute.h router/ip6.h router/modules.h \
  router/packet.h router/path.h \
  router/tables.h
router/script_api.txt: $(SCRIPT_API)
	$(AM_V_GEN)$(MKDIR_P) router && $(CC) -E -P -DVNIC_FFI -I$(top_srcdir) \
	  $(top_srcdir)/router/script_api.h > $@.tmp && mv $@.tmp $@
router/script_text.c: router/script_text.sh router/script_api.txt \
  router/router.lua router/pipeline.lua
	$(AM_V_GEN)$(SHELL) $(top_srcdir)/router/script_text.sh \
	  script_text_api=router/script_api.txt \
	  script_text_router=$(top_srcdir)/router/router.lua \
	  script_text_pipeline=$(top_srcdir)/router/pipeline.lua > $@.tmp && \
	  mv $@.tmp $@
CLEANFILES += router/script_api.txt router/script_text.c
EXTRA_DIST += router/pipeline.lua router/router.lua router/script_text.sh

europalibexec_PROGRAMS += europa-router
europa_router_SOURCES = router/main.c
europa_router_LDADD = router/librouter.a $(LIBEUROPA) $(LUAJIT_LIBS)
# a script finds the modules by their names
SCRIPT_EXPORTS = $(AM_LDFLAGS) -rdynamic
europa_router_LDFLAGS = $(SCRIPT_EXPORTS)

# the data plane of those whose kernel forwards
europalibexec_PROGRAMS += europa-taps
europa_taps_SOURCES = router/taps_main.c
europa_taps_LDADD = router/librouter.a $(LIBEUROPA)

# What of DPDK a router may ask for. It holds all that it needs of DPDK, and shows
# one symbol: a container has no other file of it.
if HAVE_DPDK_STATIC
europalibexec_PROGRAMS += europa-router-dpdk.so
endif
europa_router_dpdk_so_SOURCES = router/dpdk/acl.c router/dpdk/eal.c \
  router/dpdk/fib.c router/dpdk/parts.h router/dpdk.h router/fib_engine.h
europa_router_dpdk_so_CFLAGS = $(DPDK_CFLAGS) $(AM_CFLAGS) -fPIC \
  -fvisibility=hidden
europa_router_dpdk_so_LDFLAGS = $(AM_LDFLAGS) -shared -Wl,-Bsymbolic \
  -Wl,--exclude-libs,ALL
europa_router_dpdk_so_LDADD = $(DPDK_STATIC_LIBS)

# its command line, in the container beside it
europalibexec_PROGRAMS += routerctl
routerctl_SOURCES = router/routerctl.c router/routerctl.h \
  router/routerctl_json.c router/routerctl_print.c router/routerctl_talk.c
routerctl_LDADD = $(LIBEUROPA)
