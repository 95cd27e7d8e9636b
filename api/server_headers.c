/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_headers: what a request says beside its path and body. An unknown
 * query parameter is refused, so that a misspelt dry_run changes nothing.
 */
#include "api/server_int.h"

#include "api/list.h"
#include "lib/base.h"

#include <microhttpd.h>
#include <stdio.h>
#include <strings.h>

enum { VALUE_BYTES = 256 };

static const char *
header(const struct api_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, name);
}

/* "localhost" or "127.0.0.1", with our port or none. */
static bool
is_local(const struct api_request *r, const char *authority)
{
	static const char *const hosts[] = { "localhost", "127.0.0.1" };
	char port[16];

	snprintf(port, sizeof(port), ":%u", r->server->tcp_port);
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		size_t n = strlen(hosts[i]);

		if (strncasecmp(authority, hosts[i], n) != 0)
			continue;
		if (authority[n] == '\0' || strcmp(authority + n, port) == 0)
			return true;
	}
	return false;
}

bool
headers_host_is_ours(const struct api_request *r, struct problem *p)
{
	static const char scheme[] = "http://";
	const char *host, *origin;

	if (!r->conn->listener->is_tcp)
		return true;
	host = header(r, "Host");
	if (!host || !is_local(r, host)) {
		problem_set(p, 403, "bad-host",
		    "address the node as localhost or 127.0.0.1",
		    "the Host header names another machine");
		return false;
	}
	origin = header(r, "Origin");
	if (!origin)
		return true;
	if (strncmp(origin, scheme, sizeof(scheme) - 1) != 0 ||
	    !is_local(r, origin + sizeof(scheme) - 1)) {
		problem_set(p, 403, "bad-origin",
		    "open the page that this node serves",
		    "a page of another origin asked");
		return false;
	}
	return true;
}

enum { JSON, LINES, LUA };

/* What a body may be called; NULL: no Content-Type. */
static const struct {
	const char *type;
	unsigned kinds; /* bits of the above */
} media[] = {
	{ "application/json", 1 << JSON },
	{ "application/merge-patch+json", 1 << JSON },
	{ "application/x-ndjson", 1 << LINES },
	{ "text/x-lua", 1 << LUA },
	{ "application/x-lua", 1 << LUA },
	{ "text/plain", 1 << LUA },
	{ "application/octet-stream", 1 << LUA },
	/* what curl -d sends; taken for what is wanted, on purpose */
	{ "application/x-www-form-urlencoded", 1 << JSON | 1 << LUA },
};

/* The kinds that the body may be of, by its name. */
static unsigned
kinds_of(const struct api_request *r)
{
	const char *type = header(r, "Content-Type");
	size_t n = type ? strcspn(type, "; \t") : 0;

	if (!type)
		return 1 << JSON | 1 << LUA;
	for (size_t i = 0; i < ARRAY_SIZE(media); i++)
		if (strlen(media[i].type) == n &&
		    strncasecmp(type, media[i].type, n) == 0)
			return media[i].kinds;
	return 0;
}

bool
headers_say_lines(const struct api_request *r)
{
	return r->match.flags & ROUTE_LINES && kinds_of(r) & 1 << LINES;
}

bool
headers_media_fits(const struct api_request *r, struct problem *p)
{
	const char *type = header(r, "Content-Type");
	const char *coding = header(r, "Content-Encoding");
	unsigned wanted = r->match.flags & ROUTE_LUA ? 1 << LUA : 1 << JSON;

	if (r->match.flags & ROUTE_LINES)
		wanted |= 1 << LINES;
	if (coding && strcasecmp(coding, "identity") != 0) {
		problem_set(p, 415, "media-type",
		    "send the body without a Content-Encoding",
		    "the body is encoded");
		return false;
	}
	if (kinds_of(r) & wanted)
		return true;
	problem_set(p, 415, "media-type",
	    r->match.flags & ROUTE_LUA ? "send text/x-lua"
				       : "send application/json",
	    "the body is %.80s", type);
	return false;
}

struct query_reader {
	struct api_request *r;
	struct problem *p;
};

/* The parameters, and the flags one of which an operation has that takes it. */
static const struct {
	const char *key;
	unsigned flags;
} parameters[] = {
	{ "project", ROUTE_PROJECT },
	{ "dry_run", ROUTE_WRITES },
	{ "source", ROUTE_SOURCE },
	{ "cursor", ROUTE_SOURCE | ROUTE_LIST },
	{ "limit", ROUTE_LIST },
	{ "fields", ROUTE_LIST },
	{ "label", ROUTE_LABEL },
	{ "follow", ROUTE_EVENTS },
};

static bool
has_parameter(const struct api_request *r, const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
		if (strcmp(parameters[i].key, key) == 0)
			return r->match.flags & parameters[i].flags;
	return false;
}

/* The one parameter that may be given several times. */
static int
add_label(struct api_request *r, const char *value, struct problem *p)
{
	json_t *list = json_object_get(r->query, "label");

	if (!list) {
		list = json_array();
		json_object_set_new(r->query, "label", list);
	}
	if (json_array_size(list) == LIST_MAX_LABELS)
		return problem_set(p, 400, "bad-query", "give fewer",
		    "label is given more than %d times", LIST_MAX_LABELS);
	json_array_append_new(list, json_string(value));
	return 0;
}

static int
take_parameter(struct api_request *r, const char *key, const char *value,
    struct problem *p)
{
	if (!has_parameter(r, key))
		return problem_set(p, 400, "bad-query", "leave it out",
		    "the operation has no parameter \"%.40s\"", key);
	if ((strcmp(key, "dry_run") == 0 || strcmp(key, "follow") == 0) &&
	    strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
		return problem_set(p, 400, "bad-query", "say true or false",
		    "%s is neither true nor false", key);
	if (strcmp(key, "project") == 0 && strcmp(value, "default") != 0)
		return problem_set(p, 404, "not-found",
		    "leave project out, or say default",
		    "there is no such project");
	if (list_check_parameter(key, value, p) < 0)
		return -EINVAL;
	if (!r->query)
		r->query = json_object();
	if (strcmp(key, "label") == 0)
		return add_label(r, value, p);
	if (json_object_get(r->query, key))
		return problem_set(p, 400, "bad-query", "give it once",
		    "the parameter \"%s\" is given twice", key);
	json_object_set_new(r->query, key, json_string(value));
	return 0;
}

static enum MHD_Result
each_parameter(
    void *cls, enum MHD_ValueKind kind, const char *raw_key, const char *raw)
{
	struct query_reader *q = cls;
	char key[VALUE_BYTES], value[VALUE_BYTES];

	(void)kind;
	raw = raw ? raw : "";
	if (route_decode(raw_key, strlen(raw_key), key, sizeof(key)) < 0 ||
	    route_decode(raw, strlen(raw), value, sizeof(value)) < 0) {
		problem_set(q->p, 400, "bad-query",
		    "encode it as RFC 3986 says",
		    "a query parameter is not readable");
		return MHD_NO;
	}
	return take_parameter(q->r, key, value, q->p) < 0 ? MHD_NO : MHD_YES;
}

int
headers_read_query(struct api_request *r, struct problem *p)
{
	struct query_reader q = { r, p };

	MHD_get_connection_values(
	    r->mhd, MHD_GET_ARGUMENT_KIND, each_parameter, &q);
	return p->status ? -EINVAL : 0;
}

/* RFC 7240: tokens apart by commas; parameters and other tokens are passed. */
static bool
prefers_async(const char *s)
{
	static const char token[] = "respond-async";
	size_t n = sizeof(token) - 1;

	while (s && *s) {
		s += strspn(s, ", \t");
		if (strncasecmp(s, token, n) == 0 &&
		    strchr(",; \t", s[n]) != NULL)
			return true; /* strchr finds the final zero too */
		s += strcspn(s, ",");
	}
	return false;
}

/* Copies one entity tag without its quotes. A weak one keeps its W/. */
static char *
tag_of(const char *s)
{
	char *out = strdup(s), *to = out;

	for (; out && *s; s++)
		if (*s != '"')
			*to++ = *s;
	if (out)
		*to = '\0';
	return out;
}

int
headers_read_conditions(struct api_request *r, struct problem *p)
{
	const char *s = header(r, "If-Match");

	const char *accept = header(r, "Accept");

	r->is_async = prefers_async(header(r, "Prefer"));
	r->wants_lines = accept && strcasestr(accept, "application/x-ndjson");
	r->wants_text = accept && strncasecmp(accept, "text/x-lua", 10) == 0;
	if (r->match.flags & ROUTE_EVENTS) {
		const char *id = header(r, "Last-Event-ID");

		snprintf(
		    r->last_event, sizeof(r->last_event), "%s", id ? id : "");
		r->last_id = id ? r->last_event : NULL;
	}
	if (!s)
		return 0;
	if (*s == '\0' || strchr(s, ','))
		return problem_set(p, 400, "bad-header",
		    "send the ETag that you read, or *",
		    "If-Match must hold one entity tag");
	r->if_match = tag_of(s);
	if (!r->if_match)
		return problem_set(
		    p, 503, "no-memory", "try again later", "no memory");
	return 0;
}

/*
 * Where a key is of no use it is not taken silently: who sends one relies on it.
 * The other methods do the same thing when they are repeated.
 */
int
headers_read_key(struct api_request *r, struct problem *p)
{
	const char *s = header(r, "Idempotency-Key");

	if (!s || strcmp(r->method, "POST") != 0)
		return 0;
	if (!(r->match.flags & ROUTE_KEY))
		return problem_set(p, 400, "bad-header", "leave it out",
		    "the operation takes no Idempotency-Key");
	if (*s == '\0' || strlen(s) > SERVER_KEY_BYTES)
		return problem_set(p, 400, "bad-header",
		    "send 1 to 255 characters, a UUID for instance",
		    "the Idempotency-Key is empty or too long");
	r->key = strdup(s);
	if (!r->key)
		return problem_set(
		    p, 503, "no-memory", "try again later", "no memory");
	return 0;
}
