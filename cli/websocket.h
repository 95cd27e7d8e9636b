/* SPDX-License-Identifier: Apache-2.0 */
/*
 * websocket: the client's side of RFC 6455, as bytes; it knows no socket. What a
 * server may not send is an error. Messages in several frames are put together.
 */
#ifndef CLI_WEBSOCKET_H
#define CLI_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	WEBSOCKET_TEXT = 1,
	WEBSOCKET_BINARY = 2,
	WEBSOCKET_CLOSE = 8,
	WEBSOCKET_PING = 9,
	WEBSOCKET_PONG = 10,
	WEBSOCKET_KEY = 25,    /* with the zero */
	WEBSOCKET_ACCEPT = 29, /* the same */
	WEBSOCKET_MAX = 1 << 20,
	WEBSOCKET_MAX_HEAD = 14,
};

/* The answer that a server has to give to that key (section 4.2.2). */
void websocket_accept(const char *key, char out[WEBSOCKET_ACCEPT]);

/* A key of random bytes. Returns 0 or negative errno. */
int websocket_key(char out[WEBSOCKET_KEY]);

/*
 * A frame with n bytes, masked; out has room for WEBSOCKET_MAX_HEAD and them.
 * Returns its length, or negative errno if there are no random bytes.
 */
ssize_t websocket_frame(int kind, const void *data, size_t n, uint8_t *out);

struct websocket_message {
	int kind;
	const uint8_t *data; /* in the buffer */
	size_t n;
	bool is_last; /* of its message */
};

/*
 * The frame at the head of data[n]. Returns how many bytes it has, 0 if it is not
 * whole yet, -EBADMSG.
 */
ssize_t websocket_read(
    const uint8_t *data, size_t n, struct websocket_message *out);

#endif
