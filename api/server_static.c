/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_static: the files of the web page, for GET / and beside it.
 *
 * A path becomes a file name only if each of its segments is made of harmless
 * characters and begins with none that hides or climbs; the folder is open, the
 * file is opened below it and must be regular. Pages may load what this node
 * serves and nothing else (Content-Security-Policy).
 */
#include "api/server_int.h"

#include "lib/base.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <stdio.h>
#include <sys/stat.h>

enum { MAX_SEGMENTS = 3, PATH_BYTES = 256 };

static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

static const struct {
	const char *suffix;
	const char *media_type;
} types[] = {
	{ ".html", "text/html; charset=utf-8" },
	{ ".css", "text/css; charset=utf-8" },
	{ ".js", "text/javascript; charset=utf-8" },
	{ ".svg", "image/svg+xml" },
	{ ".png", "image/png" },
	{ ".woff2", "font/woff2" },
};

static const char *
media_type_of(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		size_t n_suffix = strlen(types[i].suffix);

		if (n > n_suffix &&
		    strcmp(name + n - n_suffix, types[i].suffix) == 0)
			return types[i].media_type;
	}
	return NULL;
}

static bool
name_is_harmless(const char *name)
{
	unsigned n_segments = 0;
	size_t n;

	do {
		n = strspn(name,
		    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		    "0123456789._-");
		if (n == 0 || *name == '.' || ++n_segments > MAX_SEGMENTS)
			return false;
		name += n;
	} while (*name++ == '/');
	return name[-1] == '\0';
}

static int
open_file(const struct api_server *s, const char *name, off_t *size)
{
	scoped_close int fd =
	    openat(s->web_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -ENOENT;
	*size = st.st_size;
	return steal_fd(fd);
}

bool
static_serve(struct api_request *r)
{
	bool is_root = strcmp(r->path, "/") == 0;
	bool is_docs = strcmp(r->path, "/docs") == 0;
	const char *name = is_root   ? "index.html"
			   : is_docs ? "docs.html"
				     : r->path + 1;
	const char *media_type;
	off_t size;
	int fd;

	if (r->server->web_fd < 0 || r->path[0] != '/' ||
	    strlen(name) >= PATH_BYTES || !name_is_harmless(name))
		return false;
	media_type = media_type_of(name);
	if (!media_type)
		return false;
	if (strcmp(r->method, "GET") != 0 && strcmp(r->method, "HEAD") != 0)
		return false;
	fd = open_file(r->server, name, &size);
	if (fd < 0)
		return false;
	r->response = MHD_create_response_from_fd((size_t)size, fd);
	if (!r->response) {
		close(fd);
		return true; /* no memory: hang up */
	}
	r->status = MHD_HTTP_OK;
	reply_header(r->response, "Content-Type", media_type);
	reply_header(r->response, "Content-Security-Policy", policy);
	reply_header(r->response, "X-Content-Type-Options", "nosniff");
	reply_header(r->response, "Referrer-Policy", "no-referrer");
	reply_header(r->response, "Cache-Control", "no-cache");
	reply_header(r->response, "X-Request-Id", r->id);
	return true;
}
