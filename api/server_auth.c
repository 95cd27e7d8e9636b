/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_auth: who asks. Over the unix socket that is who the kernel says it is;
 * over TCP, and over the socket too for who presents one, it is whose token it
 * is (RFC 6750). A token that is not good is refused before its body is read,
 * and never falls back on who else it might be.
 *
 * What somebody may do is not decided here: the agent knows the roles.
 */
#include "api/server_int.h"

#include "lib/base.h"
#include "lib/loop.h"

#include <microhttpd.h>
#include <strings.h>

/* The token, or NULL: the header is of another kind, or there is none. */
static const char *
bearer_of(const char *header)
{
	static const char scheme[] = "Bearer ";
	size_t n = sizeof(scheme) - 1;

	if (!header || strncasecmp(header, scheme, n) != 0)
		return NULL;
	return header + n + strspn(header + n, " ");
}

bool
auth_check(struct api_request *r, struct problem *p)
{
	const struct api_server *s = r->server;
	const char *header = MHD_lookup_connection_value(
	    r->mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
	const char *secret = bearer_of(header);

	if (!header && !r->conn->listener->is_tcp)
		return true;
	/* what is no operation tells nothing: the web page, or 404 */
	if (r->match.status != 200 || r->match.flags & ROUTE_OPEN)
		return true;
	if (secret && s->authenticate &&
	    s->authenticate(s->arg, secret, r->token)) {
		r->uid = (uid_t)-1;
		if (!s->token_state)
			return true;
		/* 0: it has ended since, and nothing would end what goes on */
		r->token_state = s->token_state(s->arg, r->token);
		if (r->token_state != 0)
			return true;
	}
	problem_set(p, 401, "unauthorized",
	    "send Authorization: Bearer TOKEN with a token of this node; POST "
	    "/v1/tokens makes one",
	    header ? "the token is not known here, or has expired"
		   : "over TCP this node wants a token");
	return false;
}

/*
 * Each request that waits has a connection, and there are few of them: so that
 * one tenant, from however many addresses, does not leave the others none.
 * Requests that are answered at once are not counted against it, for a client
 * may well send dozens of them side by side; nor is the unix socket, which has
 * connections of its own. What arrives by two listeners at the same time may be
 * one more.
 */
bool
auth_may_wait(const struct api_request *r, struct problem *p)
{
	struct api_server *s = r->server;
	uint64_t now = loop_now_ms();
	unsigned n = 0, n_long = 0;
	const struct api_request *o;

	if (!r->conn->listener->is_tcp || *r->token == '\0')
		return true;
	pthread_mutex_lock(&s->lock);
	TAILQ_FOREACH(o, &s->pending, link) {
		if (!o->conn->listener->is_tcp ||
		    strcmp(o->token, r->token) != 0)
			continue;
		n++;
		n_long += now - o->began_ms >= SERVER_WAITS_MS;
	}
	pthread_mutex_unlock(&s->lock);
	if (n < SERVER_PENDING_OF_TOKEN && n_long < SERVER_WAITING_OF_TOKEN)
		return true;
	problem_set(p, 503, "busy",
	    "wait until some are answered, or send Prefer: respond-async with "
	    "changes",
	    "%u requests of this token wait for their answers already", n);
	return false;
}

const char *
api_token(const struct api_request *r)
{
	return r->token;
}

enum api_scope
api_scope(const struct api_request *r)
{
	if (r->match.flags & ROUTE_OPEN)
		return API_SCOPE_OPEN;
	if (r->match.flags & ROUTE_ANYONE)
		return API_SCOPE_ANYONE;
	if (r->match.flags & ROUTE_NODE || !(r->match.flags & ROUTE_PROJECT))
		return API_SCOPE_NODE;
	return API_SCOPE_PROJECT;
}

enum api_role
api_role_needed(const struct api_request *r)
{
	if (r->match.flags & (ROUTE_ADMIN | ROUTE_NODE))
		return API_ROLE_ADMIN;
	if (r->match.flags & (ROUTE_WRITES | ROUTE_OPERATOR))
		return API_ROLE_OPERATOR;
	return API_ROLE_VIEWER;
}
