/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routerconf: a line is split into words, the first word chooses the function
 * that reads the others. A configuration without its last line `end` has not
 * been written completely and is refused.
 */
#include "router/routerconf_internal.h"

#include "lib/base.h"

#include <limits.h>
#include <stdarg.h>

enum { MAX_LINE = 512 };

int
routerconf_fail(const struct parser *p, const char *fmt, ...)
{
	char why[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return err_set(p->e, -EINVAL, "%s:%u: %s", p->name, p->line, why);
}

uint8_t
routerconf_find_vnic(const struct parser *p, const char *name)
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
	    !routerconf_uint(p->word[1], UINT64_MAX, &p->out->generation))
		return routerconf_fail(p, "expected: generation NUMBER");
	return 0;
}

static int
read_hostname(struct parser *p)
{
	if (p->n != 2 || strlen(p->word[1]) >= sizeof(p->out->hostname))
		return routerconf_fail(p, "expected: hostname NAME");
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
		return routerconf_fail(
		    p, "expected: vnic INDEX NAME mac MAC mtu MTU");
	if (!routerconf_uint(p->word[1], VNIC_MAX_VNICS - 1, &index))
		return routerconf_fail(p, "no index of a vNIC: %s", p->word[1]);
	v = &p->out->vnic[index];
	if (v->present ||
	    routerconf_find_vnic(p, p->word[2]) != ROUTERCONF_LOST_DEV)
		return routerconf_fail(p, "vNIC given twice: %s", p->word[2]);
	if (strlen(p->word[2]) >= sizeof(v->name))
		return routerconf_fail(p, "name too long: %s", p->word[2]);
	if (!routerconf_mac(p->word[4], v->mac))
		return routerconf_fail(p, "no unicast MAC: %s", p->word[4]);
	if (!routerconf_uint(p->word[6], 65535, &mtu) || mtu < 68)
		return routerconf_fail(p, "no MTU: %s", p->word[6]);
	strcpy(v->name, p->word[2]);
	v->mtu = (uint32_t)mtu;
	v->present = true;
	return 0;
}

static int
add_address6(
    struct parser *p, struct routerconf_vnic *v, const struct prefix *a)
{
	if (!ip6_is_host(a->ip6))
		return routerconf_fail(
		    p, "no address of a host: %s", p->word[2]);
	if (v->n_addresses6 == ROUTERCONF_MAX_ADDRESSES)
		return routerconf_fail(p, "too many addresses: %s", v->name);
	v->address6[v->n_addresses6++] = (struct address6){ a->ip6, a->len };
	return 0;
}

/* address NAME PREFIX */
static int
read_address(struct parser *p)
{
	struct routerconf_vnic *v;
	enum prefix_family family;
	struct prefix a;
	uint8_t i;

	if (p->n != 3)
		return routerconf_fail(
		    p, "expected: address NAME ADDRESS/LENGTH");
	i = routerconf_find_vnic(p, p->word[1]);
	if (i == ROUTERCONF_LOST_DEV)
		return routerconf_fail(p, "no such vNIC: %s", p->word[1]);
	v = &p->out->vnic[i];
	family = routerconf_prefix(p->word[2], &a);
	if (family == PREFIX_6)
		return add_address6(p, v, &a);
	if (family == PREFIX_BAD || a.ip >> 24 == 0 || a.ip >> 24 == 127 ||
	    a.ip >> 24 >= 224)
		return routerconf_fail(
		    p, "no address of a host: %s", p->word[2]);
	if (v->n_addresses == ROUTERCONF_MAX_ADDRESSES)
		return routerconf_fail(p, "too many addresses: %s", v->name);
	v->address[v->n_addresses++] = (struct address4){ a.ip, a.len };
	return 0;
}

/* Room for one more of n things of size bytes at *list. */
static int
grow(const struct parser *p, void **list, size_t n, size_t *max, size_t size)
{
	size_t wanted = *max ? *max * 2 : 16;
	void *more;

	if (n < *max)
		return 0;
	more = reallocarray(*list, wanted, size);
	if (!more)
		return err_set(p->e, -ENOMEM, "%s: out of memory", p->name);
	*list = more;
	*max = wanted;
	return 0;
}

/* What follows a route's prefix: [via ADDRESS] [dev NAME]. */
struct way {
	bool has_via;
	uint32_t via;
	struct ip6 via6;
	uint8_t dev;
};

static int
read_way(const struct parser *p, enum prefix_family family, struct way *w)
{
	unsigned i = 2;

	*w = (struct way){ .dev = ROUTERCONF_NO_DEV };
	if (strcmp(p->word[i], "via") == 0) {
		w->has_via = true;
		if (family == PREFIX_4
			? !routerconf_ip4(p->word[i + 1], &w->via) ||
			      w->via == 0
			: !routerconf_ip6(p->word[i + 1], &w->via6) ||
			      !ip6_is_host(w->via6))
			return routerconf_fail(
			    p, "no address: %s", p->word[i + 1]);
		i += 2;
	}
	if (i < p->n && strcmp(p->word[i], "dev") == 0) {
		w->dev = routerconf_find_vnic(p, p->word[i + 1]);
		i += 2;
	}
	if (i != p->n || (!w->has_via && w->dev == ROUTERCONF_NO_DEV))
		return routerconf_fail(
		    p, "expected: route PREFIX [via ADDRESS] [dev NAME]");
	return 0;
}

static int
add_route(struct parser *p, const struct prefix *to, const struct way *w)
{
	struct routerconf *c = p->out;
	void *list = c->route;
	int rc = grow(p, &list, c->n_routes, &c->max_routes, sizeof(*c->route));

	c->route = list;
	if (rc == 0)
		c->route[c->n_routes++] = (struct routerconf_route){
			.prefix = to->ip,
			.via = w->via,
			.len = to->len,
			.dev = w->dev,
		};
	return rc;
}

static int
add_route6(struct parser *p, const struct prefix *to, const struct way *w)
{
	struct routerconf *c = p->out;
	void *list = c->route6;
	int rc =
	    grow(p, &list, c->n_routes6, &c->max_routes6, sizeof(*c->route6));

	c->route6 = list;
	if (rc == 0)
		c->route6[c->n_routes6++] = (struct routerconf_route6){
			.prefix = to->ip6,
			.via = w->via6,
			.len = to->len,
			.dev = w->dev,
		};
	return rc;
}

static bool
has_host_bits(enum prefix_family family, const struct prefix *a)
{
	if (family == PREFIX_4)
		return a->len < 32 && a->ip & UINT32_MAX >> a->len;
	return !ip6_is_equal(a->ip6, ip6_prefix(a->ip6, a->len));
}

/* route PREFIX [via ADDRESS] [dev NAME] */
static int
read_route(struct parser *p)
{
	enum prefix_family family;
	struct prefix to;
	struct way w;
	int rc;

	if (p->n != 4 && p->n != 6)
		return routerconf_fail(
		    p, "expected: route PREFIX [via ADDRESS] [dev NAME]");
	family = routerconf_prefix(p->word[1], &to);
	if (family == PREFIX_BAD)
		return routerconf_fail(p, "no prefix: %s", p->word[1]);
	if (has_host_bits(family, &to))
		return routerconf_fail(
		    p, "bits set behind the prefix: %s", p->word[1]);
	rc = read_way(p, family, &w);
	if (rc < 0)
		return rc;
	return family == PREFIX_4 ? add_route(p, &to, &w)
				  : add_route6(p, &to, &w);
}

/* What it says is read when the process starts: routerconf_fast_paths(). */
static int
read_fast_paths(struct parser *p)
{
	uint64_t n;

	if (p->n != 2 ||
	    !routerconf_uint(p->word[1], VNIC_MAX_QUEUES - 1, &n) || n == 0)
		return routerconf_fail(p,
		    "expected: fast-paths NUMBER, 1 to %d",
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
		return routerconf_fail(p, "expected: pipeline lua, c or /PATH");
	strcpy(p->out->pipeline, p->word[1]);
	return 0;
}

/* twins on | off */
static int
read_twins(struct parser *p)
{
	bool on = p->n == 2 && strcmp(p->word[1], "on") == 0;

	if (!on && (p->n != 2 || strcmp(p->word[1], "off") != 0))
		return routerconf_fail(p, "expected: twins on or off");
	p->out->twins = on ? ROUTERCONF_ON : ROUTERCONF_OFF;
	return 0;
}

static int
read_end(struct parser *p)
{
	if (p->n != 1)
		return routerconf_fail(p, "expected: end");
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
	{ "twins", read_twins },
	{ "vnic", read_vnic },
	{ "address", read_address },
	{ "route", read_route },
	{ "filter", routerconf_read_filter },
	{ "distribute", routerconf_read_distribute },
	{ "lookup", routerconf_read_lookup },
	{ "end", read_end },
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Cuts the line into words and counts those above ROUTERCONF_MAX_WORDS too. */
static void
split(struct parser *p, char *line)
{
	p->n = 0;
	for (char *at = line; *at;) {
		if (is_blank(*at)) {
			*at++ = '\0';
			continue;
		}
		if (p->n < ROUTERCONF_MAX_WORDS)
			p->word[p->n] = at;
		p->n++;
		while (*at && !is_blank(*at))
			at++;
	}
}

/* May it be in the owner's file? */
static bool
is_rule(int (*read)(struct parser *))
{
	return read == routerconf_read_filter ||
	       read == routerconf_read_distribute ||
	       read == routerconf_read_lookup || read == read_end;
}

static int
read_line(struct parser *p, char *line)
{
	split(p, line);
	if (p->n == 0 || p->word[0][0] == '#')
		return 0;
	if (p->ended)
		return routerconf_fail(p, "more statements after `end`");
	for (size_t i = 0; i < ARRAY_SIZE(statements); i++)
		if (statements[i].word[0] == p->word[0][0] &&
		    strcmp(statements[i].word, p->word[0]) == 0)
			return p->rules_only && !is_rule(statements[i].read)
				   ? routerconf_fail(p, "this may not be here")
				   : statements[i].read(p);
	return 0; /* unknown: for others, or of the future */
}

static int
parse_all(struct parser *p, FILE *in)
{
	char line[MAX_LINE];
	int rc = 0;

	while (rc == 0 && fgets(line, sizeof(line), in)) {
		size_t n = strlen(line);

		p->line++;
		if (n > 0 && line[n - 1] == '\n')
			line[n - 1] = '\0';
		else if (!feof(in))
			rc = routerconf_fail(
			    p, "line too long, or a zero byte in it");
		if (rc == 0)
			rc = read_line(p, line);
	}
	if (rc == 0 && ferror(in))
		rc = err_set(p->e, -EIO, "%s: cannot be read", p->name);
	if (rc == 0 && !p->ended)
		rc = routerconf_fail(p, "not complete: no line `end`");
	return rc;
}

int
routerconf_parse(
    FILE *in, const char *name, struct routerconf *out, struct err *e)
{
	struct routerconf c = { 0 };
	struct parser p = { .name = name, .out = &c, .e = e };
	int rc = parse_all(&p, in);

	if (rc < 0)
		routerconf_clear(&c);
	else
		*out = c;
	return rc;
}

/* The owner's rules, beside the file at path; none is no mistake. */
static int
read_rules(const char *path, struct routerconf *c, struct err *e)
{
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash - path) + 1 : 0;
	char name[PATH_MAX];
	struct parser p = { .name = name, .rules_only = true, .e = e };
	FILE *in;
	int rc;

	p.out = c;
	if (snprintf(name, sizeof(name), "%.*s%s", folder, path,
		ROUTERCONF_RULES) >= (int)sizeof(name))
		return err_set(e, -ENAMETOOLONG, "%s: too long", path);
	in = fopen(name, "re");
	if (!in)
		return errno == ENOENT ? 0
				       : err_set(e, -errno, "%s: %s", name,
					     strerror(errno));
	rc = parse_all(&p, in);
	fclose(in);
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
	if (rc == 0 && out->twins == ROUTERCONF_NOT_SAID)
		out->twins = access(ROUTERCONF_TWINS, F_OK) == 0
				 ? ROUTERCONF_ON
				 : ROUTERCONF_OFF;
	if (rc == 0) {
		rc = read_rules(path, out, e);
		if (rc < 0)
			routerconf_clear(out);
	}
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
	free(c->route6);
	c->route = NULL;
	c->route6 = NULL;
	c->n_routes = c->max_routes = 0;
	c->n_routes6 = c->max_routes6 = 0;
}
