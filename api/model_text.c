/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_text: names, addresses, prefixes, MACs and power states as text.
 *
 * Parsers accept one spelling family and nothing around it: no blanks, no
 * leading zeros in lengths, no zone in an IPv6 address.
 */
#include "api/model_int.h"

#include "lib/base.h"

#include <arpa/inet.h>
#include <stdio.h>

static bool
name_is_valid(const char *s, size_t max)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

	if (n == 0 || n > max || s[n] != '\0')
		return false;
	return s[0] >= 'a' && s[0] <= 'z' && s[n - 1] != '-';
}

bool
model_name_is_valid(const char *s)
{
	return name_is_valid(s, MODEL_NAME_BYTES - 1);
}

bool
model_vnic_name_is_valid(const char *s)
{
	return name_is_valid(s, MODEL_VNIC_NAME_BYTES - 1);
}

static unsigned
bits_of(uint8_t family)
{
	return family == 4 ? 32 : 128;
}

int
model_address_parse(const char *s, struct model_prefix *out, const char **why)
{
	struct model_prefix p = { 0 };

	if (inet_pton(AF_INET, s, p.bytes) == 1)
		p.family = 4;
	else if (inet_pton(AF_INET6, s, p.bytes) == 1)
		p.family = 6;
	else {
		*why = strchr(s, '/') ? "must be an address without a length"
				      : "is no IPv4 or IPv6 address";
		return -EINVAL;
	}
	p.length = (uint8_t)bits_of(p.family);
	*out = p;
	return 0;
}

int
model_prefix_parse(const char *s, struct model_prefix *out, const char **why)
{
	const char *slash = strchr(s, '/');
	char address[INET6_ADDRSTRLEN];
	struct model_prefix p;
	unsigned length = 0;
	const char *d;

	if (!slash) {
		*why = "has no length; write it as in 198.18.0.1/24";
		return -EINVAL;
	}
	*why = "is no IPv4 or IPv6 address with a length";
	if ((size_t)(slash - s) >= sizeof(address))
		return -EINVAL;
	memcpy(address, s, (size_t)(slash - s));
	address[slash - s] = '\0';
	if (model_address_parse(address, &p, &d) < 0)
		return -EINVAL;
	for (d = slash + 1; *d >= '0' && *d <= '9' && length < 1000; d++)
		length = length * 10 + (unsigned)(*d - '0');
	if (d == slash + 1 || *d != '\0' || (slash[1] == '0' && slash[2]))
		return -EINVAL;
	if (length > bits_of(p.family)) {
		*why = p.family == 4 ? "the length must be 0 to 32"
				     : "the length must be 0 to 128";
		return -EINVAL;
	}
	p.length = (uint8_t)length;
	*out = p;
	return 0;
}

void
model_prefix_mask(struct model_prefix *p)
{
	for (unsigned bit = p->length; bit < bits_of(p->family); bit++)
		p->bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
}

bool
model_prefix_has_host_bits(const struct model_prefix *p)
{
	struct model_prefix net = *p;

	model_prefix_mask(&net);
	return memcmp(net.bytes, p->bytes, sizeof(net.bytes)) != 0;
}

bool
model_prefix_has(
    const struct model_prefix *net, const struct model_prefix *address)
{
	struct model_prefix a = *address, n = *net;

	if (a.family != n.family)
		return false;
	a.length = n.length;
	model_prefix_mask(&a);
	model_prefix_mask(&n);
	return memcmp(a.bytes, n.bytes, sizeof(a.bytes)) == 0;
}

static const char *
flaw_v4(const struct model_prefix *p)
{
	struct model_prefix top = *p;

	if (p->bytes[0] == 0 || p->bytes[0] == 127)
		return "is no address for an interface";
	if (p->bytes[0] >= 224)
		return "is a multicast or reserved address";
	if (p->length > 30)
		return NULL;
	if (!model_prefix_has_host_bits(p))
		return "is the address of the network itself";
	for (unsigned bit = p->length; bit < 32; bit++)
		top.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	if (memcmp(top.bytes, p->bytes, 4) == 0)
		return "is the broadcast address of its network";
	return NULL;
}

const char *
model_address_flaw(const struct model_prefix *p)
{
	static const uint8_t zero[15];

	if (p->length == 0)
		return "has length 0: it would be the whole Internet";
	if (p->family == 4)
		return flaw_v4(p);
	if (p->bytes[0] == 0xff)
		return "is a multicast address";
	if (memcmp(p->bytes, zero, 15) == 0 && p->bytes[15] <= 1)
		return "is no address for an interface";
	return NULL;
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
model_mac_parse(const char *s, uint8_t out[6], const char **why)
{
	static const uint8_t zero[6];
	uint8_t mac[6];

	*why = "must be six bytes, as in 02:00:5e:10:00:01";
	for (unsigned i = 0; i < 6; i++) {
		int high = hex(s[0]), low = high < 0 ? -1 : hex(s[1]);

		if (low < 0 || s[2] != (i < 5 ? ':' : '\0'))
			return -EINVAL;
		mac[i] = (uint8_t)(high << 4 | low);
		s += 3;
	}
	*why = "is the address of a group";
	if (mac[0] & 1)
		return -EINVAL;
	*why = "is nobody's address";
	if (memcmp(mac, zero, 6) == 0)
		return -EINVAL;
	memcpy(out, mac, 6);
	return 0;
}

void
model_address_text(const struct model_prefix *p, char *buf, size_t size)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (p->family != 0)
		inet_ntop(p->family == 4 ? AF_INET : AF_INET6, p->bytes, text,
		    sizeof(text));
	snprintf(buf, size, "%s", text);
}

void
model_prefix_text(const struct model_prefix *p, char *buf, size_t size)
{
	char text[INET6_ADDRSTRLEN];

	model_address_text(p, text, sizeof(text));
	snprintf(buf, size, "%s/%u", text, p->length);
}

void
model_mac_text(const uint8_t mac[6], char *buf, size_t size)
{
	snprintf(buf, size, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
	    mac[2], mac[3], mac[4], mac[5]);
}

static const char *const powers[] = {
	[MODEL_RUNNING] = "running",
	[MODEL_STOPPED] = "stopped",
	[MODEL_PAUSED] = "paused",
};

const char *
model_power_text(enum model_power p)
{
	return powers[p];
}

int
model_power_parse(const char *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(powers); i++)
		if (strcmp(s, powers[i]) == 0)
			return (int)i;
	return -EINVAL;
}
