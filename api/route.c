/* SPDX-License-Identifier: Apache-2.0 */
/* route: the table of operations, and matching against it; see route.h. */
#include "api/route.h"

#include "api/model_int.h"
#include "lib/base.h"

#include <stdio.h>

enum {
	R = ROUTE_PROJECT,
	W = ROUTE_PROJECT | ROUTE_WRITES,
	B = ROUTE_PROJECT | ROUTE_WRITES | ROUTE_BODY,
	LINES = B | ROUTE_LINES,
	NODE_W = ROUTE_NODE | ROUTE_WRITES,
	NODE_B = ROUTE_NODE | ROUTE_WRITES | ROUTE_BODY,
	L = R | ROUTE_LIST,
	KEYED = B | ROUTE_KEY,
};

static const struct route {
	const char *method;
	const char *pattern; /* {v} is a vNIC's name, {n} a number, all
	                        others are names */
	enum api_op op;
	unsigned flags;
} routes[] = {
	{ "GET", "/v1", API_NODE_GET, R | ROUTE_ANYONE },
	{ "GET", "/v1/nodes", API_NODES_LIST, ROUTE_ANYONE | ROUTE_LIST },
	{ "GET", "/v1/nodes/{h}", API_NODE_ONE, ROUTE_ANYONE },
	{ "GET", "/v1/routers", API_ROUTERS_LIST, L | ROUTE_LABEL },
	{ "POST", "/v1/routers", API_ROUTER_CREATE, KEYED },
	{ "GET", "/v1/routers/{r}", API_ROUTER_GET, R },
	{ "PUT", "/v1/routers/{r}", API_ROUTER_PUT, B },
	{ "PATCH", "/v1/routers/{r}", API_ROUTER_PATCH, B },
	{ "DELETE", "/v1/routers/{r}", API_ROUTER_DELETE, W },
	{ "PUT", "/v1/routers/{r}/power", API_ROUTER_POWER, B },
	{ "POST", "/v1/routers/{r}/restart", API_ROUTER_RESTART, KEYED },
	{ "GET", "/v1/routers/{r}/quota", API_QUOTA_GET, R },
	{ "PATCH", "/v1/routers/{r}/quota", API_QUOTA_PATCH, B },
	{ "GET", "/v1/routers/{r}/vnics", API_VNICS_LIST, L },
	{ "POST", "/v1/routers/{r}/vnics", API_VNIC_CREATE, KEYED },
	{ "GET", "/v1/routers/{r}/vnics/{v}", API_VNIC_GET, R },
	{ "PATCH", "/v1/routers/{r}/vnics/{v}", API_VNIC_PATCH, B },
	{ "DELETE", "/v1/routers/{r}/vnics/{v}", API_VNIC_DELETE, W },
	{ "GET", "/v1/routers/{r}/routes", API_ROUTES_GET, R | ROUTE_SOURCE },
	{ "PUT", "/v1/routers/{r}/routes", API_ROUTES_PUT, LINES },
	{ "PATCH", "/v1/routers/{r}/routes", API_ROUTES_PATCH, LINES },
	{ "GET", "/v1/routers/{r}/neighbours", API_NEIGHBOURS_GET, R },
	{ "GET", "/v1/routers/{r}/pipeline", API_PIPELINE_GET, R },
	{ "PUT", "/v1/routers/{r}/pipeline", API_PIPELINE_PUT, W | ROUTE_LUA },
	{ "GET", "/v1/routers/{r}/pipeline/revisions", API_REVISIONS_LIST, L },
	{ "GET", "/v1/routers/{r}/pipeline/revisions/{n}", API_REVISION_GET,
	    R },
	{ "POST", "/v1/routers/{r}/pipeline/rollback", API_PIPELINE_ROLLBACK,
	    KEYED | ROUTE_EMPTY },
	{ "GET", "/v1/routers/{r}/stats", API_STATS_GET, R },
	{ "POST", "/v1/routers/{r}/exec", API_EXEC, B },
	{ "GET", "/v1/routers/{r}/console", API_CONSOLE,
	    R | ROUTE_SOCKET | ROUTE_OPERATOR },
	{ "GET", "/v1/routers/{r}/logs", API_LOGS_GET, R | ROUTE_FOLLOW },
	{ "GET", "/v1/routers/{r}/files", API_FILE_GET,
	    R | ROUTE_PATH | ROUTE_OPERATOR },
	{ "PUT", "/v1/routers/{r}/files", API_FILE_PUT,
	    W | ROUTE_PATH | ROUTE_BYTES },
	{ "GET", "/v1/templates", API_TEMPLATES_LIST, L | ROUTE_ANYONE },
	{ "GET", "/v1/templates/{t}", API_TEMPLATE_GET, R | ROUTE_ANYONE },
	{ "GET", "/v1/projects", API_PROJECTS_LIST,
	    ROUTE_ANYONE | ROUTE_LIST | ROUTE_LABEL },
	{ "POST", "/v1/projects", API_PROJECT_CREATE, NODE_B | ROUTE_KEY },
	{ "GET", "/v1/projects/{p}", API_PROJECT_GET, ROUTE_ANYONE },
	{ "PATCH", "/v1/projects/{p}", API_PROJECT_PATCH, NODE_B },
	{ "DELETE", "/v1/projects/{p}", API_PROJECT_DELETE, NODE_W },
	{ "GET", "/v1/projects/{p}/quota", API_PROJECT_QUOTA_GET,
	    ROUTE_ANYONE },
	{ "PATCH", "/v1/projects/{p}/quota", API_PROJECT_QUOTA_PATCH, NODE_B },
	{ "GET", "/v1/projects/{p}/usage", API_PROJECT_USAGE_GET,
	    ROUTE_ANYONE },
	{ "GET", "/v1/audit", API_AUDIT_LIST, L | ROUTE_ADMIN },
	{ "GET", "/v1/tokens", API_TOKENS_LIST, L | ROUTE_LABEL | ROUTE_ADMIN },
	/* no ROUTE_KEY: a kept answer would be a secret on disk */
	{ "POST", "/v1/tokens", API_TOKEN_CREATE, B | ROUTE_ADMIN },
	{ "GET", "/v1/tokens/{t}", API_TOKEN_GET, R | ROUTE_ADMIN },
	{ "PATCH", "/v1/tokens/{t}", API_TOKEN_PATCH, B | ROUTE_ADMIN },
	{ "DELETE", "/v1/tokens/{t}", API_TOKEN_DELETE, W | ROUTE_ADMIN },
	{ "GET", "/v1/ports", API_PORTS_LIST, L | ROUTE_LABEL },
	{ "POST", "/v1/ports", API_PORT_CREATE, KEYED | ROUTE_NODE },
	{ "GET", "/v1/ports/{p}", API_PORT_GET, R },
	{ "PUT", "/v1/ports/{p}", API_PORT_PUT, B | ROUTE_NODE },
	{ "PATCH", "/v1/ports/{p}", API_PORT_PATCH, B | ROUTE_NODE },
	{ "DELETE", "/v1/ports/{p}", API_PORT_DELETE, W | ROUTE_NODE },
	{ "GET", "/v1/links", API_LINKS_LIST, L | ROUTE_LABEL },
	{ "POST", "/v1/links", API_LINK_CREATE, KEYED },
	{ "GET", "/v1/links/{l}", API_LINK_GET, R },
	{ "PATCH", "/v1/links/{l}", API_LINK_PATCH, B },
	{ "DELETE", "/v1/links/{l}", API_LINK_DELETE, W },
	{ "GET", "/v1/segments", API_SEGMENTS_LIST, L | ROUTE_LABEL },
	{ "POST", "/v1/segments", API_SEGMENT_CREATE, KEYED },
	{ "GET", "/v1/segments/{s}", API_SEGMENT_GET, R },
	{ "PATCH", "/v1/segments/{s}", API_SEGMENT_PATCH, B },
	{ "DELETE", "/v1/segments/{s}", API_SEGMENT_DELETE, W },
	{ "GET", "/v1/openapi.json", API_OPENAPI_GET, ROUTE_OPEN },
	{ "GET", "/v1/events", API_EVENTS_GET, R | ROUTE_EVENTS },
	{ "GET", "/metrics", API_METRICS_GET, 0 },
	{ "GET", "/healthz", API_HEALTHZ, ROUTE_OPEN },
	{ "GET", "/readyz", API_READYZ, ROUTE_OPEN },
};

static_assert(ARRAY_SIZE(routes) == API_N_OPS, "one row per operation");

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

int
route_decode(const char *s, size_t n, char *out, size_t size)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (c == '%') {
			int high = i + 2 < n ? hex(s[i + 1]) : -1;
			int low = i + 2 < n ? hex(s[i + 2]) : -1;

			if (high < 0 || low < 0)
				return -EINVAL;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (c == '\0' || at + 1 >= size)
			return -EINVAL;
		out[at++] = c;
	}
	out[at] = '\0';
	return (int)at; /* smaller than size, which are small buffers */
}

/* Digits alone, and no zero before others: each number has one path. */
static bool
number_fits(const char *text, struct route_match *m)
{
	size_t n = strlen(text);

	if (n == 0 || n > 9 || strspn(text, "0123456789") != n ||
	    (n > 1 && *text == '0'))
		return false;
	m->number = (unsigned)strtoul(text, NULL, 10);
	return true;
}

/* One segment of a path against one of a pattern; names go to m. */
static bool
segment_fits(const char *pattern, size_t n_pattern, const char *path,
    size_t n_path, struct route_match *m)
{
	char text[MODEL_NAME_BYTES];

	if (route_decode(path, n_path, text, sizeof(text)) < 0)
		return false;
	if (*pattern != '{')
		return strlen(text) == n_pattern &&
		       memcmp(pattern, text, n_pattern) == 0;
	if (pattern[1] == 'n')
		return number_fits(text, m);
	if (pattern[1] == 'v') {
		if (!model_vnic_name_is_valid(text))
			return false;
		memcpy(m->subname, text, strlen(text) + 1);
		return true;
	}
	if (!model_name_is_valid(text))
		return false;
	memcpy(m->name, text, strlen(text) + 1);
	return true;
}

static bool
path_fits(const char *pattern, const char *path, struct route_match *m)
{
	while (*pattern == '/' && *path == '/') {
		size_t n_pattern = strcspn(++pattern, "/");
		size_t n_path = strcspn(++path, "/");

		if (!segment_fits(pattern, n_pattern, path, n_path, m))
			return false;
		pattern += n_pattern;
		path += n_path;
	}
	return *pattern == '\0' && *path == '\0';
}

static void
add_allowed(struct route_match *m, const char *method)
{
	size_t n = strlen(m->allow);

	snprintf(m->allow + n, sizeof(m->allow) - n, "%s%s%s", n ? ", " : "",
	    method, strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

void
route_find(const char *method, const char *path, struct route_match *out)
{
	if (strcmp(method, "HEAD") == 0)
		method = "GET";
	*out = (struct route_match){ .status = 404 };
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		struct route_match m = { 0 };

		if (!path_fits(routes[i].pattern, path, &m))
			continue;
		if (strcmp(method, routes[i].method) == 0) {
			m.status = 200;
			m.op = routes[i].op;
			m.flags = routes[i].flags;
			*out = m;
			return;
		}
		out->status = 405;
		add_allowed(out, routes[i].method);
	}
}

bool
route_row(
    unsigned i, const char **method, const char **pattern, enum api_op *op)
{
	if (i >= ARRAY_SIZE(routes))
		return false;
	*method = routes[i].method;
	*pattern = routes[i].pattern;
	*op = routes[i].op;
	return true;
}
