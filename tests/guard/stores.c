/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stores: the calls that a compiler makes for -fsanitize=thread, see stores.h.
 * Loads are heard and forgotten, atomic operations are done as sequentially
 * consistent ones. All of it is one thread, so its stack has no second writer.
 */
#include "tests/guard/stores.h"

#include "lib/base.h"

#include <stdio.h>

enum { LINE = 64, TABLE_LOG2 = 18, TABLE = 1 << TABLE_LOG2 };

static int who = STORES_NOBODY;
static struct stores_line table[TABLE];
static unsigned n_lines[STORES_MAX_WRITERS];
static uintptr_t stack_end; /* of main(), at its first call */

static struct stores_line *
find(uintptr_t line)
{
	uint64_t hash = line * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(hash >> (64 - TABLE_LOG2));

	for (size_t tries = 0; tries < TABLE; tries++) {
		struct stores_line *l = &table[i];

		if (l->line == line)
			return l;
		if (l->line == 0) {
			l->line = line;
			return l;
		}
		i = (i + 1) & (TABLE - 1);
	}
	fputs("stores: more lines than the table has room for\n", stderr);
	exit(1);
}

static void
note(const volatile void *p, size_t n, const void *at)
{
	uintptr_t from = (uintptr_t)p;
	uintptr_t stack = (uintptr_t)__builtin_frame_address(0);

	if (who == STORES_NOBODY || n == 0 ||
	    (from >= stack && from < stack_end))
		return;
	for (uintptr_t l = from / LINE; l <= (from + n - 1) / LINE; l++) {
		struct stores_line *x = find(l * LINE);

		n_lines[who] += !(x->writers >> who & 1);
		x->writers |= (uint8_t)(1u << who);
		x->at[who] = at;
	}
}

void
stores_by(int writer)
{
	if (stack_end == 0)
		stack_end = (uintptr_t)__builtin_frame_address(0) + (1 << 16);
	who = writer;
}

void
stores_forget(void)
{
	memset(table, 0, sizeof(table));
	memset(n_lines, 0, sizeof(n_lines));
}

unsigned
stores_lines(int writer)
{
	return n_lines[writer];
}

const struct stores_line *
stores_shared(const struct stores_line *after)
{
	const struct stores_line *l = after ? after + 1 : table;

	for (; l < table + TABLE; l++)
		if (l->writers & (l->writers - 1))
			return l;
	return NULL;
}

/* --- what the compiler calls ---------------------------------------------------- */

#define HERE __builtin_return_address(0)

#define HEARD(name, args) \
	void name args;   \
	void name args    \
	{                 \
	}

#define SIZED(n)                                                       \
	void __tsan_write##n(void *p);                                 \
	void __tsan_write##n(void *p)                                  \
	{                                                              \
		note(p, n, HERE);                                      \
	}                                                              \
	void __tsan_unaligned_write##n(void *p);                       \
	void __tsan_unaligned_write##n(void *p)                        \
	{                                                              \
		note(p, n, HERE);                                      \
	}                                                              \
	HEARD(__tsan_read##n, (const void *p __attribute__((unused)))) \
	HEARD(__tsan_unaligned_read##n, (const void *p __attribute__((unused))))

SIZED(1)
SIZED(2)
SIZED(4)
SIZED(8)
SIZED(16)

HEARD(__tsan_init, (void))
HEARD(__tsan_func_entry, (const void *p __attribute__((unused))))
HEARD(__tsan_func_exit, (void))
HEARD(__tsan_read_range,
    (const void *p __attribute__((unused)), size_t n __attribute__((unused))))
HEARD(__tsan_atomic_signal_fence, (int order __attribute__((unused))))

void __tsan_atomic_thread_fence(int order);
void __tsan_write_range(void *p, size_t n);

void
__tsan_atomic_thread_fence(int order)
{
	(void)order;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void
__tsan_write_range(void *p, size_t n)
{
	note(p, n, HERE);
}

#define READ_MODIFY_WRITE(bits, name, builtin)                        \
	uint##bits##_t __tsan_atomic##bits##_##name(                  \
	    volatile uint##bits##_t *p, uint##bits##_t v, int order); \
	uint##bits##_t __tsan_atomic##bits##_##name(                  \
	    volatile uint##bits##_t *p, uint##bits##_t v, int order)  \
	{                                                             \
		(void)order;                                          \
		note(p, sizeof(*p), HERE);                            \
		return builtin(p, v, __ATOMIC_SEQ_CST);               \
	}

#define COMPARE_EXCHANGE(bits, name)                                        \
	int __tsan_atomic##bits##_##name(volatile uint##bits##_t *p,        \
	    uint##bits##_t *seen, uint##bits##_t v, int yes, int no);       \
	int __tsan_atomic##bits##_##name(volatile uint##bits##_t *p,        \
	    uint##bits##_t *seen, uint##bits##_t v, int yes, int no)        \
	{                                                                   \
		(void)yes;                                                  \
		(void)no;                                                   \
		note(p, sizeof(*p), HERE);                                  \
		return __atomic_compare_exchange_n(                         \
		    p, seen, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
	}

#define ATOMICS(bits)                                                 \
	uint##bits##_t __tsan_atomic##bits##_load(                    \
	    const volatile uint##bits##_t *p, int order);             \
	uint##bits##_t __tsan_atomic##bits##_load(                    \
	    const volatile uint##bits##_t *p, int order)              \
	{                                                             \
		(void)order;                                          \
		return __atomic_load_n(p, __ATOMIC_SEQ_CST);          \
	}                                                             \
	void __tsan_atomic##bits##_store(                             \
	    volatile uint##bits##_t *p, uint##bits##_t v, int order); \
	void __tsan_atomic##bits##_store(                             \
	    volatile uint##bits##_t *p, uint##bits##_t v, int order)  \
	{                                                             \
		(void)order;                                          \
		note(p, sizeof(*p), HERE);                            \
		__atomic_store_n(p, v, __ATOMIC_SEQ_CST);             \
	}                                                             \
	READ_MODIFY_WRITE(bits, exchange, __atomic_exchange_n)        \
	READ_MODIFY_WRITE(bits, fetch_add, __atomic_fetch_add)        \
	READ_MODIFY_WRITE(bits, fetch_sub, __atomic_fetch_sub)        \
	READ_MODIFY_WRITE(bits, fetch_and, __atomic_fetch_and)        \
	READ_MODIFY_WRITE(bits, fetch_or, __atomic_fetch_or)          \
	READ_MODIFY_WRITE(bits, fetch_xor, __atomic_fetch_xor)        \
	COMPARE_EXCHANGE(bits, compare_exchange_strong)               \
	COMPARE_EXCHANGE(bits, compare_exchange_weak)

ATOMICS(8)
ATOMICS(16)
ATOMICS(32)
ATOMICS(64)

/* --- what it does not --------------------------------------------------------------- */

#define WRAPPED(name, args, values, to, n)   \
	void *__real_##name args;            \
	void *__wrap_##name args;            \
	void *__wrap_##name args             \
	{                                    \
		note(to, n, HERE);           \
		return __real_##name values; \
	}

WRAPPED(memcpy, (void *to, const void *from, size_t n), (to, from, n), to, n)
WRAPPED(memmove, (void *to, const void *from, size_t n), (to, from, n), to, n)
WRAPPED(memset, (void *to, int c, size_t n), (to, c, n), to, n)
WRAPPED(__memcpy_chk, (void *to, const void *from, size_t n, size_t room),
    (to, from, n, room), to, n)
WRAPPED(__memmove_chk, (void *to, const void *from, size_t n, size_t room),
    (to, from, n, room), to, n)
WRAPPED(__memset_chk, (void *to, int c, size_t n, size_t room),
    (to, c, n, room), to, n)
