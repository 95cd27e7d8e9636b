/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cert: names a certificate. The fingerprint is SHA-256 of the whole, as node and
 * browsers show it; the pin is SHA-256 of its public key, as curl's
 * --pinnedpubkey wants it. Nothing is verified here.
 */
#ifndef CLI_CERT_H
#define CLI_CERT_H

#include <stdbool.h>
#include <stddef.h>

enum {
	CERT_HEX = 65, /* with its zero byte */
	CERT_PIN = 53, /* "sha256//" and base64, with its zero byte */
};

struct cert_names {
	char fingerprint[CERT_HEX];
	char pin[CERT_PIN];
};

/* Of the first certificate in pem. Returns 0 or -EBADMSG. */
int cert_read(const char *pem, struct cert_names *out);

/*
 * The digits of a fingerprint as people write it: sha256: in front or not,
 * colons or none, either case. Returns 0 or -EINVAL.
 */
int cert_parse_fingerprint(const char *text, char out[CERT_HEX]);

#endif
