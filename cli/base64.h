/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64: RFC 4648, section 4, as it stands in PEM and in lines of exec. White
 * space between the digits is passed over.
 */
#ifndef CLI_BASE64_H
#define CLI_BASE64_H

#include <stddef.h>
#include <stdint.h>

/*
 * The bytes of text, up to its end or a '-'. Returns how many, or -EBADMSG if
 * it is none or size is too small.
 */
int base64_decode(const char *text, uint8_t *out, size_t size);

/* out has room for 4 * ((n + 2) / 3) characters and the zero. */
void base64_encode(const uint8_t *in, size_t n, char *out);

#endif
