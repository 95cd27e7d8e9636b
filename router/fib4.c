/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fib4: the tables of fib.h over addresses of 32 bits.
 */
#include "router/fib4.h"

#include "lib/base.h"
#include "router/fib_shelf.h"
#include "router/fib_store.h"

typedef uint32_t fib_key;
#define FIB_KEY_BITS 32
#define FIB(name) fib4_##name
#define fib_table fib4
#define fib_route fib4_route

static fib_key
key_of(const struct fib4_route *r)
{
	return r->prefix;
}

#include "router/fib_routes.inc"

#include "router/fib_others.inc"

#include "router/fib_table.inc"
