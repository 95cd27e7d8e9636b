/* SPDX-License-Identifier: Apache-2.0 */
/*
 * port_fds: the descriptors by which a driver hears of packets.
 *
 * DPDK's virtual drivers refuse rx interrupts, but they live on sockets or
 * /dev/net/tun, and epoll on those works. The drivers do not tell which they
 * are: we look at what was opened while the port was. Nothing is read from
 * them here; edge-triggered epoll only asks "has something come since".
 */
#include "dataplane/port.h"

#include "lib/base.h"

#include <dirent.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#ifndef AF_XDP
#define AF_XDP 44
#endif

enum { TUN_MAJOR = 10, TUN_MINOR = 200 };

static int
append(struct fd_list *l, int fd)
{
	int *more = l->fd;

	if ((l->n & (l->n + 1)) == 0) /* room for the next power of two */
		more = realloc(l->fd, (2 * (size_t)l->n + 2) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	l->fd = more;
	l->fd[l->n++] = fd;
	return 0;
}

int
fd_list_read(struct fd_list *out)
{
	DIR *dir = opendir("/proc/self/fd");
	struct fd_list l = { 0 };
	struct dirent *d;
	int rc = 0;

	if (!dir)
		return -errno;
	while (rc == 0 && (d = readdir(dir)))
		if (d->d_name[0] != '.' && atoi(d->d_name) != dirfd(dir))
			rc = append(&l, atoi(d->d_name));
	closedir(dir);
	if (rc < 0) {
		fd_list_free(&l);
		return rc;
	}
	*out = l;
	return 0;
}

void
fd_list_free(struct fd_list *l)
{
	free(l->fd);
	*l = (struct fd_list){ 0 };
}

static bool
has(const struct fd_list *l, int fd)
{
	for (unsigned i = 0; i < l->n; i++)
		if (l->fd[i] == fd)
			return true;
	return false;
}

/* A packet socket tells of packets once it is bound to an interface. */
static bool
packet_socket_is_bound(int fd)
{
	struct sockaddr_ll a = { 0 };
	socklen_t n = sizeof(a);

	return getsockname(fd, (struct sockaddr *)&a, &n) == 0 &&
	       a.sll_ifindex > 0;
}

static bool
tells_of_packets(int fd)
{
	struct stat st;
	int domain;
	socklen_t n = sizeof(domain);

	if (fstat(fd, &st) < 0)
		return false;
	if (S_ISCHR(st.st_mode))
		return st.st_rdev == makedev(TUN_MAJOR, TUN_MINOR);
	if (!S_ISSOCK(st.st_mode) ||
	    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) < 0)
		return false;
	return domain == AF_XDP ||
	       (domain == AF_PACKET && packet_socket_is_bound(fd));
}

unsigned
port_find_fds(const struct fd_list *before, int *out, unsigned max)
{
	struct fd_list now;
	unsigned n = 0;

	if (fd_list_read(&now) < 0)
		return 0;
	for (unsigned i = 0; i < now.n && n < max; i++)
		if (!has(before, now.fd[i]) && tells_of_packets(now.fd[i]))
			out[n++] = now.fd[i];
	fd_list_free(&now);
	return n;
}
