/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routerconf_internal: what routerconf.c (statements), routerconf_filter.c (the
 * one with the most words), routerconf_modules.c (those that choose modules) and
 * routerconf_words.c (numbers and addresses) share.
 */
#ifndef ROUTER_ROUTERCONF_INTERNAL_H
#define ROUTER_ROUTERCONF_INTERNAL_H

#include "router/routerconf.h"

enum { ROUTERCONF_MAX_WORDS = 16 };

struct parser {
	const char *name;
	unsigned line;
	bool ended;
	bool rules_only; /* it is the owner's file */
	unsigned n;      /* words of this line */
	char *word[ROUTERCONF_MAX_WORDS];
	struct routerconf *out;
	struct err *e;
};

/* -EINVAL, and "name:line: why" in p->e. */
int routerconf_fail(const struct parser *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The index of the vNIC of that name, or ROUTERCONF_LOST_DEV. */
uint8_t routerconf_find_vnic(const struct parser *p, const char *name);

/* The statement `filter`. */
int routerconf_read_filter(struct parser *p);

/* Which module does it: `distribute`, `lookup`, and `filter acl`. */
int routerconf_read_distribute(struct parser *p);
int routerconf_read_lookup(struct parser *p);
bool routerconf_is_classifier(const char *word);
int routerconf_read_classifier(struct parser *p);

enum prefix_family { PREFIX_BAD = 0, PREFIX_4 = 4, PREFIX_6 = 6 };

struct prefix {
	uint32_t ip;    /* of PREFIX_4 */
	struct ip6 ip6; /* of PREFIX_6 */
	uint8_t len;
};

bool routerconf_uint(const char *s, uint64_t max, uint64_t *out);
bool routerconf_ip4(const char *s, uint32_t *out);
bool routerconf_ip6(const char *s, struct ip6 *out);
bool routerconf_mac(const char *s, uint8_t *out);
enum prefix_family routerconf_prefix(const char *s, struct prefix *out);

#endif
