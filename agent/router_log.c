/* SPDX-License-Identifier: Apache-2.0 */
/* router_log: see router_log.h. */
#include "agent/router_log.h"

#include "agent/router.h"
#include "lib/base.h"
#include "lib/log.h"

#include <stdio.h>
#include <sys/epoll.h>

enum {
	BLOCK_BYTES = 16 << 10,
	RATE = 64 << 10, /* bytes per second */
	BURST = 512 << 10,
	REST_MS = 250,
	OLD_MS = 1000, /* an older init hangs up at once */
};

static void
hang_up(struct router_log *g, struct initlink *link)
{
	loop_del(g->source);
	g->source = NULL;
	if (g->fd >= 0)
		initlink_close(link, steal_fd(g->fd));
}

static size_t
allowance(struct router_log *g)
{
	uint64_t now = loop_now_ms();
	uint64_t more = (now - g->since_ms) * RATE / 1000;

	if (more > 0) {
		g->allowance =
		    (size_t)MIN(g->allowance + more, (uint64_t)BURST);
		g->since_ms = now;
	}
	return g->allowance;
}

static void
ready(void *arg, int fd, uint32_t events)
{
	static char block[BLOCK_BYTES];
	struct router *r = arg;
	struct router_log *g = &r->log;
	size_t may = MIN(allowance(g), sizeof(block));
	ssize_t n;

	if (may == 0 && !(events & (EPOLLHUP | EPOLLERR))) {
		loop_set_events(g->source, 0);
		loop_arm(g->rest, REST_MS);
		return;
	}
	/* who hung up cannot be turned a deaf ear to: this is the last of it */
	n = initlink_read(r->link, fd, block, may ? may : sizeof(block));
	if (n == -EAGAIN)
		return;
	if (n <= 0) {
		hang_up(g, r->link);
		return;
	}
	g->answered = true;
	g->allowance -= MIN(g->allowance, (size_t)n);
	if (logring_append(&g->ring, block, (size_t)n) < 0)
		log_debug("its log is not written router=%s", r->spec.name);
	router_tell_followers(r);
}

static void
rested(void *arg)
{
	struct router *r = arg;

	if (r->log.source)
		loop_set_events(r->log.source, EPOLLIN);
}

int
router_log_open(struct router *r)
{
	char dir[DURABLE_PATH];

	r->log.fd = -1;
	r->log.allowance = BURST;
	snprintf(dir, sizeof(dir), "%s/routers/%s", r->node->cfg.state_dir,
	    r->uid_text);
	logring_open(&r->log.ring, dir);
	return loop_add_timer(r->node->loop, rested, r, &r->log.rest);
}

void
router_log_close(struct router *r)
{
	router_log_detach(r);
	loop_del(r->log.rest);
	r->log.rest = NULL;
}

void
router_log_detach(struct router *r)
{
	hang_up(&r->log, r->link);
}

void
router_log_hello(struct router *r, bool fresh)
{
	struct router_log *g = &r->log;

	hang_up(g, r->link);
	if (fresh)
		g->refused = false;
	if (g->refused)
		return;
	g->answered = false;
	g->asked_ms = loop_now_ms();
	if (initlink_open_log(r->link, &g->fd) < 0)
		return;
	if (loop_add_fd(r->node->loop, g->fd, EPOLLIN, ready, r, &g->source) <
	    0)
		hang_up(g, r->link);
}

void
router_log_gone(struct router *r)
{
	struct router_log *g = &r->log;

	if (!g->answered && loop_now_ms() - g->asked_ms < OLD_MS)
		g->refused = true;
}
