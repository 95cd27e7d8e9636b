/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node: opens what europad owns, and carries events to the routers.
 */
#include "agent/node.h"

#include "agent/answers.h"
#include "agent/events.h"
#include "agent/keep.h"
#include "agent/machine.h"
#include "agent/ops.h"
#include "agent/project.h"
#include "agent/router.h"
#include "agent/template.h"
#include "agent/visit.h"
#include "agent/wiring.h"
#include "lib/base.h"
#include "lib/log.h"
#include "lib/ready.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

void
node_time_text(char *buf)
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(buf, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

struct router *
node_router(const struct node *n, const struct project *p, const char *name)
{
	for (struct router *r = n->routers; r; r = r->next)
		if (r->project == p && strcmp(r->spec.name, name) == 0)
			return r;
	return NULL;
}

struct router *
node_router_by_uid(struct node *n, const uint8_t uid[16])
{
	for (struct router *r = n->routers; r; r = r->next)
		if (memcmp(r->uid, uid, UID_BYTES) == 0)
			return r;
	return NULL;
}

void
node_kick(struct node *n)
{
	for (struct router *r = n->routers; r; r = r->next)
		r->dirty = true;
	loop_arm(n->kick, 0);
}

static bool
all_are_down(const struct node *n)
{
	for (const struct router *r = n->routers; r; r = r->next)
		if (r->busy || !r->known ||
		    r->container.state != CONTAINER_STOPPED)
			return false;
	return true;
}

static void
run_dirty(void *arg)
{
	struct node *n = arg;

	ports_settle(n);
	for (struct router *r = n->routers, *next; r; r = next) {
		next = r->next;
		if (r->dirty)
			router_reconcile(r);
	}
	wiring_settle(n);
	if (n->halting && all_are_down(n)) {
		log_info("every router is stopped");
		n->stopping = true;
		loop_stop(n->loop, 0);
	}
}

void
node_halt(struct node *n)
{
	n->halting = true;
	log_info("stopping every router");
	ready_status("stopping every router");
	node_kick(n);
}

void
node_report(struct node *n)
{
	unsigned routers = 0, running = 0, ports = 0, up = 0;
	char text[160];

	for (const struct router *r = n->routers; r; r = r->next) {
		routers++;
		running += r->state == ROUTER_RUNNING;
	}
	for (const struct port *p = n->ports; p; p = p->next) {
		ports++;
		up += p->state == PORT_UP;
	}
	snprintf(text, sizeof(text),
	    "%u of %u routers running, %u of %u ports up%s", running, routers,
	    up, ports,
	    plane_is_up(n->plane) ? "" : ", degraded: the data plane is away");
	ready_status(text);
}

/* --- the data plane ----------------------------------------------------------------- */

static void
note_stray(struct node *n, const uint8_t *uid)
{
	void *bigger =
	    reallocarray(n->strays, n->n_strays + 1, sizeof(*n->strays));

	if (!bigger)
		return;
	n->strays = bigger;
	memcpy(n->strays[n->n_strays++], uid, WIRE_UID_BYTES);
}

static void
remove_strays(struct node *n)
{
	for (unsigned i = 0; i < n->n_strays; i++) {
		struct wire_msg m = { .type = WIRE_SET_DEL };

		memcpy(m.u.router.uid, n->strays[i], WIRE_UID_BYTES);
		plane_send(n->plane, &m, NULL);
	}
	free(n->strays);
	n->strays = NULL;
	n->n_strays = 0;
}

static void
on_set(void *arg, struct wire_msg *m)
{
	struct node *n = arg;
	struct router *r = node_router_by_uid(n, m->u.set.uid);

	if (!r || r->deleting) {
		note_stray(n, m->u.set.uid);
		return;
	}
	if (router_adopt_memory(r, m) < 0)
		return; /* replaced when it is said anew */
	r->set_sent = r->set_known = true;
	r->slots_sent = m->u.set.slots;
	r->gate_sent = m->u.set.gate;
}

static void
on_up(void *arg, const struct wire_msg *hello)
{
	struct node *n = arg;

	n->plane_pid = hello->u.hello.pid;
	n->plane_hugepages = hello->u.hello.hugepages != 0;
	n->plane_workers = hello->u.hello.n_workers;
	n->plane_minor = hello->u.hello.minor;
	event_plane(n);
	remove_strays(n);
	ports_replay(n);
	node_kick(n);
	node_report(n);
}

static void
on_down(void *arg)
{
	struct node *n = arg;

	for (struct router *r = n->routers; r; r = r->next)
		router_plane_lost(r);
	for (struct port *p = n->ports; p; p = p->next)
		port_set_state(n, p, PORT_UNKNOWN);
	wiring_lost(n);
	event_plane(n);
	node_kick(n);
	node_report(n);
}

static void
on_event(void *arg, const struct wire_msg *m)
{
	struct router *r = node_router_by_uid(arg, m->u.event.uid);
	uint32_t bit;

	if (!r || m->u.event.queue >= VNIC_MAX_QUEUES)
		return;
	bit = UINT32_C(1) << m->u.event.queue;
	switch (m->u.event.kind) {
	case WIRE_EVENT_RUNNING:
		r->quarantined &= ~bit;
		r->stalled &= ~bit;
		break;
	case WIRE_EVENT_QUARANTINED:
		log_warn(
		    "quarantined for faults in its shared memory router=%s",
		    r->spec.name);
		r->quarantined |= bit;
		router_care_fault(r, "quarantined", -1,
		    "its data plane has to keep to the rules of the shared "
		    "memory: see faults in GET .../stats",
		    "64 faults in its shared memory within an epoch");
		break;
	case WIRE_EVENT_STALLED:
		r->stalled |= bit;
		router_care_fault(r, "stalled", -1,
		    "POST .../restart {\"scope\": \"dataplane\"}",
		    "it holds packets and gives no sign of life for a second");
		break;
	case WIRE_EVENT_SIGBUS:
		log_warn("its memory had a hole router=%s", r->spec.name);
		router_care_fault(r, "memory-hole", -1,
		    "no program in the container may free pages of its "
		    "packet memory",
		    "the host found a hole in its shared memory");
		break;
	default:
		break;
	}
	router_kick(r);
}

static void
on_port(void *arg, const struct wire_msg *m)
{
	ports_take_info(arg, m);
	node_kick(arg);
	node_report(arg);
}

/* --- opening -------------------------------------------------------------------------- */

static int
make_dirs(const struct node *n, struct err *e)
{
	const struct config *c = &n->cfg;
	char path[CONFIG_PATH + 16];
	const struct {
		const char *base, *sub;
		unsigned mode;
	} dirs[] = {
		{ c->state_dir, "", 0755 },
		{ c->state_dir, "/containers", 0711 },
		{ c->state_dir, "/templates", 0755 },
		{ c->state_dir, "/routers", 0700 },
		{ c->run_dir, "", 0755 },
		{ c->run_dir, "/r", 0711 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(path, sizeof(path), "%s%s", dirs[i].base, dirs[i].sub);
		if (mkdir(path, dirs[i].mode) < 0 && errno != EEXIST)
			return err_set(
			    e, -errno, "%s: %s", path, strerror(errno));
	}
	return 0;
}

static uint64_t
memory_for_routers(const struct config *c)
{
	uint64_t total = machine_memory_bytes();

	total = c->memory_mib != 0 ? (uint64_t)c->memory_mib << 20
				   : total - total / 8;
	return total * c->mem_overcommit / 100;
}

/* Those of router_cpus that are there, or all. */
static void
find_cores(struct node *n)
{
	const char *wish = n->cfg.router_cpus;
	struct cpus there = { 0 }, wanted;
	char text[CPUS_TEXT] = "0";
	FILE *f = fopen("/sys/devices/system/cpu/online", "re");

	if (f && fgets(text, sizeof(text), f))
		text[strcspn(text, "\n")] = '\0';
	if (f)
		fclose(f);
	if (!cpus_parse(text, &there))
		log_warn("the cores of the machine are not known");
	if (cpus_parse(wish, &wanted)) {
		for (size_t i = 0; i < ARRAY_SIZE(wanted.word); i++)
			wanted.word[i] &= there.word[i];
		if (cpus_count(&wanted) > 0)
			there = wanted;
		else
			log_warn("none of the cores %s is there", wish);
	}
	if (!cpus_format(&there, n->cpus))
		n->cpus[0] = '\0';
	n->cpu_millis =
	    (uint64_t)cpus_count(&there) * 1000 * n->cfg.cpu_overcommit / 100;
}

/* A container without a router is what a crash between two steps left. */
static void
sweep_done(
    void *arg, int rc, const struct container_status *st, const struct err *e)
{
	(void)arg;
	(void)st;
	if (rc < 0)
		log_warn("sweep: %s", e->msg);
}

static void
sweep_orphan(void *arg, const char *uid)
{
	struct node *n = arg;
	const struct container_spec s = { .uid = uid };
	uint8_t bytes[UID_BYTES];

	if (uid_parse(uid, bytes) && node_router_by_uid(n, bytes))
		return;
	log_warn("removing a container without a router uid=%s", uid);
	n->ops->begin(n->ops_cookie, CONTAINER_DO_DESTROY, &s, sweep_done, n);
}

static void
alive(void *arg)
{
	struct node *n = arg;

	ready_alive();
	loop_arm(n->watchdog, MAX(ready_watchdog_ms(), (uint64_t)1));
}

static int
open_loop(struct node *n, struct err *e)
{
	int rc = loop_new(&n->loop);

	if (rc == 0)
		rc = loop_add_timer(n->loop, run_dirty, n, &n->kick);
	if (rc == 0)
		rc = loop_add_timer(n->loop, alive, n, &n->watchdog);
	if (rc == 0)
		rc = events_open(n);
	if (rc < 0)
		return err_set(e, rc, "event loop: %s", strerror(-rc));
	if (ready_watchdog_ms() != 0)
		loop_arm(n->watchdog, 0);
	loop_on_wake(n->loop, node_drain_inbox, n);
	return 0;
}

static int
open_answers(struct node *n, struct err *e)
{
	char dir[CONFIG_PATH + 16];

	snprintf(dir, sizeof(dir), "%s/answers", n->cfg.state_dir);
	return answers_open(dir, time(NULL), &n->answers, e);
}

static int
open_containers(struct node *n, struct err *e)
{
	char dir[CONFIG_PATH + 16], launcher[CONFIG_PATH + 16];
	const struct container_config c = { .dir = dir, .launcher = launcher };

	snprintf(dir, sizeof(dir), "%s/containers", n->cfg.state_dir);
	snprintf(
	    launcher, sizeof(launcher), "%s/europa-launch", n->cfg.libexec_dir);
	n->ops = strcmp(n->cfg.containers, "fake") == 0 ? &container_fake
							: &container_lxc;
	return n->ops->open(n->loop, &c, &n->ops_cookie, e);
}

const char *
node_rootfs(struct node *n, const char *template, struct err *e)
{
	struct node_template *t = n->template;

	if (n->ops != &container_lxc) {
		if (strcmp(template, "router") == 0)
			return "";
		err_set(e, -ENOENT, "there is no template %s", template);
		return NULL;
	}
	for (unsigned i = 0; i < n->n_templates; i++, t++)
		if (strcmp(t->name, template) == 0)
			return t->rootfs;
	if (n->n_templates == NODE_MAX_TEMPLATES) {
		err_set(e, -ENOSPC, "more than %d templates",
		    (int)NODE_MAX_TEMPLATES);
		return NULL;
	}
	if (template_build(&n->cfg, template, t->rootfs, sizeof(t->rootfs), e) <
	    0)
		return NULL;
	snprintf(t->name, sizeof(t->name), "%s", template);
	n->n_templates++;
	return t->rootfs;
}

static int
open_plane(struct node *n, struct err *e)
{
	const struct plane_hooks hooks = {
		.on_set = on_set,
		.on_up = on_up,
		.on_down = on_down,
		.on_event = on_event,
		.on_port = on_port,
		.arg = n,
	};
	int rc = plane_new(n->loop, n->cfg.dataplane_socket, &hooks, &n->plane);

	return rc < 0 ? err_set(e, rc, "%s: %s", n->cfg.dataplane_socket,
			    strerror(-rc))
		      : 0;
}

int
node_open(struct node *n, struct err *e)
{
	int rc = open_loop(n, e);

	n->mem_bytes = memory_for_routers(&n->cfg);
	find_cores(n);
	if (rc == 0)
		rc = make_dirs(n, e);
	if (rc == 0)
		rc = store_open(n->cfg.state_dir, &n->store, e);
	if (rc == 0)
		rc = open_answers(n, e);
	if (rc == 0)
		rc = open_containers(n, e);
	if (rc == 0 && !node_rootfs(n, "router", e))
		rc = -ENOENT;
	if (rc == 0)
		rc = projects_load(n, e);
	if (rc == 0)
		rc = tokens_load(n, e);
	if (rc == 0)
		rc = store_each_port(n->store, port_load, n, e);
	if (rc == 0)
		rc = store_each_router(n->store, router_load, n, e);
	if (rc == 0)
		rc = store_each_object(n->store, "link", wiring_load, n, e);
	if (rc == 0)
		rc = store_each_object(n->store, "segment", wiring_load, n, e);
	if (rc == 0)
		rc = usage_open(n, e);
	if (rc == 0)
		rc = ports_write_file(n, e);
	if (rc < 0)
		return rc;
	keep_restore(n);
	n->ops->list(n->ops_cookie, sweep_orphan, n);
	router_live_sweep(n);
	for (struct router *r = n->routers; r; r = r->next)
		if (router_listen(r, e) < 0)
			return -EIO;
	rc = open_plane(n, e);
	if (rc < 0)
		return rc;
	node_kick(n);
	return 0;
}

void
node_dismiss(struct node *n)
{
	struct problem p;

	problem_init(&p);
	problem_set(&p, 503, "stopping",
	    "what was recorded is done when europad runs again",
	    "europad stops; routers keep running");
	for (struct router *r = n->routers; r; r = r->next) {
		router_dismiss_waiters(r, 0, &p);
		visit_end_all(r);
	}
	wiring_dismiss(n, &p);
	problem_clear(&p);
}

void
node_close(struct node *n)
{
	n->stopping = true;
	node_drain_inbox(n);
	usage_close(n);
	plane_free(n->plane);
	while (n->routers)
		router_free(n->routers);
	while (n->ports) {
		struct port *p = n->ports;

		n->ports = p->next;
		port_free(p);
	}
	while (n->wiring)
		wiring_free(n, n->wiring);
	tokens_free(n);
	projects_free(n);
	if (n->ops_cookie)
		n->ops->close(n->ops_cookie);
	answers_close(n->answers);
	store_close(n->store);
	free(n->strays);
	loop_free(n->loop);
}
