/* SPDX-License-Identifier: Apache-2.0 */
/* node: lists of ports and sets, and the plan made of them, see node.h. */
#include "dataplane/node.h"

#include "dataplane/crew.h"
#include "lib/log.h"

struct port *
node_port(const struct node *n, const char *name)
{
	for (struct port *p = n->ports; p; p = p->next)
		if (strcmp(p->spec.name, name) == 0)
			return p;
	return NULL;
}

struct set *
node_set(const struct node *n, const uint8_t *uid)
{
	for (struct set *s = n->sets; s; s = s->next)
		if (memcmp(s->info.uid, uid, WIRE_UID_BYTES) == 0)
			return s;
	return NULL;
}

int
node_publish(struct node *n)
{
	struct plan *fresh;
	int rc = plan_new(n, &fresh);

	if (rc < 0)
		return rc;
	fresh->generation = ++n->generation;
	crew_publish(n->crew, fresh);
	plan_free(n->plan);
	n->plan = fresh;
	return 0;
}

/* --- ports ------------------------------------------------------------------ */

void
node_add_port(struct node *n, struct port *p)
{
	p->next = n->ports;
	n->ports = p;
	crew_watch_port(n->crew, p);
}

int
node_open_port(struct node *n, struct port *p)
{
	memset(n->workers.load, 0, sizeof(n->workers.load));
	for (const struct port *o = n->ports; o; o = o->next)
		if (o->state == WIRE_PORT_UP)
			n->workers.load[o->home]++;
	return port_open(p, &n->workers);
}

static void
unlink_port(struct node *n, const struct port *p)
{
	struct port **at = &n->ports;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
}

int
node_drop_port(struct node *n, struct port *p)
{
	int rc;

	unlink_port(n, p);
	rc = node_publish(n);
	if (rc < 0) {
		p->next = n->ports;
		n->ports = p;
		return rc;
	}
	crew_unwatch_port(n->crew, p);
	port_free(p);
	return 0;
}

int
node_close_port(struct node *n, struct port *p)
{
	int rc;

	p->state = WIRE_PORT_DOWN; /* no plan has it */
	rc = node_publish(n);
	p->state = WIRE_PORT_UP;
	if (rc < 0)
		return rc;
	crew_unwatch_port(n->crew, p);
	port_close(p);
	return 0;
}

int
node_open_ports(struct node *n, const char *path)
{
	scoped_free struct port_spec *list = NULL;
	int count = ports_file_read(path, &list);

	if (count < 0)
		return count;
	for (int i = 0; i < count; i++) {
		struct port *p;

		if (node_port(n, list[i].name)) {
			log_err("port is given twice in %s port=%s", path,
			    list[i].name);
			continue;
		}
		p = port_new(&list[i], n->workers.n);
		if (!p)
			return -ENOMEM;
		node_open_port(n, p); /* DOWN is an answer, too */
		node_add_port(n, p);
	}
	return 0;
}

/* --- sets ------------------------------------------------------------------- */

void
node_add_set(struct node *n, struct set *s)
{
	s->next = n->sets;
	n->sets = s;
	for (unsigned q = 0; q < s->n_queues; q++)
		crew_watch_bell(n->crew, &s->queue[q]);
}

int
node_drop_set(struct node *n, struct set *s)
{
	struct set **at = &n->sets;
	int rc;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	rc = node_publish(n);
	if (rc < 0) {
		s->next = n->sets;
		n->sets = s;
		return rc;
	}
	/* not before: a worker that unmutes a bell would watch it again, for ever,
	 * since others hold the eventfd, too */
	for (unsigned q = 0; q < s->n_queues; q++)
		crew_unwatch_bell(n->crew, &s->queue[q]);
	crew_pass(n->crew);
	set_free(s, true);
	return 0;
}

void
node_clear(struct node *n)
{
	while (n->sets) {
		struct set *s = n->sets;

		n->sets = s->next;
		set_free(s, false);
	}
	plan_free(n->plan);
	n->plan = NULL;
	while (n->ports) {
		struct port *p = n->ports;

		n->ports = p->next;
		port_free(p);
	}
}
