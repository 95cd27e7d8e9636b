/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router_live: what a router runs beside its spec: the pipeline and the run-time
 * routes that came through the API. Both are on disk (pipelines.h, routefile.h),
 * and a container that starts knows nothing of them. So
 *
 *	the pipeline	is given to init before the memory, that is before the
 *			first process: no packet passes through another one
 *	the routes	are given to the process when it has its configuration;
 *			a process that follows it in the same container finds
 *			them there
 *
 * That a container has its routes is noted as a file "given", so that a europad
 * that starts does not give them all again; it goes before they change.
 */
#include "agent/router.h"

#include "agent/routepush.h"
#include "agent/visit.h"
#include "lib/base.h"
#include "lib/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

enum {
	MIN_BACKOFF_MS = 500,
	MAX_BACKOFF_MS = 30000,
	LOOK_MS = 10000, /* for an answer of what runs */
	LOOK_AGAIN_MS = 1000,
};

static void
folder_of(const struct router *r, char out[DURABLE_PATH])
{
	snprintf(out, DURABLE_PATH, "%s/routers/%s", r->node->cfg.state_dir,
	    r->uid_text);
}

static void
given_path(const struct router *r, char out[DURABLE_PATH + 8])
{
	char dir[DURABLE_PATH];

	folder_of(r, dir);
	snprintf(out, DURABLE_PATH + 8, "%s/given", dir);
}

/* --- disk ----------------------------------------------------------------- */

void
router_live_load(struct router *r)
{
	char dir[DURABLE_PATH], given[DURABLE_PATH + 8];
	struct err e;

	folder_of(r, dir);
	if (pipelines_open(&r->pipelines, dir, &e) < 0)
		log_err("its pipelines are lost: %s router=%s", e.msg,
		    r->spec.name);
	if (routefile_open(&r->routes, dir, &e) < 0)
		log_err("its run-time routes are lost: %s router=%s", e.msg,
		    r->spec.name);
	given_path(r, given);
	r->routes_given = access(given, F_OK) == 0;
}

void
router_live_remove(const struct router *r)
{
	char dir[DURABLE_PATH];

	folder_of(r, dir);
	durable_remove(dir);
}

static void
sweep(struct node *n, const char *base, const char *sub)
{
	char dir[DURABLE_PATH], path[DURABLE_PATH + 260];
	uint8_t uid[UID_BYTES];
	const struct dirent *de;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/%s", base, sub);
	d = opendir(dir);
	while (d && (de = readdir(d))) {
		if (!uid_parse(de->d_name, uid) || node_router_by_uid(n, uid))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, de->d_name);
		log_warn("removing files without a router uid=%s", de->d_name);
		durable_remove(path);
	}
	if (d)
		closedir(d);
}

/* A folder without a router is what a crash in a deletion left. */
void
router_live_sweep(struct node *n)
{
	sweep(n, n->cfg.state_dir, "routers");
	sweep(n, n->cfg.run_dir, "r");
}

void
router_set_given(struct router *r, bool given)
{
	char path[DURABLE_PATH + 8];

	r->routes_given = given;
	given_path(r, path);
	if (given)
		base_close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	else
		unlink(path);
}

int
router_doubt_given(struct router *r, struct err *e)
{
	char path[DURABLE_PATH + 8];
	int rc = 0;

	/* without a file there would be nothing to give */
	if (r->routes.table == 0)
		rc = routefile_append(&r->routes, "", 0, e);
	given_path(r, path);
	if (rc == 0)
		unlink(path);
	return rc;
}

/* --- the streams ---------------------------------------------------------- */

int
router_live_open(struct router *r)
{
	int rc = ctlclient_new(r->node->loop, r->link, &r->ctl);

	return rc < 0 ? rc : ctlclient_new(r->node->loop, r->link, &r->bulk);
}

void
router_live_close(struct router *r)
{
	visit_end_all(r);
	router_log_detach(r);
	ctlclient_free(r->ctl);
	ctlclient_free(r->bulk);
	r->ctl = r->bulk = NULL;
	routefile_close(&r->routes);
}

bool
router_is_live(const struct router *r)
{
	return !r->deleting && r->ctl && initlink_is_up(r->link) &&
	       r->container.state == CONTAINER_RUNNING && r->process_running;
}

void
router_live_hello(struct router *r, bool fresh)
{
	ctlclient_hang_up(r->ctl, -ENOTCONN);
	ctlclient_hang_up(r->bulk, -ENOTCONN);
	r->give_after_ms = r->give_backoff_ms = 0;
	r->pipeline_suspect = true;
	if (fresh)
		router_set_given(r, false);
}

/* --- the pipeline --------------------------------------------------------- */

void
router_give_pipeline(struct router *r)
{
	static const uint8_t none[WIRE_UID_BYTES];
	scoped_free char *text = NULL;
	size_t n = 0;

	if (memcmp(r->init_set, none, WIRE_UID_BYTES) != 0 ||
	    r->pipelines.wanted == 0)
		return;
	text = pipelines_text(&r->pipelines, r->pipelines.wanted, &n);
	if (!text || initlink_send_pipeline(r->link, text, n) < 0)
		log_err("its pipeline is not given revision=%u router=%s",
		    r->pipelines.wanted, r->spec.name);
}

/* The entry of the router's own list with that member, or NULL. */
static const json_t *
entry_with(const json_t *list, const char *key, const json_t *value)
{
	const json_t *v;
	size_t i;

	json_array_foreach(list, i,
	    v) if (json_equal(json_object_get(v, key), value)) return v;
	return NULL;
}

static const char *
text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

void
router_note_pipelines(struct router *r, const json_t *said)
{
	const json_t *list = json_object_get(said, "revisions");
	const struct pipeline_revision *wanted =
	    pipelines_find(&r->pipelines, r->pipelines.wanted);
	const struct pipeline_revision *now;
	const json_t *running, *mine;
	json_t *digest;
	struct err e;

	r->pipeline_suspect = false;
	if (!wanted)
		return;
	digest = json_string(wanted->digest);
	running = entry_with(list, "number", json_object_get(said, "running"));
	mine = entry_with(list, "sha256", digest);
	json_decref(digest);
	if (!mine || strcmp(text_of(running, "sha256"), wanted->digest) == 0)
		return;
	if (strcmp(text_of(mine, "state"), "refused") == 0)
		/* it had passed before: a check that had no time, perhaps */
		log_err("its pipeline is not in force, the router refuses it "
			"revision=%u router=%s",
		    wanted->number, r->spec.name);
	if (strcmp(text_of(mine, "state"), "failed") != 0)
		return;
	now = pipelines_find_digest(&r->pipelines, text_of(running, "sha256"));
	log_warn("its pipeline failed revision=%u router=%s", wanted->number,
	    r->spec.name);
	if (pipelines_fail(&r->pipelines, text_of(mine, "why"),
		now ? now->number : 0, &e) < 0)
		log_err("%s router=%s", e.msg, r->spec.name);
}

static void
heard_pipelines(void *arg, int rc, const json_t *json)
{
	struct router *r = arg;

	if (rc == 0 && !r->pipeline_on_way)
		router_note_pipelines(r, json);
	if (rc != -ENOTCONN && rc != -ETIMEDOUT)
		return;
	r->pipeline_suspect = true; /* it has only just begun */
	r->look_after_ms = loop_now_ms() + LOOK_AGAIN_MS;
	loop_arm_sooner(r->timer, LOOK_AGAIN_MS);
}

static void
look_at_pipeline(struct router *r)
{
	const struct ctlclient_question q = {
		.words = "show pipeline",
		.timeout_ms = LOOK_MS,
		.done = heard_pipelines,
		.arg = r,
	};

	if (r->pipelines.wanted == 0 || ctlclient_ask(r->ctl, &q) == 0)
		r->pipeline_suspect = false;
}

/* --- the routes ----------------------------------------------------------- */

static void
try_later(struct router *r)
{
	r->give_backoff_ms =
	    MIN(MAX(2 * r->give_backoff_ms, (uint64_t)MIN_BACKOFF_MS),
		(uint64_t)MAX_BACKOFF_MS);
	r->give_after_ms = loop_now_ms() + r->give_backoff_ms;
}

static void
given(void *arg, const struct routepush_result *result)
{
	struct router *r = arg;

	r->routes_on_way = false;
	if (result->rc < 0) {
		log_debug("its routes are not given: %s router=%s",
		    strerror(-result->rc), r->spec.name);
		try_later(r);
	} else {
		router_set_given(r, true);
		log_info("its run-time routes are given left_out=%zu router=%s",
		    result->n_left_out, r->spec.name);
	}
	if (result->rc != -ECANCELED)
		router_kick(r);
}

static void
give_routes(struct router *r)
{
	const struct routepush_config c = {
		.client = r->bulk,
		.fd = routefile_read(&r->routes),
		.table = r->routes.table - (sizeof(ROUTEFILE_THEN) - 1),
		.from = r->routes.table,
		.end = r->routes.bytes,
		.done = given,
		.arg = r,
	};

	if (c.fd >= 0 && routepush_new(&c) == 0)
		r->routes_on_way = true;
	else
		try_later(r);
}

void
router_sync_live(struct router *r)
{
	uint64_t now = loop_now_ms();

	if (!router_is_live(r) || r->config_in_force < r->generation)
		return;
	if (r->pipeline_suspect && now >= r->look_after_ms)
		look_at_pipeline(r);
	if (r->routes_given || r->routes_on_way)
		return;
	if (r->routes.table == 0)
		r->routes_given = true;
	else if (now >= r->give_after_ms)
		give_routes(r);
	if (!r->routes_given && !r->routes_on_way)
		loop_arm_sooner(r->timer, r->give_after_ms - now);
}
