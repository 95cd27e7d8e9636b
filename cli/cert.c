/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cert: see cert.h. Of DER only as much is read as leads to the public key, the
 * seventh field of a TBSCertificate (RFC 5280, section 4.1), the sixth if the
 * version is left out. Lengths are checked against what is there.
 */
#include "cli/cert.h"

#include "cli/base64.h"
#include "lib/base.h"
#include "lib/sha256.h"

#include <ctype.h>

enum { MAX_DER = 16384, DER_SEQUENCE = 0x30, DER_VERSION = 0xa0 };

struct der {
	const uint8_t *at;
	size_t n;
};

/* The next element of d: its tag, the whole of it, what is inside. */
static bool
der_next(struct der *d, uint8_t *tag, struct der *whole, struct der *inside)
{
	size_t head = 2, n;

	if (d->n < 2)
		return false;
	n = d->at[1];
	if (n > 0x80) {
		unsigned n_length = d->at[1] & 0x7f;

		if (n_length > 3 || d->n < 2U + n_length)
			return false;
		n = 0;
		for (unsigned i = 0; i < n_length; i++)
			n = n << 8 | d->at[2 + i];
		head += n_length;
	}
	if (d->n - head < n)
		return false;
	*tag = d->at[0];
	*whole = (struct der){ d->at, head + n };
	*inside = (struct der){ d->at + head, n };
	d->at += head + n;
	d->n -= head + n;
	return true;
}

/* serial, signature, issuer, validity and subject stand before the key */
static int
find_key(struct der der, struct der *out)
{
	struct der whole, tbs, rest;
	uint8_t tag;

	if (!der_next(&der, &tag, &whole, &rest) || tag != DER_SEQUENCE ||
	    !der_next(&rest, &tag, &whole, &tbs) || tag != DER_SEQUENCE)
		return -EBADMSG;
	if (tbs.n > 0 && tbs.at[0] == DER_VERSION &&
	    !der_next(&tbs, &tag, &whole, &rest))
		return -EBADMSG;
	for (unsigned i = 0; i < 5; i++)
		if (!der_next(&tbs, &tag, &whole, &rest))
			return -EBADMSG;
	if (!der_next(&tbs, &tag, &whole, &rest) || tag != DER_SEQUENCE)
		return -EBADMSG;
	*out = whole;
	return 0;
}

int
cert_read(const char *pem, struct cert_names *out)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----";
	const char *text = strstr(pem, begin);
	char hex[SHA256_HEX], digits[3] = "";
	struct cert_names names;
	uint8_t der[MAX_DER], digest[32];
	struct der key;
	int n;

	if (!text)
		return -EBADMSG;
	n = base64_decode(text + sizeof(begin) - 1, der, sizeof(der));
	if (n < 0 || find_key((struct der){ der, (size_t)n }, &key) < 0)
		return -EBADMSG;
	sha256_hex(der, (size_t)n, names.fingerprint);
	sha256_hex(key.at, key.n, hex);
	for (size_t i = 0; i < sizeof(digest); i++) {
		memcpy(digits, hex + 2 * i, 2);
		digest[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	memcpy(names.pin, "sha256//", 8);
	base64_encode(digest, sizeof(digest), names.pin + 8);
	*out = names;
	return 0;
}

int
cert_parse_fingerprint(const char *text, char out[CERT_HEX])
{
	char hex[CERT_HEX];
	size_t n = 0;

	if (strncasecmp(text, "sha256:", 7) == 0)
		text += 7;
	for (; *text; text++) {
		if (*text == ':')
			continue;
		if (!isxdigit((unsigned char)*text) || n + 1 == sizeof(hex))
			return -EINVAL;
		hex[n++] = (char)tolower((unsigned char)*text);
	}
	if (n + 1 != sizeof(hex))
		return -EINVAL;
	hex[n] = '\0';
	memcpy(out, hex, sizeof(hex));
	return 0;
}
