/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sha256: FIPS 180-4, for naming texts by what is in them; whole texts only, and
 * not meant to be fast.
 */
#ifndef EUROPA_SHA256_H
#define EUROPA_SHA256_H

#include <stddef.h>

enum { SHA256_HEX = 65 /* with its zero byte */ };

/* The digest of n bytes in lower-case hexadecimal. Context: any thread. */
void sha256_hex(const void *data, size_t n, char out[SHA256_HEX]);

#endif
