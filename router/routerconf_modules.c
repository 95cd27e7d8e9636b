/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routerconf_modules: which module does it, and how,
 *
 *	distribute PACKETS MICROSECONDS
 *	lookup compact
 *	lookup rte_fib [MIB]
 *	filter linear
 *	filter acl [RULES]
 *
 * The last one that is said counts: the owner's file is read after the node's.
 */
#include "router/routerconf_internal.h"

#include "router/dpdk.h"

int
routerconf_read_distribute(struct parser *p)
{
	uint64_t size, us;

	if (p->n != 3 || !routerconf_uint(p->word[1], DISTRIBUTE_MAX, &size) ||
	    size == 0 || !routerconf_uint(p->word[2], DISTRIBUTE_MAX_US, &us))
		return routerconf_fail(p,
		    "expected: distribute PACKETS MICROSECONDS, up to %d and "
		    "%d",
		    DISTRIBUTE_MAX, DISTRIBUTE_MAX_US);
	p->out->gather = size > 1
			     ? (struct gather){ (uint32_t)size, (uint32_t)us }
			     : (struct gather){ 0 };
	return 0;
}

int
routerconf_read_lookup(struct parser *p)
{
	uint64_t mib = 0;
	bool rte = p->n >= 2 && strcmp(p->word[1], "rte_fib") == 0;

	if ((p->n != 2 && !(p->n == 3 && rte)) ||
	    (!rte && strcmp(p->word[1], "compact") != 0))
		return routerconf_fail(
		    p, "expected: lookup compact, or: lookup rte_fib [MIB]");
	if (p->n == 3 && (!routerconf_uint(p->word[2], DPDK_MAX_MIB, &mib) ||
			     mib < DPDK_MIN_MIB))
		return routerconf_fail(p, "no memory of %d to %d MiB: %s",
		    DPDK_MIN_MIB, DPDK_MAX_MIB, p->word[2]);
	p->out->rte_fib = rte;
	p->out->dpdk_mib = (unsigned)mib;
	return 0;
}

bool
routerconf_is_classifier(const char *word)
{
	return strcmp(word, "acl") == 0 || strcmp(word, "linear") == 0;
}

int
routerconf_read_classifier(struct parser *p)
{
	bool acl = strcmp(p->word[1], "acl") == 0;
	uint64_t from = ROUTERCONF_ACL_FROM;

	if (p->n != 2 && !(p->n == 3 && acl))
		return routerconf_fail(
		    p, "expected: filter linear, or: filter acl [RULES]");
	if (p->n == 3 &&
	    (!routerconf_uint(p->word[2], FILTER_MAX_RULES, &from) ||
		from == 0))
		return routerconf_fail(p, "no number of rules: %s", p->word[2]);
	p->out->acl_from = acl ? (unsigned)from : 0;
	return 0;
}

bool
routerconf_wants_acl(const struct routerconf *c)
{
	return c->acl_from > 0 && c->n_rules >= c->acl_from;
}
