/* SPDX-License-Identifier: Apache-2.0 */
/*
 * websocket: the frames of RFC 6455, as a server reads and writes them; no socket
 * is known here.
 *
 * Reading is strict: every frame of a client is masked, has no reserved bit and
 * the shortest form of its length; control frames are whole and short; fragments
 * follow a beginning. Whatever else ends the connection with the code that the
 * RFC has for it. No extension is ever agreed to.
 */
#ifndef API_WEBSOCKET_H
#define API_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum websocket_limits {
	WEBSOCKET_PAYLOAD = 16 << 10, /* of a frame that is read */
	WEBSOCKET_HEAD = 14,          /* bytes before it, at most */
	WEBSOCKET_CONTROL = 125,      /* payload of a control frame */
	WEBSOCKET_ACCEPT = 29,        /* with its final zero */
};

enum websocket_opcode {
	WEBSOCKET_CONTINUED = 0,
	WEBSOCKET_TEXT = 1,
	WEBSOCKET_BINARY = 2,
	WEBSOCKET_CLOSE = 8,
	WEBSOCKET_PING = 9,
	WEBSOCKET_PONG = 10,
};

/* Why a connection ends. */
enum websocket_code {
	WEBSOCKET_NORMAL = 1000,
	WEBSOCKET_GOING = 1001,
	WEBSOCKET_BAD = 1002,
	WEBSOCKET_REFUSED = 1008,
	WEBSOCKET_TOO_LONG = 1009,
};

/* All zeros to begin with. */
struct websocket_reader {
	size_t n;
	bool in_message;               /* a fragment follows */
	enum websocket_opcode message; /* TEXT or BINARY */
	uint8_t buf[WEBSOCKET_HEAD + WEBSOCKET_PAYLOAD];
};

struct websocket_frame {
	enum websocket_opcode opcode; /* of a fragment: of its message */
	bool is_last;                 /* of its message */
	uint8_t *bytes;               /* unmasked; until websocket_drop() */
	size_t n;
	size_t total; /* bytes of the frame, for websocket_drop() */
};

/* Sec-WebSocket-Accept for a key; false: the key is none. */
bool websocket_accept(const char *key, char out[WEBSOCKET_ACCEPT]);

/* Where the next bytes go, and how many fit; then say how many came. */
size_t websocket_room(struct websocket_reader *r, uint8_t **at);
void websocket_filled(struct websocket_reader *r, size_t n);

/*
 * The first frame. Returns 1; 0 if it is not all there; or the negative of an
 * enum websocket_code: the connection is over. Each frame is got once.
 */
int websocket_next(struct websocket_reader *r, struct websocket_frame *out);
void websocket_drop(
    struct websocket_reader *r, const struct websocket_frame *f);

/* The head of a whole frame of ours with n bytes. Returns its length. */
size_t websocket_head(
    uint8_t out[WEBSOCKET_HEAD], enum websocket_opcode opcode, size_t n);

#endif
