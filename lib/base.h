/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base: the few words every other file uses. Clean-up declarations, ownership
 * verbs, checked arithmetic, byte-order loads and stores.
 *
 * It includes nothing of Europa and is the only header with statement
 * expressions.
 */
#ifndef EUROPA_BASE_H
#define EUROPA_BASE_H

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#define MIN(a, b)                              \
	({                                     \
		typeof(a) min_a = (a);         \
		typeof(b) min_b = (b);         \
		min_a < min_b ? min_a : min_b; \
	})
#define MAX(a, b)                              \
	({                                     \
		typeof(a) max_a = (a);         \
		typeof(b) max_b = (b);         \
		max_a > max_b ? max_a : max_b; \
	})

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/*
 * Brings the line at p here to be written. Compilers that may not assume the
 * instruction bring it to be read only, and the store pays for the way again;
 * where it is not known it does nothing.
 */
static inline void
prefetch_write(const void *p)
{
#ifdef __x86_64__
	__asm__ volatile("prefetchw %0" : : "m"(*(const char *)p));
#else
	__builtin_prefetch(p, 1);
#endif
}

/* Declaration words: the variable releases what it holds at end of scope. */
#define scoped_free __attribute__((cleanup(base_free_ptr)))
#define scoped_close __attribute__((cleanup(base_close_fd)))

/* The value moves to the caller; the variable no longer owns it. */
#define steal_ptr(p)                    \
	({                              \
		typeof(p) stolen = (p); \
		(p) = NULL;             \
		stolen;                 \
	})
#define steal_fd(fd)               \
	({                         \
		int stolen = (fd); \
		(fd) = -1;         \
		stolen;            \
	})

static inline void
base_free_ptr(void *p)
{
	free(*(void **)p);
}

/* Close functions take -1 and keep errno. */
static inline void
base_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
}

static inline void
base_close_fd(int *fd)
{
	base_close(*fd);
}

/* Returns true and stores a * b, or false if the product does not fit. */
static inline bool
checked_mul(size_t a, size_t b, size_t *out)
{
	return !__builtin_mul_overflow(a, b, out);
}

static inline bool
checked_add(size_t a, size_t b, size_t *out)
{
	return !__builtin_add_overflow(a, b, out);
}

static inline uint16_t
load_be16(const void *p)
{
	const uint8_t *b = p;

	return (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint32_t
load_be32(const void *p)
{
	const uint8_t *b = p;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	       (uint32_t)b[2] << 8 | b[3];
}

static inline void
store_be16(void *p, uint16_t v)
{
	uint8_t *b = p;

	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

static inline void
store_be32(void *p, uint32_t v)
{
	store_be16(p, (uint16_t)(v >> 16));
	store_be16((uint8_t *)p + 2, (uint16_t)v);
}

#endif
