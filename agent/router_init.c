/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router_init: what the init of one container is given, and what it says.
 *
 * The configuration is text (router.conf), made whole each time; init writes it
 * for the data plane. Whether the data plane has taken it is asked for with
 * STATS_GET, a few times; a data plane of the owner's own need not answer.
 */
#include "agent/router.h"

#include "lib/base.h"
#include "lib/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

enum { PROBE_MS = 4, PROBE_FOR_MS = 1000 };

void
router_run_dir(const struct router *r, char *buf, size_t size)
{
	snprintf(buf, size, "%s/r/%s", r->node->cfg.run_dir, r->uid_text);
}

static void
write_vnics(const struct router *r, FILE *f)
{
	char text[64];

	for (unsigned i = 0; i < r->spec.n_vnics; i++) {
		const struct model_vnic *v = &r->spec.vnic[i];
		int index = router_vnic_index(r, v->name);

		if (index < 0)
			continue;
		model_mac_text(v->mac, text, sizeof(text));
		fprintf(f, "vnic %d %s mac %s mtu %u\n", index, v->name, text,
		    (unsigned)v->mtu);
		for (unsigned k = 0; k < v->n_addresses; k++) {
			model_prefix_text(&v->address[k], text, sizeof(text));
			fprintf(f, "address %s %s\n", v->name, text);
		}
	}
}

static void
write_routes(const struct router *r, FILE *f)
{
	char prefix[64], via[64];

	for (unsigned i = 0; i < r->spec.n_routes; i++) {
		const struct model_route *x = &r->spec.route[i];

		model_prefix_text(&x->prefix, prefix, sizeof(prefix));
		fprintf(f, "route %s", prefix);
		if (x->via.family != 0) {
			model_address_text(&x->via, via, sizeof(via));
			fprintf(f, " via %s", via);
		}
		if (x->vnic[0] != '\0')
			fprintf(f, " dev %s", x->vnic);
		fputc('\n', f);
	}
}

/* Each busy one takes a core: what the quota does not have, it would wait for. */
unsigned
router_fast_paths(const struct router *r)
{
	unsigned cores = r->spec.quota.cpu_millis / 1000;

	return MIN(r->node->cfg.fast_paths, MAX(cores, 1U));
}

char *
router_config_text(const struct router *r)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fprintf(f, "# written by europad; changes are lost\n");
	fprintf(f, "generation %llu\n", (unsigned long long)r->generation);
	fprintf(f, "hostname %s\n", r->spec.name);
	fprintf(f, "fast-paths %u\n", router_fast_paths(r));
	write_vnics(r, f);
	write_routes(r, f);
	if (r->spec.dataplane[0] != '\0')
		fprintf(f, "dataplane %s\n", r->spec.dataplane);
	fprintf(f, "end\n");
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static void
on_hello(void *arg, const uint8_t set[WIRE_UID_BYTES])
{
	static const uint8_t none[WIRE_UID_BYTES];
	struct router *r = arg;

	memcpy(r->init_set, set, WIRE_UID_BYTES);
	router_live_hello(r, memcmp(set, none, WIRE_UID_BYTES) == 0);
	router_log_hello(r, memcmp(set, none, WIRE_UID_BYTES) == 0);
	r->config_sent = 0;
	r->config_in_force = 0;
	router_kick(r);
}

static void
on_state(void *arg, const struct wire_msg *m)
{
	struct router *r = arg;
	bool ran = r->process_running;
	uint64_t now = loop_now_ms();

	r->process_running = m->u.process.running != 0;
	if (m->u.process.starts != r->process_starts && ran)
		r->pipeline_suspect = true;
	if (ran && !r->process_running)
		r->pipeline_suspect = true;
	r->process_starts = m->u.process.starts;
	if (!r->process_running)
		r->process_error = m->u.process.status >> WIRE_EXEC_SHIFT;
	if (ran && !r->process_running)
		router_program_ended(r, m->u.process.status);
	/* at most one line a second: it is the tenant who talks */
	if (ran && !r->process_running && now - r->process_end_ms >= 1000) {
		r->process_end_ms = now;
		log_info("its data plane ended status=0x%x router=%s",
		    m->u.process.status, r->spec.name);
	}
	router_kick(r);
}

static void
on_stats(void *arg, const struct wire_msg *m)
{
	struct router *r = arg;

	if (!r->stats)
		r->stats = malloc(sizeof(*r->stats));
	if (!r->stats)
		return;
	*r->stats = *m;
	r->stats->n_fds = 0;
	r->stats_ms = loop_now_ms();
	r->config_in_force = m->u.stats.generation;
	router_kick(r);
}

static void
on_gone(void *arg)
{
	struct router *r = arg;

	r->config_sent = 0;
	r->process_running = false;
	router_log_gone(r);
	ctlclient_hang_up(r->ctl, -ENOTCONN);
	ctlclient_hang_up(r->bulk, -ENOTCONN);
	router_kick(r);
}

int
router_listen(struct router *r, struct err *e)
{
	const struct config *c = &r->node->cfg;
	const struct initlink_hooks hooks = {
		.on_hello = on_hello,
		.on_state = on_state,
		.on_stats = on_stats,
		.on_gone = on_gone,
		.arg = r,
	};
	char dir[CONFIG_PATH];
	int rc;

	if (r->link)
		return 0;
	router_run_dir(r, dir, sizeof(dir));
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return err_set(e, -errno, "%s: %s", dir, strerror(errno));
	rc = initlink_new(r->node->loop, dir,
	    c->id_base + r->id_index * CONFIG_RANGE_IDS, CONFIG_RANGE_IDS,
	    &hooks, &r->link, e);
	if (rc < 0)
		return rc;
	rc = router_live_open(r);
	if (rc == 0)
		return 0;
	router_live_close(r);
	initlink_free(r->link);
	r->link = NULL;
	return err_set(e, rc, "out of memory");
}

/* Asks, for a second, until the router process has the newest configuration. */
static void
probe_config(struct router *r)
{
	uint64_t now = loop_now_ms();

	if (r->config_in_force >= r->generation)
		return;
	if (now - r->config_ms > PROBE_FOR_MS) {
		r->config_in_force = r->generation; /* it does not tell */
		return;
	}
	/* each answer leads here again: it is no reason to ask at once */
	if (r->process_running && now - r->probed_ms >= PROBE_MS) {
		r->probed_ms = now;
		initlink_ask_stats(r->link);
	}
	loop_arm_sooner(r->timer, PROBE_MS);
}

void
router_sync_init(struct router *r)
{
	scoped_free char *text = NULL;

	if (!initlink_is_up(r->link) || !r->has_memory)
		return;
	if (memcmp(r->init_set, r->set, WIRE_UID_BYTES) != 0) {
		router_give_pipeline(r);
		if (initlink_send_set(r->link, r->set, &r->fds) < 0)
			return;
		memcpy(r->init_set, r->set, WIRE_UID_BYTES);
	}
	if (r->config_sent == r->generation) {
		probe_config(r);
		router_sync_live(r);
		return;
	}
	for (unsigned i = 0; i < r->spec.n_vnics; i++)
		if (router_vnic_index(r, r->spec.vnic[i].name) < 0)
			return; /* its index is not known yet */
	text = router_config_text(r);
	if (!text || initlink_send_config(r->link, r->generation, text) < 0)
		return;
	r->config_sent = r->generation;
	r->config_ms = loop_now_ms();
	probe_config(r);
}
