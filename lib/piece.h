/* SPDX-License-Identifier: Apache-2.0 */
/*
 * piece: what europad and the init of a container say on the stream of one
 * session, that is of one process that europad has run in the container:
 *
 *	 0      1      2             4
 *	+------+------+-------------+---------
 *	| type | zero | bytes, le16 | bytes ...
 *	+------+------+-------------+---------
 *
 *	europad  ARG ... START                what is to be run, and go
 *	init     STARTED, or FAILED           errno: it could not be run, the end
 *	europad  IN ... EOF, SIZE             its input; the size of its terminal
 *	init     OUT, ERR ... EXIT            its output; status of wait(2), the end
 *
 * Whoever closes the stream ends the session, and with it the process. Both ends
 * read strictly: what comes from the container is the tenant's.
 */
#ifndef EUROPA_PIECE_H
#define EUROPA_PIECE_H

#include <stddef.h>
#include <stdint.h>

enum piece_type {
	PIECE_ARG = 1, /* a word of the command, without zeros */
	PIECE_START,
	PIECE_IN,
	PIECE_EOF,
	PIECE_SIZE, /* le16 rows, le16 columns */
	PIECE_STARTED,
	PIECE_FAILED, /* le32 errno */
	PIECE_OUT,
	PIECE_ERR,
	PIECE_EXIT, /* le32 status */
	PIECE_N_TYPES,
};

enum piece_limits {
	PIECE_HEAD = 4,
	PIECE_MAX = 8192, /* bytes of one */
	PIECE_MAX_ARGS = 64,
	PIECE_ARGS_BYTES = 32768, /* with a zero behind each */
};

struct piece {
	enum piece_type type;
	size_t n;
	const uint8_t *bytes; /* borrowed, until piece_drop() */
};

/* What has come and was not looked at yet; all zeros to begin with. */
struct piece_reader {
	size_t n;
	uint8_t buf[PIECE_HEAD + PIECE_MAX];
};

/* Where the next bytes go, and how many fit; then say how many came. */
size_t piece_room(struct piece_reader *r, uint8_t **at);
void piece_filled(struct piece_reader *r, size_t n);

/*
 * The first piece. Returns 1; 0 if it is not all there; or -EBADMSG: a type that
 * there is not, or a length that it cannot have.
 */
int piece_next(const struct piece_reader *r, struct piece *out);
void piece_drop(struct piece_reader *r);

void piece_head(uint8_t out[PIECE_HEAD], enum piece_type type, size_t n);
/* The number in a piece of four bytes, and one to be sent. */
uint32_t piece_number(const struct piece *p);
void piece_put_number(uint8_t out[4], uint32_t v);

#endif
