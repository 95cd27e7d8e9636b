/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connect: which node is meant. What was said on the command line comes before
 * the environment (EUROPA_SERVER, EUROPA_FINGERPRINT, EUROPA_TOKEN), that before
 * the current one of the stored servers, that before the socket of this host.
 *
 * A stored token and fingerprint belong to their server: they are used with its
 * name, never with a URL.
 */
#include "cli/cli.h"

#include "cli/http.h"
#include "cli/progress.h"
#include "cli/servers.h"
#include "lib/base.h"

#include <ctype.h>
#include <fcntl.h>

enum { MAX_TOKEN = 512 };

/* They live as long as the program: the handle borrows them. */
static struct {
	char url[512], fingerprint[HTTP_FINGERPRINT + 64];
	char token[MAX_TOKEN], project[64];
} stored;

static void
keep(const json_t *server, const char *name, char *out, size_t size)
{
	const char *text = json_string_value(json_object_get(server, name));

	snprintf(out, size, "%s", text ? text : "");
}

static int
read_token(const char *path, struct err *e)
{
	scoped_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, stored.token, MAX_TOKEN - 1);

	if (n < 0)
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	while (n > 0 && isspace((unsigned char)stored.token[n - 1]))
		n--;
	stored.token[n] = '\0';
	if (n == 0 || strpbrk(stored.token, "\r\n"))
		return err_set(
		    e, -EINVAL, "%s: want a token on one line", path);
	return 0;
}

/* A name is what has no slash and no colon. */
static int
find_stored(
    struct http_config *h, const char *name, struct globals *g, struct err *e)
{
	json_auto_t *doc = NULL;
	const json_t *server;
	int rc = servers_read(&doc, e);

	if (rc < 0)
		return name ? rc : 0; /* the socket needs no file */
	server = servers_find(doc, name);
	if (!server && name)
		return err_set(e, -ENOENT,
		    "no server %s; europactl config list shows them", name);
	if (!server)
		return 0;
	keep(server, "url", stored.url, sizeof(stored.url));
	keep(server, "fingerprint", stored.fingerprint,
	    sizeof(stored.fingerprint));
	keep(server, "token", stored.token, sizeof(stored.token));
	keep(server, "project", stored.project, sizeof(stored.project));
	h->server = stored.url;
	h->fingerprint = *stored.fingerprint ? stored.fingerprint : NULL;
	h->token = *stored.token ? stored.token : NULL;
	if (!g->project && *stored.project)
		g->project = stored.project;
	return 0;
}

int
cli_connect(struct cli *c, struct err *e)
{
	struct http_config h = { .server = CLI_SOCKET,
		.timeout_s = c->g.timeout_s,
		.debug = c->g.debug,
		.progress = c->g.quiet ? NULL : progress_bytes() };
	const char *server =
	    c->g.server ? c->g.server : getenv("EUROPA_SERVER");
	const char *token = getenv("EUROPA_TOKEN");
	const char *fingerprint = getenv("EUROPA_FINGERPRINT");
	int rc = 0;

	if (server && strpbrk(server, "/:"))
		h.server = server;
	else
		rc = find_stored(&h, server, &c->g, e);
	if (fingerprint && *fingerprint)
		h.fingerprint = fingerprint;
	if (c->g.fingerprint)
		h.fingerprint = c->g.fingerprint;
	if (token && *token)
		h.token = token;
	if (rc == 0 && c->g.token_file) {
		rc = read_token(c->g.token_file, e);
		h.token = stored.token;
	}
	return rc < 0 ? rc : http_open(&h, &c->http, e);
}
