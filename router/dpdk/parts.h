/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parts: what the files of europa-router-dpdk.so give to the one symbol that it
 * has, in the shapes of fib_engine.h and filter_rules.h.
 */
#ifndef ROUTER_DPDK_PARTS_H
#define ROUTER_DPDK_PARTS_H

#include "lib/base.h"
#include "router/dpdk.h"

int dpdk_fib4_make(const struct fib_room *room, void **out);
void dpdk_fib4_free(void *table);
int dpdk_fib4_add(
    void *table, const void *prefix, unsigned len, uint16_t result);
int dpdk_fib4_remove(void *table, const void *prefix, unsigned len);
void dpdk_fib4_look_up(
    const void *table, const void *addresses, uint16_t *results, unsigned n);
size_t dpdk_fib4_bytes(const void *table);

int dpdk_fib6_make(const struct fib_room *room, void **out);
void dpdk_fib6_free(void *table);
int dpdk_fib6_add(
    void *table, const void *prefix, unsigned len, uint16_t result);
int dpdk_fib6_remove(void *table, const void *prefix, unsigned len);
void dpdk_fib6_look_up(
    const void *table, const void *addresses, uint16_t *results, unsigned n);
size_t dpdk_fib6_bytes(const void *table);

int dpdk_acl_make(const struct filter_rule *rules, unsigned n, void **out);
void dpdk_acl_free(void *rules);
void dpdk_acl_find(const void *rules, const struct filter_key *keys,
    uint8_t *numbers, unsigned n);

#endif
