/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init_log: what init, the data plane and the service write, to europad; see
 * init.h.
 *
 * All of them append to one file of the container's own disk, and wait for
 * nobody. init reads behind them, at most every 20 ms, and sends what is new; the
 * file is what waits for a europad that is slow or away. One that gets too long
 * is begun anew: what was not sent by then is lost, and that is said.
 */
#include "container-templates/init.h"

#include "lib/base.h"
#include "lib/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum {
	MAX_FILE_BYTES = 1 << 20,
	BLOCK_BYTES = 16 << 10,
	PACE_MS = 20,
};

static struct {
	struct loop *loop;
	int file; /* -1: there is no log */
	int inotify;
	int fd; /* to europad, or -1 */
	struct loop_source *on_change, *on_stream, *pace;
	off_t at;      /* all before it was sent */
	uint64_t lost; /* bytes, and europad does not know */
} log_ = { .file = -1, .inotify = -1, .fd = -1 };

static void
hang_up(void)
{
	loop_del(log_.on_stream);
	log_.on_stream = NULL;
	base_close(log_.fd);
	log_.fd = -1;
}

/* Returns bytes that went, 0 if there is no room, or -1: europad is gone. */
static ssize_t
give(const void *bytes, size_t n)
{
	ssize_t k = send(log_.fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (k >= 0)
		return k;
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	hang_up();
	return -1;
}

static bool
say_what_is_lost(void)
{
	char line[96];
	int n = snprintf(line, sizeof(line),
	    "europa-init: warning: %llu bytes of this log are lost\n",
	    (unsigned long long)log_.lost);

	if (log_.lost == 0)
		return true;
	if (give(line, (size_t)n) <= 0)
		return false;
	log_.lost = 0;
	return true;
}

/* Returns true when all there is has gone. */
static bool
pump(void)
{
	static char block[BLOCK_BYTES];

	while (log_.fd >= 0) {
		ssize_t n, k;

		/* also when nothing has come since */
		if (!say_what_is_lost())
			return false;
		n = pread(log_.file, block, sizeof(block), log_.at);
		if (n <= 0)
			return true;
		k = give(block, (size_t)n);
		if (k <= 0)
			return false;
		log_.at += k;
	}
	return false;
}

static void
begin_anew_if_long(void)
{
	struct stat st;

	if (fstat(log_.file, &st) < 0)
		return;
	if (st.st_size < log_.at)
		log_.at = 0; /* its owner has cut it */
	if (st.st_size <= MAX_FILE_BYTES)
		return;
	if (ftruncate(log_.file, 0) == 0) {
		log_.lost += (uint64_t)(st.st_size - log_.at);
		log_.at = 0;
	}
}

static void
look(void)
{
	bool all;

	begin_anew_if_long();
	all = pump();
	if (log_.on_stream)
		loop_set_events(log_.on_stream, all ? 0 : (uint32_t)EPOLLOUT);
}

static void
stream_ready(void *arg, int fd, uint32_t events)
{
	(void)arg;
	(void)fd;
	if (events & (EPOLLHUP | EPOLLERR))
		hang_up();
	else
		look();
}

/* Whoever writes all the time costs us no more than this. */
static void
changed(void *arg, int fd, uint32_t events)
{
	(void)arg;
	(void)fd;
	(void)events;
	loop_set_events(log_.on_change, 0);
	loop_arm(log_.pace, PACE_MS);
}

static void
pace_is_over(void *arg)
{
	char events[4096];

	(void)arg;
	while (read(log_.inotify, events, sizeof(events)) > 0)
		continue;
	look();
	loop_set_events(log_.on_change, EPOLLIN);
}

int
init_log_open(struct loop *l, const char *path)
{
	int rc = -ENOMEM;

	log_.loop = l;
	if (!path)
		return 0;
	log_.file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	log_.inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (log_.file >= 0 && log_.inotify >= 0 &&
	    inotify_add_watch(log_.inotify, path, IN_MODIFY) >= 0 &&
	    loop_add_timer(l, pace_is_over, NULL, &log_.pace) == 0)
		rc = loop_add_fd(
		    l, log_.inotify, EPOLLIN, changed, NULL, &log_.on_change);
	if (rc == 0)
		return 0;
	/* the container runs without: nobody sees its log from outside */
	log_warn("%s is not sent: %s", path, strerror(errno));
	base_close(steal_fd(log_.file));
	return 0;
}

int
init_log_attach(int fd)
{
	int rc;

	if (log_.file < 0) {
		base_close(fd);
		return -ENOENT;
	}
	hang_up();
	log_.fd = fd;
	rc = loop_add_fd(log_.loop, fd, 0, stream_ready, NULL, &log_.on_stream);
	if (rc < 0)
		hang_up();
	else
		look();
	return rc;
}
