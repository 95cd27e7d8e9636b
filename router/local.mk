# SPDX-License-Identifier: Apache-2.0
# router/: the reference data plane, as a library for tests and a program. No
# DPDK and no foreign library: it is copied into container templates.
noinst_LIBRARIES += router/librouter.a
router_librouter_a_SOURCES = \
  router/arp.c router/arp.h \
  router/arp_frame.c router/arp_internal.h \
  router/batch.h \
  router/bell.c router/bell.h \
  router/bucket.h \
  router/count.c router/count.h \
  router/fast.c router/fast.h \
  router/fib.h \
  router/fib4.c router/fib4.h router/fib4_lookup.c \
  router/fib4_avx512.c router/fib4_avx512.h \
  router/fib6.c router/fib6.h router/fib6_lookup.c \
  router/fib_routes.inc router/fib_table.inc \
  router/fib_store.c router/fib_store.h \
  router/filter_rules.c router/filter_rules.h \
  router/fragment.c router/fragment.h \
  router/icmp.c router/icmp.h \
  router/icmp6.c router/icmp6.h \
  router/iface.h router/ip6.h router/ip6_walk.h \
  router/modules.h \
  router/modules/check_ip4.c \
  router/modules/check_ip6.c \
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
  router/options.c router/options.h \
  router/packet.h \
  router/pipeline.c router/pipeline.h \
  router/plan.c router/plan.h \
  router/plan6.c \
  router/publish.c router/publish.h \
  router/punt.c router/punt.h \
  router/routerconf.c router/routerconf.h \
  router/routerconf_filter.c router/routerconf_internal.h \
  router/routerconf_words.c \
  router/slow.c router/slow.h \
  router/slow6.c router/slow6.h \
  router/slow6_tx.c \
  router/slow_input.c \
  router/slow_tx.c \
  router/stats.c router/stats.h \
  router/tables.c router/tables.h \
  router/watch.c router/watch.h

europalibexec_PROGRAMS += europa-router
europa_router_SOURCES = router/main.c
europa_router_LDADD = router/librouter.a $(LIBEUROPA)
