/* SPDX-License-Identifier: Apache-2.0 */
/* wire_socket: the sockets that messages go through, see wire.h. */
#include "lib/base.h"
#include "lib/wire.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#ifndef SO_PASSRIGHTS /* the C library may be older than the kernel */
#define SO_PASSRIGHTS 83
#endif

static int
socket_at(const char *path, struct sockaddr_un *addr)
{
	size_t n = strlen(path);
	int fd;

	if (n >= sizeof(addr->sun_path))
		return -ENAMETOOLONG;
	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(addr->sun_path, path, n + 1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return fd < 0 ? -errno : fd;
}

int
wire_listen(const char *path, unsigned mode)
{
	struct sockaddr_un addr;
	scoped_close int fd = socket_at(path, &addr);

	if (fd < 0)
		return fd;
	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    chmod(path, mode) < 0 || listen(fd, 64) < 0)
		return -errno;
	return steal_fd(fd);
}

int
wire_connect(const char *path)
{
	struct sockaddr_un addr;
	scoped_close int fd = socket_at(path, &addr);

	if (fd < 0)
		return fd;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	return steal_fd(fd);
}

int
wire_refuse_fds(int fd)
{
	int none = 0;

	return setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &none, sizeof(none)) <
		       0
		   ? -errno
		   : 0;
}
