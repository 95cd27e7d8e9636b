/* SPDX-License-Identifier: Apache-2.0 */
/* usage: what projects have used. See usage.h. */
#include "agent/usage.h"

#include "agent/router.h"
#include "lib/base.h"
#include "lib/log.h"

#include <stdio.h>

enum { RX, TX, SAVE_MS = 30000, TOLD_MS = 1000, KEY_BYTES = UID_TEXT + 8 };

/* --- counting ---------------------------------------------------------------- */

static void
grow(uint64_t *sum, uint64_t now, uint64_t before)
{
	*sum += now > before ? now - before : 0;
}

static void
count_traffic(struct router *r)
{
	struct usage_seen *seen = &r->used;
	struct usage *sum = &r->project->usage.sum;
	struct router_traffic t;

	if (!r->has_memory)
		return;
	router_read_traffic(r, &t);
	if (memcmp(seen->set, r->set, sizeof(seen->set)) != 0) {
		memcpy(seen->set, r->set, sizeof(seen->set));
		memset(seen->at.packets, 0, sizeof(seen->at.packets));
		memset(seen->at.bytes, 0, sizeof(seen->at.bytes));
	}
	for (unsigned d = RX; d <= TX; d++) {
		grow(&sum->packets[d], t.packets[d], seen->at.packets[d]);
		grow(&sum->bytes[d], t.bytes[d], seen->at.bytes[d]);
		seen->at.packets[d] = t.packets[d];
		seen->at.bytes[d] = t.bytes[d];
	}
}

/* Less than before is another container's time, from its beginning. */
static void
count_cpu(struct router *r)
{
	const struct node *n = r->node;
	struct container_use now;

	n->ops->use(n->ops_cookie, r->uid_text, 0, &now);
	if (now.cpu_ns == CONTAINER_UNKNOWN)
		return;
	grow(&r->project->usage.sum.cpu_ns, now.cpu_ns,
	    now.cpu_ns < r->used.at.cpu_ns ? 0 : r->used.at.cpu_ns);
	r->used.at.cpu_ns = now.cpu_ns;
}

void
usage_count(struct router *r)
{
	count_traffic(r);
	count_cpu(r);
}

/* --- on disk ----------------------------------------------------------------- */

static void
key_of(const struct project *p, char key[KEY_BYTES])
{
	snprintf(key, KEY_BYTES, "usage-%s", p->uid_text);
}

static json_t *
pack(const struct usage *u)
{
	return json_pack("[I, I, I, I, I]", (json_int_t)u->packets[RX],
	    (json_int_t)u->packets[TX], (json_int_t)u->bytes[RX],
	    (json_int_t)u->bytes[TX], (json_int_t)u->cpu_ns);
}

static bool
unpack(json_t *v, struct usage *u)
{
	json_int_t n[5];

	if (json_unpack(
		v, "[I, I, I, I, I]", &n[0], &n[1], &n[2], &n[3], &n[4]) < 0)
		return false;
	*u = (struct usage){
		.packets = { (uint64_t)n[0], (uint64_t)n[1] },
		.bytes = { (uint64_t)n[2], (uint64_t)n[3] },
		.cpu_ns = (uint64_t)n[4],
	};
	return true;
}

static json_t *
body_of(const struct node *n, const struct project *p)
{
	json_t *routers = json_object();

	for (const struct router *r = n->routers; r; r = r->next) {
		char set[UID_TEXT];

		if (r->project != p)
			continue;
		uid_text(r->used.set, set);
		json_object_set_new(routers, r->uid_text,
		    json_pack(
			"{s:s, s:o}", "set", set, "at", pack(&r->used.at)));
	}
	return json_pack(
	    "{s:o, s:o}", "sum", pack(&p->usage.sum), "routers", routers);
}

static int
save(struct node *n, struct project *p, struct err *e)
{
	json_t *body = body_of(n, p);
	scoped_free char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	char key[KEY_BYTES];
	const struct store_object row = {
		.uid = key,
		.kind = "usage",
		.project = "",
		.name = p->uid_text,
		.generation = 1,
		.created = p->created,
		.body = text,
	};
	int rc;

	json_decref(body);
	key_of(p, key);
	if (!text)
		return err_set(e, -ENOMEM, "out of memory");
	rc = store_put_object(n->store, &row, e);
	if (rc < 0)
		return rc;
	p->usage.saved = p->usage.sum;
	p->usage.saved_ms = loop_now_ms();
	return 0;
}

static void
count_all(struct node *n, const struct project *p)
{
	for (struct router *r = n->routers; r; r = r->next)
		if (!p || r->project == p)
			usage_count(r);
}

static void
save_all(struct node *n)
{
	struct err e;

	count_all(n, NULL);
	for (struct project *p = n->projects; p; p = p->next)
		if (memcmp(&p->usage.sum, &p->usage.saved,
			sizeof(p->usage.sum)) != 0 &&
		    save(n, p, &e) < 0)
			log_warn("usage: %s project=%s", e.msg, p->spec.name);
}

static void
timer_fired(void *arg)
{
	struct node *n = arg;

	save_all(n);
	loop_arm(n->usage_timer, SAVE_MS);
}

static void
load_router(struct node *n, const char *uid, json_t *v)
{
	const char *set = json_string_value(json_object_get(v, "set"));
	uint8_t bytes[UID_BYTES];
	struct router *r =
	    uid_parse(uid, bytes) ? node_router_by_uid(n, bytes) : NULL;

	if (r && set && uid_parse(set, r->used.set))
		unpack(json_object_get(v, "at"), &r->used.at);
}

static int
load_one(void *arg, const struct store_object *row)
{
	struct node *n = arg;
	struct project *p = n->projects;
	json_t *body = json_loads(row->body, 0, NULL);
	const char *uid;
	json_t *v;

	while (p && strcmp(p->uid_text, row->name) != 0)
		p = p->next;
	if (p && !unpack(json_object_get(body, "sum"), &p->usage.sum))
		log_err(
		    "the stored usage cannot be read project=%s", p->spec.name);
	if (p) {
		p->usage.saved = p->usage.sum;
		json_object_foreach(json_object_get(body, "routers"), uid, v) {
			load_router(n, uid, v);
		}
	}
	json_decref(body);
	return 0;
}

int
usage_open(struct node *n, struct err *e)
{
	int rc = store_each_object(n->store, "usage", load_one, n, e);

	if (rc < 0)
		return rc;
	rc = loop_add_timer(n->loop, timer_fired, n, &n->usage_timer);
	if (rc < 0)
		return err_set(e, rc, "event loop: %s", strerror(-rc));
	loop_arm(n->usage_timer, SAVE_MS);
	return 0;
}

void
usage_close(struct node *n)
{
	if (n->usage_timer)
		save_all(n);
}

void
usage_forget(struct node *n, const struct project *p)
{
	char key[KEY_BYTES];
	struct err e;

	key_of(p, key);
	if (store_delete_object(n->store, key, &e) < 0)
		log_warn("%s", e.msg);
}

json_t *
usage_account_json(struct node *n, struct project *p)
{
	const struct usage *u = &p->usage.saved;
	struct err e;

	if (p->usage.saved_ms == 0 ||
	    loop_now_ms() - p->usage.saved_ms >= TOLD_MS) {
		count_all(n, p);
		if (save(n, p, &e) < 0)
			log_warn("usage: %s project=%s", e.msg, p->spec.name);
	}
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "kind",
	    "Usage", "project", p->spec.name, "since", p->created, "rx_packets",
	    (json_int_t)u->packets[RX], "tx_packets",
	    (json_int_t)u->packets[TX], "rx_bytes", (json_int_t)u->bytes[RX],
	    "tx_bytes", (json_int_t)u->bytes[TX], "cpu_ms",
	    (json_int_t)(u->cpu_ns / 1000000));
}
