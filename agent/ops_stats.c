/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_stats: the counters of a router. The host's own are there at once; the
 * router's process is asked twice, for its counters through init, and on its
 * own socket which module dropped what and why. It has a fraction of a second,
 * then the answer goes without.
 */
#include "agent/ops_live.h"

#include "lib/base.h"

enum { DROPS_MS = 250, MAX_DROPS = 512 };

struct job {
	struct router *r;
	struct api_request *rq;
};

/* Its entries in our words; NULL if one of them makes no sense. */
static json_t *
read_drops(const json_t *said)
{
	const json_t *list = json_object_get(said, "drops"), *v;
	json_t *out = json_array();
	json_int_t n;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > MAX_DROPS)
		goto fail;
	json_array_foreach(list, i, v)
	{
		const char *module = live_text(v, "module", 32);
		const char *reason = live_text(v, "reason", 32);

		if (!module || !reason || !live_number(v, "packets", &n))
			goto fail;
		json_array_append_new(
		    out, json_pack("{s:s, s:s, s:s, s:I}", "by", "router",
			     "module", module, "reason", reason, "packets", n));
	}
	return out;
fail:
	json_decref(out);
	return NULL;
}

static void
reply(struct router *r, struct api_request *rq)
{
	if (r->state == ROUTER_RUNNING && r->process_running &&
	    initlink_ask_stats(r->link) == 0)
		router_wait_stats(r, rq);
	else
		api_reply(rq, 200, router_stats_json(r), NULL, NULL);
}

static void
heard(void *arg, int rc, const json_t *json)
{
	struct job *j = arg;
	struct router *r = j->r;

	json_decref(r->drops);
	r->drops = rc == 0 ? read_drops(json) : NULL;
	if (rc == -ECANCELED)
		live_refuse(r, j->rq, rc, NULL);
	else
		reply(r, j->rq);
	free(j);
}

void
op_stats_get(struct node *n, struct api_request *rq)
{
	struct router *r = op_find_router(n, rq);
	struct ctlclient_question q = {
		.words = "show drops",
		.timeout_ms = DROPS_MS,
		.done = heard,
	};
	struct job *j;

	if (!r)
		return;
	json_decref(r->drops);
	r->drops = NULL;
	j = router_is_live(r) ? malloc(sizeof(*j)) : NULL;
	if (j) {
		*j = (struct job){ r, rq };
		q.arg = j;
		if (ctlclient_ask(r->ctl, &q) == 0)
			return;
		free(j);
	}
	reply(r, rq);
}
