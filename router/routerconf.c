/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routerconf: a line is split into words, the first word chooses the function
 * that reads the others. A configuration without its last line `end` has not
 * been written completely and is refused.
 */
#include "router/routerconf.h"

#include "lib/base.h"

#include <arpa/inet.h>
#include <stdarg.h>

enum { MAX_WORDS = 8, MAX_LINE = 512 };

struct parser {
	const char *name;
	unsigned line;
	bool ended;
	unsigned n; /* words of this line */
	char *word[MAX_WORDS];
	struct routerconf *out;
	struct err *e;
};

static int __attribute__((format(printf, 2, 3)))
fail(const struct parser *p, const char *fmt, ...)
{
	char why[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return err_set(p->e, -EINVAL, "%s:%u: %s", p->name, p->line, why);
}

static bool
parse_uint(const char *s, uint64_t max, uint64_t *out)
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
static bool
parse_ip4(const char *s, uint32_t *out)
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

static uint32_t
mask_of(unsigned len)
{
	return len == 0 ? 0 : UINT32_MAX << (32 - len);
}

enum prefix_kind { PREFIX_BAD, PREFIX_4, PREFIX_6 };

/* "192.0.2.0/24"; of an IPv6 prefix only the syntax is judged. */
static enum prefix_kind
parse_prefix(const char *s, struct address4 *out)
{
	const char *slash = strchr(s, '/');
	char ip[INET6_ADDRSTRLEN];
	struct in6_addr a6;
	uint64_t len;

	if (!slash || (size_t)(slash - s) >= sizeof(ip))
		return PREFIX_BAD;
	memcpy(ip, s, (size_t)(slash - s));
	ip[slash - s] = '\0';
	if (strchr(ip, ':'))
		return inet_pton(AF_INET6, ip, &a6) == 1 &&
			       parse_uint(slash + 1, 128, &len)
			   ? PREFIX_6
			   : PREFIX_BAD;
	if (!parse_ip4(ip, &out->ip) || !parse_uint(slash + 1, 32, &len))
		return PREFIX_BAD;
	out->len = (uint8_t)len;
	return PREFIX_4;
}

static bool
parse_mac(const char *s, uint8_t *out)
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

/* The index of the vNIC of that name, or ROUTERCONF_LOST_DEV. */
static uint8_t
find_vnic(const struct parser *p, const char *name)
{
	for (uint8_t i = 0; i < VNIC_MAX_VNICS; i++)
		if (p->out->vnic[i].present &&
		    strcmp(p->out->vnic[i].name, name) == 0)
			return i;
	return ROUTERCONF_LOST_DEV;
}

static int
read_generation(struct parser *p)
{
	if (p->n != 2 ||
	    !parse_uint(p->word[1], UINT64_MAX, &p->out->generation))
		return fail(p, "expected: generation NUMBER");
	return 0;
}

static int
read_hostname(struct parser *p)
{
	if (p->n != 2 || strlen(p->word[1]) >= sizeof(p->out->hostname))
		return fail(p, "expected: hostname NAME");
	strcpy(p->out->hostname, p->word[1]);
	return 0;
}

/* vnic INDEX NAME mac MAC mtu MTU */
static int
read_vnic(struct parser *p)
{
	struct routerconf_vnic *v;
	uint64_t index, mtu;

	if (p->n != 7 || strcmp(p->word[3], "mac") != 0 ||
	    strcmp(p->word[5], "mtu") != 0)
		return fail(p, "expected: vnic INDEX NAME mac MAC mtu MTU");
	if (!parse_uint(p->word[1], VNIC_MAX_VNICS - 1, &index))
		return fail(p, "no index of a vNIC: %s", p->word[1]);
	v = &p->out->vnic[index];
	if (v->present || find_vnic(p, p->word[2]) != ROUTERCONF_LOST_DEV)
		return fail(p, "vNIC given twice: %s", p->word[2]);
	if (strlen(p->word[2]) >= sizeof(v->name))
		return fail(p, "name too long: %s", p->word[2]);
	if (!parse_mac(p->word[4], v->mac))
		return fail(p, "no unicast MAC: %s", p->word[4]);
	if (!parse_uint(p->word[6], 65535, &mtu) || mtu < 68)
		return fail(p, "no MTU: %s", p->word[6]);
	strcpy(v->name, p->word[2]);
	v->mtu = (uint32_t)mtu;
	v->present = true;
	return 0;
}

/* address NAME PREFIX */
static int
read_address(struct parser *p)
{
	struct routerconf_vnic *v;
	struct address4 a = { 0 };
	enum prefix_kind kind;
	uint8_t i;

	if (p->n != 3)
		return fail(p, "expected: address NAME ADDRESS/LENGTH");
	i = find_vnic(p, p->word[1]);
	if (i == ROUTERCONF_LOST_DEV)
		return fail(p, "no such vNIC: %s", p->word[1]);
	v = &p->out->vnic[i];
	kind = parse_prefix(p->word[2], &a);
	if (kind == PREFIX_6)
		return 0;
	if (kind == PREFIX_BAD || a.ip >> 24 == 0 || a.ip >> 24 == 127 ||
	    a.ip >> 24 >= 224)
		return fail(p, "no address of a host: %s", p->word[2]);
	if (v->n_addresses == ROUTERCONF_MAX_ADDRESSES)
		return fail(p, "too many addresses: %s", v->name);
	v->address[v->n_addresses++] = a;
	return 0;
}

static int
add_route(struct parser *p, const struct routerconf_route *r)
{
	struct routerconf *c = p->out;

	if (c->n_routes == c->max_routes) {
		size_t n = c->max_routes ? c->max_routes * 2 : 16;
		void *more = reallocarray(c->route, n, sizeof(*r));

		if (!more)
			return err_set(
			    p->e, -ENOMEM, "%s: out of memory", p->name);
		c->route = more;
		c->max_routes = n;
	}
	c->route[c->n_routes++] = *r;
	return 0;
}

/* route PREFIX [via ADDRESS] [dev NAME] */
static int
read_route(struct parser *p)
{
	struct routerconf_route r = { .dev = ROUTERCONF_NO_DEV };
	struct address4 a = { 0 };
	struct in6_addr via6;
	bool has_via = false;
	enum prefix_kind kind;
	unsigned i = 2;

	if (p->n != 4 && p->n != 6)
		return fail(
		    p, "expected: route PREFIX [via ADDRESS] [dev NAME]");
	kind = parse_prefix(p->word[1], &a);
	if (kind == PREFIX_BAD)
		return fail(p, "no prefix: %s", p->word[1]);
	if (a.ip & ~mask_of(a.len))
		return fail(p, "bits set behind the prefix: %s", p->word[1]);
	if (strcmp(p->word[i], "via") == 0) {
		has_via = true;
		if (kind == PREFIX_4
			? !parse_ip4(p->word[i + 1], &r.via) || r.via == 0
			: inet_pton(AF_INET6, p->word[i + 1], &via6) != 1)
			return fail(p, "no address: %s", p->word[i + 1]);
		i += 2;
	}
	if (i < p->n && strcmp(p->word[i], "dev") == 0) {
		r.dev = find_vnic(p, p->word[i + 1]);
		i += 2;
	}
	if (i != p->n || (!has_via && r.dev == ROUTERCONF_NO_DEV))
		return fail(
		    p, "expected: route PREFIX [via ADDRESS] [dev NAME]");
	r.prefix = a.ip;
	r.len = a.len;
	return kind == PREFIX_6 ? 0 : add_route(p, &r);
}

/* What it says is read when the process starts: routerconf_fast_paths(). */
static int
read_fast_paths(struct parser *p)
{
	uint64_t n;

	if (p->n != 2 || !parse_uint(p->word[1], VNIC_MAX_QUEUES - 1, &n) ||
	    n == 0)
		return fail(p, "expected: fast-paths NUMBER, 1 to %d",
		    VNIC_MAX_QUEUES - 1);
	return 0;
}

/* pipeline lua | c | /PATH */
static int
read_pipeline(struct parser *p)
{
	if (p->n != 2 || strlen(p->word[1]) >= sizeof(p->out->pipeline) ||
	    (p->word[1][0] != '/' && strcmp(p->word[1], "lua") != 0 &&
		strcmp(p->word[1], "c") != 0))
		return fail(p, "expected: pipeline lua, c or /PATH");
	strcpy(p->out->pipeline, p->word[1]);
	return 0;
}

static int
read_end(struct parser *p)
{
	if (p->n != 1)
		return fail(p, "expected: end");
	p->ended = true;
	return 0;
}

static const struct {
	const char *word;
	int (*read)(struct parser *p);
} statements[] = {
	{ "generation", read_generation },
	{ "hostname", read_hostname },
	{ "fast-paths", read_fast_paths },
	{ "pipeline", read_pipeline },
	{ "vnic", read_vnic },
	{ "address", read_address },
	{ "route", read_route },
	{ "end", read_end },
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Cuts the line into words and counts those above MAX_WORDS too. */
static void
split(struct parser *p, char *line)
{
	p->n = 0;
	for (char *at = line; *at;) {
		if (is_blank(*at)) {
			*at++ = '\0';
			continue;
		}
		if (p->n < MAX_WORDS)
			p->word[p->n] = at;
		p->n++;
		while (*at && !is_blank(*at))
			at++;
	}
}

static int
read_line(struct parser *p, char *line)
{
	split(p, line);
	if (p->n == 0 || p->word[0][0] == '#')
		return 0;
	if (p->ended)
		return fail(p, "more statements after `end`");
	for (size_t i = 0; i < ARRAY_SIZE(statements); i++)
		if (statements[i].word[0] == p->word[0][0] &&
		    strcmp(statements[i].word, p->word[0]) == 0)
			return statements[i].read(p);
	return 0; /* unknown: for others, or of the future */
}

int
routerconf_parse(
    FILE *in, const char *name, struct routerconf *out, struct err *e)
{
	struct routerconf c = { 0 };
	struct parser p = { .name = name, .out = &c, .e = e };
	char line[MAX_LINE];
	int rc = 0;

	while (rc == 0 && fgets(line, sizeof(line), in)) {
		size_t n = strlen(line);

		p.line++;
		if (n > 0 && line[n - 1] == '\n')
			line[n - 1] = '\0';
		else if (!feof(in))
			rc = fail(&p, "line too long, or a zero byte in it");
		if (rc == 0)
			rc = read_line(&p, line);
	}
	if (rc == 0 && ferror(in))
		rc = err_set(e, -EIO, "%s: cannot be read", name);
	if (rc == 0 && !p.ended)
		rc = fail(&p, "not complete: no line `end`");
	if (rc < 0)
		routerconf_clear(&c);
	else
		*out = c;
	return rc;
}

int
routerconf_read(const char *path, struct routerconf *out, struct err *e)
{
	FILE *in = fopen(path, "re");
	int rc;

	if (!in)
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	rc = routerconf_parse(in, path, out, e);
	fclose(in);
	return rc;
}

/* What follows key at the beginning of a line before the first vNIC. */
static bool
peek(const char *path, const char *key, char *value, size_t size)
{
	FILE *in = fopen(path, "re");
	size_t n = strlen(key);
	char line[MAX_LINE];
	bool found = false;

	if (!in)
		return false;
	while (!found && fgets(line, sizeof(line), in) &&
	       strncmp(line, "vnic ", 5) != 0)
		found = strncmp(line, key, n) == 0;
	fclose(in);
	if (found)
		snprintf(value, size, "%.*s", (int)strcspn(line + n, " \t\n"),
		    line + n);
	return found;
}

unsigned
routerconf_fast_paths(const char *path)
{
	char value[8];

	return peek(path, "fast-paths ", value, sizeof(value))
		   ? (unsigned)strtoul(value, NULL, 10)
		   : 0;
}

bool
routerconf_pipeline(const char *path, char out[ROUTERCONF_MAX_PIPELINE])
{
	return peek(path, "pipeline ", out, ROUTERCONF_MAX_PIPELINE) &&
	       (out[0] == '/' || strcmp(out, "lua") == 0 ||
		   strcmp(out, "c") == 0);
}

void
routerconf_clear(struct routerconf *c)
{
	free(c->route);
	c->route = NULL;
	c->n_routes = c->max_routes = 0;
}
