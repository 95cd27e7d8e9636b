/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ports: where frames enter and leave the node. europad stores them, tells a
 * living data plane, and writes the file from which the next one opens them
 * while it still has the privileges for it.
 */
#include "agent/events.h"
#include "agent/node.h"

#include "agent/project.h"
#include "lib/base.h"
#include "lib/log.h"

#include <fcntl.h>
#include <stdio.h>

struct port *
node_port(const struct node *n, const struct project *project, const char *name)
{
	for (struct port *p = n->ports; p; p = p->next)
		if (p->project == project && strcmp(p->spec.name, name) == 0)
			return p;
	return NULL;
}

/*
 * The data plane knows no projects, and wants letters, digits, "._-": a dot is
 * in nobody's name.
 */
void
port_name_wire(struct port *p)
{
	if (strcmp(p->project->spec.name, PROJECT_DEFAULT) == 0)
		snprintf(
		    p->wire_name, sizeof(p->wire_name), "%s", p->spec.name);
	else
		snprintf(
		    p->wire_name, sizeof(p->wire_name), "p.%s", p->uid_text);
}

static struct port *
port_by_wire_name(const struct node *n, const char *name)
{
	for (struct port *p = n->ports; p; p = p->next)
		if (strcmp(p->wire_name, name) == 0)
			return p;
	return NULL;
}

void
port_free(struct port *p)
{
	if (!p)
		return;
	if (p->creating)
		api_reply(p->creating, 503, NULL, NULL, NULL);
	model_port_clear(&p->spec);
	free(p);
}

/* Replaces the file as a whole: a reader sees the old one or the new one. */
int
ports_write_file(const struct node *n, struct err *e)
{
	char path[CONFIG_PATH + 16], temp[CONFIG_PATH + 24];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "%s/ports.conf", n->cfg.state_dir);
	snprintf(temp, sizeof(temp), "%s.new", path);
	f = fopen(temp, "we");
	if (!f)
		return err_set(e, -errno, "%s: %s", temp, strerror(errno));
	fprintf(f, "# written by europad: port NAME MTU DEVARGS\n");
	for (const struct port *p = n->ports; p; p = p->next)
		if (!p->creating) /* it is not promised yet */
			fprintf(f, "port %s %u %s\n", p->wire_name,
			    (unsigned)p->spec.mtu, p->spec.devargs);
	ok = fflush(f) == 0 && fsync(fileno(f)) == 0;
	ok = fclose(f) == 0 && ok;
	if (!ok || rename(temp, path) < 0) {
		int no = -errno;

		unlink(temp);
		return err_set(e, no, "%s: %s", path, strerror(-no));
	}
	return 0;
}

int
port_load(void *arg, const struct store_port *row)
{
	struct node *n = arg;
	struct port **at = &n->ports;
	struct port *p = calloc(1, sizeof(*p));
	struct project *project = node_project(n, row->project);
	json_t *body = json_loads(row->body, 0, NULL);
	struct problem problem;

	problem_init(&problem);
	if (p)
		model_port_init(&p->spec);
	if (!p || !body || !project || !uid_parse(row->uid, p->uid) ||
	    model_port_read(&p->spec, body, row->name, &problem) < 0) {
		log_err("the stored port %s cannot be read", row->name);
		port_free(p);
		json_decref(body);
		problem_clear(&problem);
		return -EINVAL;
	}
	problem_clear(&problem);
	json_decref(body);
	uid_text(p->uid, p->uid_text);
	p->project = project;
	port_name_wire(p);
	snprintf(p->created, sizeof(p->created), "%s", row->created);
	p->generation = row->generation;
	while (*at)
		at = &(*at)->next;
	*at = p;
	return 0;
}

int
port_store(struct node *n, const struct port *p, struct err *e)
{
	json_t *body = json_pack("{s:O, s:o}", "labels", p->spec.labels, "spec",
	    model_port_spec(&p->spec));
	scoped_free char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	const struct store_port row = {
		.uid = p->uid_text,
		.name = p->spec.name,
		.generation = p->generation,
		.created = p->created,
		.body = text,
		.project = p->project->spec.name,
	};

	json_decref(body);
	if (!text)
		return err_set(e, -ENOMEM, "out of memory");
	return store_put_port(n->store, &row, e);
}

const char *
port_state_text(enum port_state s)
{
	static const char *const names[] = {
		[PORT_UNKNOWN] = "down",
		[PORT_UP] = "up",
		[PORT_DOWN] = "down",
		[PORT_PENDING_RESTART] = "pending-restart",
		[PORT_FAILED] = "failed",
	};

	return names[s];
}

void
port_set_state(struct node *n, struct port *p, enum port_state state)
{
	bool is_other =
	    strcmp(port_state_text(p->state), port_state_text(state)) != 0;

	p->state = state;
	if (is_other && !p->creating)
		event_port(n, p, "port.state");
}

/* --- what the data plane says ----------------------------------------------------- */

static void
set_down(struct node *n, struct port *p, const char *why, const char *cure)
{
	snprintf(p->detail, sizeof(p->detail), "%s", why);
	p->cure = cure;
	port_set_state(n, p, PORT_DOWN);
}

void
ports_take_info(struct node *n, const struct wire_msg *m)
{
	struct port *p = port_by_wire_name(n, m->u.port_info.name);

	if (!p) {
		/* opened just before europad died, and never promised */
		struct wire_msg del = { .type = WIRE_PORT_DEL };

		memcpy(del.u.name.name, m->u.port_info.name,
		    sizeof(del.u.name.name));
		plane_send(n->plane, &del, NULL);
		return;
	}
	memcpy(p->driver, m->u.port_info.driver, sizeof(p->driver));
	memcpy(p->mac, m->u.port_info.mac, sizeof(p->mac));
	memcpy(p->count, m->u.port_info.count, sizeof(p->count));
	p->cure = NULL;
	switch (m->u.port_info.state) {
	case WIRE_PORT_GONE:
		set_down(n, p, "its device is gone",
		    "make an interface of that name again: the port opens by "
		    "itself within seconds, one of net_af_xdp when "
		    "europa-dataplane is restarted");
		break;
	case WIRE_PORT_NO_LINE:
		set_down(n, p, "its device has no line",
		    "bring the interface and what is at its other end up "
		    "(ip link set NAME up)");
		break;
	case WIRE_PORT_UP:
		p->detail[0] = '\0';
		port_set_state(n, p, PORT_UP);
		break;
	case WIRE_PORT_PENDING_RESTART:
		port_set_state(n, p, PORT_PENDING_RESTART);
		break;
	default:
		if (p->state != PORT_FAILED)
			port_set_state(n, p, PORT_DOWN);
	}
}

static void
listed(void *arg, const uint8_t uid[WIRE_UID_BYTES], uint32_t tag,
    const struct wire_msg *reply)
{
	(void)uid;
	(void)tag;
	if (reply && reply->type == WIRE_PORT_INFO)
		ports_take_info(arg, reply);
	else
		node_kick(arg);
}

void
ports_refresh(struct node *n)
{
	struct wire_msg m = { .type = WIRE_PORT_LIST };
	const struct plane_ask ask = { .fn = listed, .arg = n };

	if (plane_is_up(n->plane))
		plane_send(n->plane, &m, &ask);
}

/* Ports have no uid on the wire; the ask carries theirs. */
static struct port *
port_by_uid(struct node *n, const uint8_t uid[WIRE_UID_BYTES])
{
	for (struct port *p = n->ports; p; p = p->next)
		if (memcmp(p->uid, uid, WIRE_UID_BYTES) == 0)
			return p;
	return NULL;
}

static void
added(void *arg, const uint8_t uid[WIRE_UID_BYTES], uint32_t tag,
    const struct wire_msg *reply)
{
	struct node *n = arg;
	struct port *p = port_by_uid(n, uid);

	(void)tag;
	if (!p)
		return;
	if (reply && reply->type == WIRE_FAIL) {
		snprintf(
		    p->detail, sizeof(p->detail), "%s", reply->u.fail.text);
		p->cure = NULL;
		problem_clean_text(p->detail);
		port_set_state(n, p,
		    reply->u.fail.no == ENOTSUP ? PORT_PENDING_RESTART
						: PORT_FAILED);
		log_warn("%s port=%s", p->detail, p->spec.name);
	} else if (!reply) {
		port_set_state(n, p, PORT_UNKNOWN);
		p->lost = true;
	} else {
		p->detail[0] = '\0';
		ports_refresh(n); /* says that it is up, and what it is */
	}
	node_kick(n);
}

int
port_post(struct node *n, struct port *p)
{
	struct wire_msg m = { .type = WIRE_PORT_ADD };
	struct plane_ask ask = { .fn = added, .arg = n };

	memcpy(ask.uid, p->uid, WIRE_UID_BYTES);
	snprintf(m.u.port.name, sizeof(m.u.port.name), "%s", p->wire_name);
	snprintf(
	    m.u.port.devargs, sizeof(m.u.port.devargs), "%s", p->spec.devargs);
	m.u.port.mtu = p->spec.mtu;
	return plane_send(n->plane, &m, &ask);
}

void
ports_replay(struct node *n)
{
	for (struct port *p = n->ports; p; p = p->next)
		port_post(n, p);
	ports_refresh(n);
}
