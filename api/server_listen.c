/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_listen: the two sockets, made by ourselves so that their modes and
 * addresses are ours to say. The unix socket is never, not for a moment, open
 * to more than it should be; TCP never listens beyond the loopback address but
 * with TLS.
 */
#include "api/server_int.h"

#include "lib/base.h"
#include "lib/log.h"
#include "lib/wire.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* A SYN beyond the backlog comes again a second later: others would wait. */
enum { BACKLOG = 128, NET_BACKLOG = 4096, GROUP_BYTES = 4096 };

/* A socket file that nobody listens on is a leftover. */
static int
remove_leftover(const struct sockaddr_un *a, struct err *e)
{
	struct stat st;
	scoped_close int fd = -1;

	if (lstat(a->sun_path, &st) < 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return err_set(
		    e, -EEXIST, "%s exists and is no socket", a->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)a, sizeof(*a)) == 0)
		return err_set(
		    e, -EADDRINUSE, "%s: somebody serves it", a->sun_path);
	unlink(a->sun_path);
	return 0;
}

static gid_t
group_of(const char *name)
{
	char buf[GROUP_BYTES];
	struct group g, *found = NULL;

	if (!name || !*name)
		return (gid_t)-1;
	if (getgrnam_r(name, &g, buf, sizeof(buf), &found) != 0 || !found) {
		log_warn("no group %s: only root may use the socket", name);
		return (gid_t)-1;
	}
	return found->gr_gid;
}

/* A socket that the service manager listens on, and has given its mode. */
static int
take_socket(struct api_server *s, int fd, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNSPEC };
	socklen_t n = sizeof(a), m = sizeof(int);
	int listens = 0, flags = fcntl(fd, F_GETFL);

	if (flags < 0 || getsockname(fd, (struct sockaddr *)&a, &n) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &m) < 0 ||
	    a.sun_family != AF_UNIX || !listens)
		return err_set(e, -ENOTSOCK,
		    "the service manager gave no unix socket to listen on");
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_set(e, -errno, "socket: %s", strerror(errno));
	(void)wire_refuse_fds(fd);
	s->unix_socket.fd = fd;
	return 0;
}

int
listen_on_unix(
    struct api_server *s, const char *group, int inherited, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	scoped_close int fd = -1;
	int rc;

	s->group = group_of(group);
	if (inherited > 0)
		return take_socket(s, inherited, e);
	if (strlen(s->socket_path) >= sizeof(a.sun_path))
		return err_set(e, -ENAMETOOLONG, "%s: the path is too long",
		    s->socket_path);
	memcpy(a.sun_path, s->socket_path, strlen(s->socket_path) + 1);
	rc = remove_leftover(&a, e);
	if (rc < 0)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* the file is made with the mode of the socket: nobody slips in */
	if (fd < 0 || fchmod(fd, 0600) < 0 ||
	    bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0)
		return err_set(
		    e, -errno, "%s: %s", s->socket_path, strerror(errno));
	if ((s->group != (gid_t)-1 &&
		chown(s->socket_path, (uid_t)-1, s->group) < 0) ||
	    chmod(s->socket_path, 0660) < 0 || listen(fd, BACKLOG) < 0) {
		rc = err_set(
		    e, -errno, "%s: %s", s->socket_path, strerror(errno));
		unlink(s->socket_path);
		return rc;
	}
	(void)wire_refuse_fds(fd); /* older kernels do not know how */
	s->unix_socket.fd = steal_fd(fd);
	s->made_socket = true;
	return 0;
}

int
listen_on_tcp(struct api_server *s, struct err *e)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)s->tcp_port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	scoped_close int fd =
	    socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1;

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(fd, NET_BACKLOG) < 0)
		return err_set(e, -errno, "127.0.0.1 port %u: %s", s->tcp_port,
		    strerror(errno));
	s->tcp.fd = steal_fd(fd);
	return 0;
}

/* Cuts "ADDRESS:PORT" in two; false: it is none. */
static bool
split(const char *text, char *address, size_t size, unsigned *port)
{
	const char *end = *text == '[' ? strchr(text, ']') : NULL;
	const char *colon = strrchr(end ? end : text, ':');
	size_t n;

	*port = SERVER_HTTPS_PORT;
	if (*text == '[' && (!end || (end[1] != '\0' && end[1] != ':')))
		return false;
	if (!end && colon && strchr(text, ':') != colon)
		colon = NULL; /* an IPv6 address alone */
	if (colon) {
		if (strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
		    colon[1] == '\0' || strlen(colon + 1) > 5)
			return false;
		*port = (unsigned)strtoul(colon + 1, NULL, 10);
	}
	if (end)
		n = (size_t)(end - ++text);
	else
		n = colon ? (size_t)(colon - text) : strlen(text);
	if (n >= size || *port == 0 || *port > 65535)
		return false;
	memcpy(address, text, n);
	address[n] = '\0';
	return true;
}

/* No address is every one, of both families. */
static socklen_t
parse_listen(const char *text, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
	char address[INET6_ADDRSTRLEN];
	unsigned port;

	memset(out, 0, sizeof(*out));
	if (!split(text, address, sizeof(address), &port))
		return 0;
	if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		return sizeof(*v4);
	}
	memset(out, 0, sizeof(*out));
	if (*address != '\0' &&
	    inet_pton(AF_INET6, address, &v6->sin6_addr) != 1)
		return 0;
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)port);
	return sizeof(*v6);
}

bool
api_listen_is_valid(const char *text)
{
	struct sockaddr_storage a;

	return parse_listen(text, &a) != 0;
}

int
listen_on_https(struct api_server *s, struct err *e)
{
	struct sockaddr_storage a;
	socklen_t n = parse_listen(s->https_listen, &a);
	scoped_close int fd = -1;
	int one = 1, zero = 0;

	if (n == 0)
		return err_set(
		    e, -EINVAL, "%s is no ADDRESS:PORT", s->https_listen);
	fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    (a.ss_family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero)) <
		    0) ||
	    bind(fd, (const struct sockaddr *)&a, n) < 0 ||
	    listen(fd, NET_BACKLOG) < 0)
		return err_set(
		    e, -errno, "%s: %s", s->https_listen, strerror(errno));
	s->https.fd = steal_fd(fd);
	return 0;
}
