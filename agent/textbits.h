/* SPDX-License-Identifier: Apache-2.0 */
/*
 * textbits: bytes that come in pieces, as members of JSON: text where they are
 * UTF-8, and in base64 where they are not. A character that is cut by the end of
 * a piece waits for the next one.
 */
#ifndef AGENT_TEXTBITS_H
#define AGENT_TEXTBITS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum { TEXTBITS_TAIL = 3 }; /* bytes of a character that is not whole */

struct textbits {
	size_t n;
	uint8_t tail[TEXTBITS_TAIL];
};

/*
 * {name: text} or {name_base64: ...} of what waited and these bytes. n = 0: what
 * waited, whole or not. NULL: there is nothing to say yet, or no memory.
 */
json_t *textbits_line(
    struct textbits *t, const char *name, const uint8_t *bytes, size_t n);

/* Base64 of RFC 4648; out has room for 4 * ((n + 2) / 3) + 1 bytes. */
void textbits_base64(const uint8_t *bytes, size_t n, char *out);

#endif
