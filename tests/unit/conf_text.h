/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf_text: a router's configuration out of a string, for tests; and the plan
 * that comes of it.
 */
#ifndef TESTS_UNIT_CONF_TEXT_H
#define TESTS_UNIT_CONF_TEXT_H

#include "router/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define V0 "vnic 0 eth0 mac 0a:00:00:00:00:01 mtu 1500\n"
#define V1 "vnic 1 eth1 mac 0a:00:00:00:00:02 mtu 9000\n"
#define A0 "address eth0 198.18.0.1/24\n"
#define A1 "address eth1 198.18.1.1/24\n"

/* As routerconf_parse(); e may be NULL. */
static inline int
conf_of(const char *text, struct routerconf *c, struct err *e)
{
	char copy[4096];
	FILE *in;
	int rc;

	assert_true(strlen(text) < sizeof(copy));
	snprintf(copy, sizeof(copy), "%s", text);
	in = fmemopen(copy, strlen(copy), "r");
	assert_non_null(in);
	rc = routerconf_parse(in, "r", c, e);
	fclose(in);
	return rc;
}

static inline struct plan *
plan_of(const char *text)
{
	struct routerconf c;
	struct plan *p;

	assert_int_equal(conf_of(text, &c, NULL), 0);
	assert_int_equal(plan_make(&c, &p), 0);
	routerconf_clear(&c);
	return p;
}

#endif
