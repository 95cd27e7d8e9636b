/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router_quota: the limits of a router, what of them is in force, and their
 * use. In force is what was read back from the container, and what the data
 * plane has agreed to. The use is read from the counters in the host region and
 * from the container: what passed and the time on cores as a mean of the time
 * since somebody asked, a fraction of a second to two seconds.
 */
#include "agent/router.h"

#include "lib/base.h"
#include "lib/vnic_ring.h"

enum { RX, TX, MIN_WINDOW_MS = 200, NS_PER_US = 1000, NS_PER_MS = 1000000 };

static json_t *
number(uint64_t v)
{
	return json_integer((json_int_t)MIN(v, (uint64_t)INT64_MAX));
}

/* What nobody can tell is null. */
static json_t *
known(uint64_t v)
{
	return v == CONTAINER_UNKNOWN ? json_null() : number(v);
}

/* What the counters of all vNICs come to, and the container. */
struct totals {
	struct router_traffic t;
	struct container_use use;
	uint64_t held;
	uint64_t drops_pps, drops_bps;
};

static void
add(struct totals *s, struct vnic_counters *c)
{
	uint64_t home = vnic_count(&c->back) + vnic_count(&c->in_doubt);

	s->held += vnic_count(&c->filled) - home;
	s->t.packets[RX] += vnic_count(&c->filled);
	s->t.bytes[RX] += vnic_count(&c->filled_bytes);
	s->t.packets[TX] += vnic_count(&c->sent);
	s->t.bytes[TX] += vnic_count(&c->sent_bytes);
	s->drops_pps += vnic_count(&c->rx_drop[VNIC_DROP_QUOTA_PPS]) +
			vnic_count(&c->tx_drop[VNIC_DROP_QUOTA_PPS]);
	s->drops_bps += vnic_count(&c->rx_drop[VNIC_DROP_QUOTA_BPS]) +
			vnic_count(&c->tx_drop[VNIC_DROP_QUOTA_BPS]);
}

static void
look(const struct router *r, struct totals *out)
{
	memset(out, 0, sizeof(*out));
	out->t.ms = loop_now_ms();
	for (unsigned q = 0; r->has_memory && q < r->layout.g.n_queues; q++)
		for (unsigned v = 0; v < r->layout.g.max_vnics; v++)
			add(out, vnic_counters(&r->layout, r->host, q, v));
}

static void
look_at_all(const struct router *r, struct totals *out)
{
	look(r, out);
	router_container_use(r, &out->use);
	out->t.cpu_ns = out->use.cpu_ns;
}

void
router_read_traffic(const struct router *r, struct router_traffic *out)
{
	struct totals now;

	look(r, &now);
	*out = now.t;
}

void
router_usage_begin(struct router *r)
{
	struct totals now;

	look_at_all(r, &now);
	r->traffic = now.t;
	r->usage = (struct router_usage){ 0 };
}

uint64_t
router_usage_age_ms(const struct router *r)
{
	return r->traffic.ms == 0 ? UINT64_MAX : loop_now_ms() - r->traffic.ms;
}

/* Per second; 0 for counters that began anew with new memory. */
static uint64_t
mean(uint64_t now, uint64_t before, uint64_t factor, uint64_t ms)
{
	return now < before ? 0 : (now - before) * factor * 1000 / ms;
}

static void
refresh(struct router *r, const struct router_traffic *now)
{
	const struct router_traffic *was = &r->traffic;
	uint64_t ms = now->ms - was->ms;

	if (was->ms == 0 || ms < MIN_WINDOW_MS)
		return;
	r->usage.window_ms = ms;
	for (unsigned d = RX; d <= TX; d++) {
		r->usage.pps[d] = mean(now->packets[d], was->packets[d], 1, ms);
		r->usage.bps[d] = mean(now->bytes[d], was->bytes[d], 8, ms);
	}
	r->usage.cpu_millis =
	    now->cpu_ns == CONTAINER_UNKNOWN || was->cpu_ns == CONTAINER_UNKNOWN
		? CONTAINER_UNKNOWN
		: mean(now->cpu_ns, was->cpu_ns, 1, ms) / NS_PER_MS;
	r->traffic = *now;
}

/* The members that tell of the container. */
static void
put_use(json_t *o, const struct router *r, const struct container_use *use)
{
	const struct router_usage *u = &r->usage;
	bool has_mean = u->window_ms != 0 && use->cpu_ns != CONTAINER_UNKNOWN;

	json_object_set_new(o, "cpu_millis",
	    known(has_mean ? u->cpu_millis : CONTAINER_UNKNOWN));
	json_object_set_new(o, "cpu_usec",
	    use->cpu_ns == CONTAINER_UNKNOWN ? json_null()
					     : number(use->cpu_ns / NS_PER_US));
	json_object_set_new(o, "mem_bytes", known(use->mem_bytes));
	json_object_set_new(o, "pids", known(use->pids));
	json_object_set_new(o, "disk_bytes", known(use->disk_bytes));
	json_object_set_new(o, "vnics", number(r->spec.n_vnics));
}

static json_t *
usage_json(struct router *r)
{
	const struct router_usage *u = &r->usage;
	struct totals now;
	json_t *o;

	look_at_all(r, &now);
	refresh(r, &now.t);
	o = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o}}",
	    "window_ms", number(u->window_ms), "rx_pps", number(u->pps[RX]),
	    "tx_pps", number(u->pps[TX]), "rx_bps", number(u->bps[RX]),
	    "tx_bps", number(u->bps[TX]), "pool_slots", number(now.held),
	    "drops", "quota_pps", number(now.drops_pps), "quota_bps",
	    number(now.drops_bps));
	put_use(o, r, &now.use);
	return o;
}

json_t *
router_rates_json(struct router *r)
{
	const struct router_usage *u = &r->usage;
	struct totals now;

	look_at_all(r, &now);
	if (r->traffic.ms == 0)
		r->traffic = now.t;
	refresh(r, &now.t);
	if (u->window_ms == 0)
		return json_null(); /* there is but one look to tell of */
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "window_ms",
	    number(u->window_ms), "rx_pps", number(u->pps[RX]), "tx_pps",
	    number(u->pps[TX]), "rx_bps", number(u->bps[RX]), "tx_bps",
	    number(u->bps[TX]));
}

/* In the words of the limit, if it is that. */
static const char *
cores_in_force(const struct router *r)
{
	const char *wanted = r->spec.quota.cpu_set;
	const char *got = r->container.effective.cpus;
	struct container_limits want;

	router_limits(r, &want);
	return cpus_are_equal(got, want.cpus) ? wanted : got;
}

/* null while nothing of it is in force. */
static json_t *
effective_json(const struct router *r)
{
	const struct container_limits *l = &r->container.effective;
	const struct wire_rates *w = &r->rates_sent;
	json_t *o;

	if (r->container.state == CONTAINER_STOPPED || !r->set_known ||
	    router_plane_owes(r))
		return json_null();
	o = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "cpu_millis",
	    number(l->cpu_millis), "mem_bytes", number(l->mem_bytes), "pids",
	    number(l->pids), "disk_bytes", number(l->disk_bytes), "pool_slots",
	    number(r->slots_sent), "vnics_max", number(r->spec.quota.vnics_max),
	    "cpu_set", cores_in_force(r));
	model_rates_put(o, &(struct model_rates){
			       .rx_pps = w->rx_pps,
			       .tx_pps = w->tx_pps,
			       .rx_bps = w->rx_bps,
			       .tx_bps = w->tx_bps,
			       .burst_ms = w->burst_ms,
			   });
	return o;
}

json_t *
router_quota_json(struct router *r)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o}", "kind", "Quota", "router",
	    r->spec.name, "limit", model_quota_json(&r->spec.quota),
	    "effective", effective_json(r), "usage", usage_json(r));
}
