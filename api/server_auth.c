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
