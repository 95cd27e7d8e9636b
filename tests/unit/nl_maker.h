/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nl_maker: messages of the kernel's netlink, made for tests, one behind the
 * other in a buffer.
 */
#ifndef TESTS_NL_MAKER_H
#define TESTS_NL_MAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nl_buf {
	size_t n;
	size_t message;   /* where the last one begins */
	size_t attribute; /* where the last one begins */
	_Alignas(8) uint8_t b[8192];
};

/* Begins a message with a fixed part of n bytes. */
void nl_begin(struct nl_buf *m, unsigned type, unsigned flags,
    uint32_t sequence, const void *body, size_t n);
void nl_put(struct nl_buf *m, unsigned type, const void *data, size_t n);
void nl_put_u32(struct nl_buf *m, unsigned type, uint32_t v);
/* An address of either family, as text. */
void nl_put_ip(struct nl_buf *m, unsigned type, const char *ip);

struct nl_route_spec {
	bool is_gone;
	const char *prefix; /* NULL = the default route */
	unsigned len;
	const char *via; /* NULL = none */
	uint32_t link;   /* 0 = none */
	uint32_t metric;
	unsigned type;  /* 0 = unicast */
	unsigned table; /* 0 = main */
	unsigned flags; /* of the message */
	uint32_t sequence;
	bool is6;
};
void nl_route(struct nl_buf *m, const struct nl_route_spec *s);
void nl_link(struct nl_buf *m, bool is_gone, uint32_t index, const char *name,
    bool is_up, uint32_t sequence);
void nl_neighbour(struct nl_buf *m, bool is_gone, uint32_t link, const char *ip,
    const char *mac, unsigned state);
void nl_done(struct nl_buf *m, uint32_t sequence, int error);

#endif
