/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fib6: the tables of fib.h over addresses of 128 bits.
 */
#include "router/fib6.h"

#include "lib/base.h"
#include "router/fib_shelf.h"
#include "router/fib_store.h"

__extension__ typedef unsigned __int128 fib_key;
#define FIB_KEY_BITS 128
#define FIB(name) fib6_##name
#define fib_table fib6
#define fib_route fib6_route

static fib_key
key_of(const struct fib6_route *r)
{
	return (fib_key)r->prefix.hi << 64 | r->prefix.lo;
}

#include "router/fib_routes.inc"

#include "router/fib_others.inc"

#include "router/fib_table.inc"
