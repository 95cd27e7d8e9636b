/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init_child_probe: a data plane for test_init, that does what its first
 * argument says:
 *
 *	serve	answers STATS_GET with its pid and what it was given, ends at
 *		SIGTERM
 *	deaf	the same, but ignores SIGTERM
 *	die	ends at once
 *	spit	writes nonsense to the control socket, then nothing more
 */
#include "lib/base.h"
#include "lib/wire.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

static void
count(struct wire_msg *m, const char *name, uint64_t value)
{
	uint32_t i = m->u.stats.n++;

	snprintf(m->u.stats.counter[i].name, sizeof(m->u.stats.counter[i].name),
	    "%s", name);
	m->u.stats.counter[i].value = value;
}

/* How many of EUROPA_VNIC_FDS are open. */
static uint64_t
open_fds(void)
{
	const char *p = getenv("EUROPA_VNIC_FDS");
	uint64_t n = 0;

	while (p && *p) {
		n += fcntl(atoi(p), F_GETFD) >= 0;
		p = strchr(p, ',');
		p = p ? p + 1 : NULL;
	}
	return n;
}

static void
serve(int fd)
{
	struct wire_msg m;

	while (wire_recv(fd, &m) == 0) {
		struct wire_msg a = { .type = WIRE_STATS, .id = m.id };
		const char *conf = getenv("EUROPA_CONF");
		const char *end = getenv("EUROPA_LAST_END");

		if (m.type != WIRE_STATS_GET)
			continue;
		a.u.stats.generation = 7;
		count(&a, "pid", (uint64_t)getpid());
		count(&a, "fds", open_fds());
		count(&a, "conf", conf && access(conf, R_OK) == 0);
		count(&a, "last_end", end ? (uint64_t)atoi(end) : 999);
		if (wire_send(fd, &a) < 0)
			return;
	}
}

static void
spit(int fd)
{
	char big[5000];
	struct wire_msg m = { .type = WIRE_STATS, .id = 12345 };

	/* unasked for, then not a message at all */
	wire_send(fd, &m);
	memset(big, 0x57, sizeof(big));
	if (send(fd, big, sizeof(big), MSG_NOSIGNAL) < 0 ||
	    send(fd, "", 0, MSG_NOSIGNAL) < 0)
		return;
}

int
main(int argc, char *argv[])
{
	const char *what = argc > 1 ? argv[1] : "die";
	const char *control = getenv("EUROPA_CONTROL_FD");
	int fd = control ? atoi(control) : -1;

	if (strcmp(what, "die") == 0 || fd < 0)
		return 3;
	if (strcmp(what, "deaf") == 0)
		signal(SIGTERM, SIG_IGN);
	if (strcmp(what, "spit") == 0)
		spit(fd);
	if (strcmp(what, "spit") != 0)
		serve(fd);
	for (;;)
		pause();
}
