/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routerconf: the configuration that the node gave this router, as text
 * (router.conf(5)) and as a struct. Strict about the statements it knows, silent
 * about those that it does not. The owner's rules and choice of modules,
 * filter.conf beside it, are read with it: both are in force or neither.
 */
#ifndef ROUTER_ROUTERCONF_H
#define ROUTER_ROUTERCONF_H

#include "lib/err.h"
#include "lib/vnic_abi.h"
#include "router/distribute.h"
#include "router/filter_rules.h"
#include "router/ip6.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum routerconf_limits {
	ROUTERCONF_MAX_ADDRESSES = 16, /* per vNIC */
	ROUTERCONF_MAX_PIPELINE = 256, /* bytes of its name */
	ROUTERCONF_ACL_FROM = 8,       /* rules, if nobody says more */
	ROUTERCONF_NO_DEV = 0xff,      /* the statement names none */
	ROUTERCONF_LOST_DEV = 0xfe,    /* it names one that is not there */
};

/* The owner's file, in the folder of router.conf. */
#define ROUTERCONF_RULES "filter.conf"
#define ROUTERCONF_TWINS "/etc/europa/twins"

struct address4 {
	uint32_t ip; /* host order */
	uint8_t len; /* of the network's prefix */
};

struct address6 {
	struct ip6 ip;
	uint8_t len; /* of the network's prefix */
};

struct routerconf_vnic {
	bool present;
	char name[VNIC_NAME_BYTES];
	uint8_t mac[6];
	uint32_t mtu;
	unsigned n_addresses;
	unsigned n_addresses6;
	struct address4 address[ROUTERCONF_MAX_ADDRESSES];
	struct address6 address6[ROUTERCONF_MAX_ADDRESSES];
};

struct routerconf_route {
	uint32_t prefix;
	uint32_t via; /* 0 = none */
	uint8_t len;
	uint8_t dev; /* index of a vNIC, or as above */
};

struct routerconf_route6 {
	struct ip6 prefix;
	struct ip6 via; /* :: = none */
	uint8_t len;
	uint8_t dev; /* as above */
};

enum routerconf_switch {
	ROUTERCONF_NOT_SAID = 0,
	ROUTERCONF_OFF,
	ROUTERCONF_ON
};

struct routerconf {
	uint64_t generation;
	enum routerconf_switch twins;
	char hostname[64];
	char pipeline[ROUTERCONF_MAX_PIPELINE]; /* see live.h; "": not said */
	struct routerconf_vnic vnic[VNIC_MAX_VNICS];
	struct routerconf_route *route;
	size_t n_routes;
	size_t max_routes; /* room in route */
	struct routerconf_route6 *route6;
	size_t n_routes6;
	size_t max_routes6;
	struct gather gather; /* of packets that leave */
	bool rte_fib;         /* instead of the compact lookup table */
	unsigned dpdk_mib;    /* its memory; 0 = not said */
	unsigned acl_from;    /* rules; 0 = never */
	unsigned n_rules;
	struct filter_rule rule[FILTER_MAX_RULES];
};

/*
 * Reads a configuration; name is what errors call it. Returns 0 and fills out
 * (routerconf_clear() frees what it holds), or negative errno with e set:
 * "name:line: why".
 */
int routerconf_parse(
    FILE *in, const char *name, struct routerconf *out, struct err *e);

/*
 * The same from a file, and the rules of filter.conf in its folder, if any. If
 * it says nothing of twins, it is for the template to say: they are on where
 * there is the file ROUTERCONF_TWINS.
 */
int routerconf_read(const char *path, struct routerconf *out, struct err *e);

/*
 * How many fast paths the node wants, 0 = it does not say; from the beginning of
 * the file alone, before anything else is done.
 */
unsigned routerconf_fast_paths(const char *path);

/* Likewise what forwards; false: it does not say. */
bool routerconf_pipeline(const char *path, char out[ROUTERCONF_MAX_PIPELINE]);

/* Are there enough rules for the classifier of DPDK? */
bool routerconf_wants_acl(const struct routerconf *c);

void routerconf_clear(struct routerconf *c);

#endif
